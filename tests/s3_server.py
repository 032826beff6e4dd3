"""An S3 server for the test run (moto), in a process of its own on a free local port, started when a test first asks for it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

_ROOT = Path(__file__).parent.parent


def program() -> Path | None:
    """The server: in the environment of the clients (`make clients`), or beside Python."""
    places = (_ROOT / ".venv-clients" / "bin", Path(sys.executable).parent)
    return next((place / "moto_server" for place in places if (place / "moto_server").exists()), None)


def served() -> Iterator[str]:
    """The address of the server; what its clients find in their environment is set for as long as it runs."""
    found = program()
    if found is None:
        pytest.skip("moto is not installed: make clients")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(found), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, server)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment(url).items():
                patch.setenv(name, value)
            yield url
    finally:
        server.kill()
        server.wait()


def environment(url: str) -> dict[str, str]:
    """What a client of the server at `url` finds in its environment."""
    return {
        "AWS_ENDPOINT": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def make_bucket(url: str, name: str) -> str:
    """Make an empty bucket; returns its URL."""
    httpx.put(f"{url}/{name}").raise_for_status()
    return f"s3://{name}"


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the S3 server has ended"
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the S3 server does not answer")
