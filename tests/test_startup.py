"""What a command does not load, so that it starts fast."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("modules", "unneeded"),
    [
        (
            "quoth",
            {"torch", "numpy", "faiss", "openvino", "sqlalchemy", "alembic", "fastapi", "httpx2", "evaluation.cli"},
        ),
        (
            "service.composition.service",
            {"torch", "sqlalchemy", "alembic", "fastapi", "httpx2", "transformers", "slack_bolt", "mcp"},
        ),
        ("service.server.server", {"torch", "numpy", "faiss", "openvino", "sqlalchemy", "openai"}),
        ("index.extraction.worker", {"numpy", "pypdfium2", "PIL"}),
        ("service.client", {"torch", "numpy", "faiss", "openvino", "sqlalchemy", "fastapi"}),
    ],
    ids=["every command", "quoth ask", "the socket of the server", "the process that reads files", "the Python client"],
)
def test_engines_that_are_not_needed_are_not_loaded(modules: str, unneeded: set[str]) -> None:
    code = f"import sys, {modules}; print(*({unneeded!r} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
