"""A PostgreSQL server for the test run, on a free local port, started when a test first asks for it."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import create_engine, text

USER = "quoth"


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs, which Debian does not put on the path."""
    found = shutil.which("pg_ctl")
    if found and not Path(found).is_symlink():
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


class PostgresServer:
    """A server started and stopped by `pg_ctl`, which refuses to run as root: root runs it as `postgres` or `nobody`."""

    def __init__(self, bin: Path, folder: Path) -> None:
        self._bin = bin
        self._data = folder / "data"
        self._log = folder / "log"
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            name = "postgres" if any(entry.pw_name == "postgres" for entry in pwd.getpwall()) else "nobody"
            entry = pwd.getpwnam(name)
            self._user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._run("initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._count = 0

    def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        options = f"-p {self._port} -h 127.0.0.1 -k '' -c fsync=off -c shared_buffers=16MB -c max_connections=40"
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self._log), "-w", "-o", options, "start")

    def stop(self) -> None:
        """Stop without flushing to disk, since the databases are not used again."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def fresh(self) -> str:
        """The URL of a new, empty database."""
        self._count += 1
        name = f"test{self._count}"
        engine = create_engine(self._url("postgres").replace("postgresql:", "postgresql+pg8000:"))
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self._port}/{name}"

    def _run(self, program: str, *words: str) -> None:
        with open(os.devnull, "wb") as nothing:  # the server would keep a pipe open
            done = subprocess.run(
                [self._bin / program, *words], stdout=nothing, stderr=nothing, cwd="/", check=False, **self._user
            )
        assert done.returncode == 0, f"{program} failed: {self._log.read_text() if self._log.exists() else 'no log'}"


def served() -> Iterator[PostgresServer]:
    """A running server; skips where PostgreSQL is not installed.

    Its folder is not one of pytest's, because other users may not enter those.
    """
    bin = binaries()
    if bin is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with TemporaryDirectory(prefix="quoth-postgres-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(bin, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
