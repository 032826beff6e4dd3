"""The commands: what they print, where, and with which exit code. Run in this process where that shows the same."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

import quoth
from index.library import Library
from service.answering.service import Service
from service.cli.app import app
from tests.shared_networks import shared_encoder
from tests.web_server import WebServer

ROOT = Path(__file__).parent.parent
SEEDS = sorted(ROOT.joinpath("seeds").glob("*.md"))
ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
UNRELATED = "Which enzyme folds the outer membrane of a mitochondrion?"


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command over the shared home (which it must not change), or over another one."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, home: Path = home) -> Result:
        return CliRunner().invoke(app, list(words), env={"QUOTH_HOME": str(home), "TERM": "dumb"})

    return run


def test_help_and_bad_commands_do_not_load_the_engines() -> None:
    code = "import sys, quoth; print([name for name in ('torch', 'openvino', 'faiss', 'kreuzberg') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_names_every_command(run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in ("index", "ask", "search", "serve", "doctor", "eval"):
        assert re.search(rf"\b{command}\b", result.output)


def test_an_answer_is_plain_text_in_a_pipe_and_exits_with_0(run, service: Service) -> None:
    result = run("ask", ATTACKS)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert re.fullmatch(r"  .*\[1\].*", lines[1])
    assert any(re.fullmatch(r"  \[1\] .* · characters \d+-\d+", line) for line in lines)
    assert any(re.fullmatch(r'      ".*>.+<.*"', line) for line in lines)
    assert re.fullmatch(r"  confidence 0\.\d\d · extractive · \d+ ms", lines[-2])
    assert "\x1b" not in result.output


def test_a_refusal_exits_with_3_and_shows_the_nearest(run, service: Service) -> None:
    result = run("ask", UNRELATED)
    assert result.exit_code == 3
    assert result.stdout.startswith("\n  The documents do not say. (confidence that they do: 0.")
    assert "  Nearest: " in result.stdout


def test_json_output_is_the_answer_of_the_contract_and_quotes_literally(run, service: Service) -> None:
    result = run("ask", ATTACKS, "--json")
    answer = json.loads(result.stdout)
    assert {"id", "text", "sentences", "citations", "passages", "confidence", "refused", "timings_ms"} <= set(answer)
    collection = service.library.open("default")
    for citation in answer["citations"]:
        text = collection.documents.get(citation["document_id"], citation["version"]).text
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_search_returns_as_many_hits_as_asked_for(run, service: Service) -> None:
    assert len(json.loads(run("search", ATTACKS, "-k", "2", "--json").stdout)["hits"]) == 2
    shown = run("search", ATTACKS, "-k", "2")
    assert (shown.exit_code, "  2. " in shown.stdout, "  3. " in shown.stdout) == (0, True, False)


def test_indexing_reports_changes_and_an_unchanged_folder_is_not_read_again(run, tmp_path: Path) -> None:
    folder, home = tmp_path / "notes", tmp_path / "home"
    folder.mkdir()
    (folder / "a.md").write_text("# Notes\n\nThe bridge opened in 1932.\n")
    first = run("index", str(folder), home=home)
    assert (first.exit_code, first.stdout.startswith("default: 1 added (")) == (0, True)
    second = run("index", str(folder), home=home)
    assert (second.exit_code, second.stdout.startswith("default: 1 unchanged (")) == (0, True)
    (folder / "b.md").write_text("The bridge is of stone.\n")
    assert run("index", str(folder), home=home).stdout.startswith("default: 1 added, 1 unchanged (")
    (folder / "a.md").unlink()
    assert run("index", str(folder), home=home).stdout.startswith("default: 1 removed")


def test_an_emptied_folder_keeps_its_documents_until_prune_confirms_it(run, tmp_path: Path) -> None:
    folder, home = tmp_path / "share", tmp_path / "home"
    folder.mkdir()
    (folder / "a.md").write_text("The bridge opened in 1932.\n")
    run("index", "share", home=home)
    (folder / "a.md").rename(tmp_path / "a.md")
    planned = run("index", "share", "--dry-run", home=home)
    assert planned.stdout.startswith("default: 1 kept (")
    kept = run("index", "share", home=home)
    assert (kept.exit_code, kept.stdout.startswith("default: 1 kept (")) == (4, True)
    assert "share: it is empty, its file cannot be found, and 1 document is kept." in kept.stdout
    assert run("index", "share", "--accept-rejected", home=home).exit_code == 4
    pruned = run("index", "share", "--prune", home=home)
    assert (pruned.exit_code, pruned.stdout.startswith("default: 1 removed (")) == (0, True)


def test_rejected_files_are_reported_on_stderr_and_the_rest_is_indexed(run, tmp_path: Path) -> None:
    folder, home = tmp_path / "notes", tmp_path / "home"
    folder.mkdir()
    (folder / "good.txt").write_text("The bridge opened in 1932.\n")
    (folder / "empty.txt").write_text("")
    result = run("index", str(folder), home=home)
    assert result.exit_code == 4
    assert "notes/empty.txt: " in result.stderr
    assert "Reading: 2 of 2 files\nMaking vectors: 1 of 1 passages\n" in result.stderr
    assert "1 added, 1 rejected" in result.stdout
    assert run("index", str(folder), home=home).exit_code == 4
    assert run("index", str(folder), "--accept-rejected", home=home).exit_code == 0
    (folder / "empty.txt").unlink()
    assert run("index", str(folder), home=home).exit_code == 0


def test_files_that_are_no_documents_are_skipped_and_listed_on_request(run, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "rows.jsonl").write_text('{"fee": "12 euros"}\n')
    (folder / "film.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42")
    result = run("index", str(folder), "--verbose", home=tmp_path / "home")
    assert result.exit_code == 0
    added, skipped = result.stdout.splitlines()
    assert added.startswith("default: 1 added (")
    assert skipped == "1 file skipped as no documents: 1 .mp4 (--verbose lists them)"
    assert "film.mp4: .mp4 files hold no text\n" in result.stderr


def test_a_dry_run_lists_what_would_change_and_changes_nothing(run, tmp_path: Path) -> None:
    folder, home = tmp_path / "notes", tmp_path / "home"
    folder.mkdir()
    (folder / "a.md").write_text("# Notes\n\nThe bridge opened in 1932.\n")
    result = run("index", str(folder), "--dry-run", home=home)
    assert result.stdout.startswith("+ notes/a.md\ndefault: 1 added (")
    assert result.stdout.endswith("Nothing was changed.\n")
    assert (result.exit_code, (home / "collections").exists()) == (0, False)
    assert run("index", str(folder), "--dry-run", "--watch", home=home).exit_code == 2


def test_principals_are_given_at_indexing_and_never_together_with_public(run, tmp_path: Path) -> None:
    (tmp_path / "pay.md").write_text("# Pay\n\nAnn earns more than Bob.\n")
    home = tmp_path / "home"

    def readers() -> set[str]:
        library = Library(home, shared_encoder())
        (found,) = library.open("default").documents.list()
        library.close()
        return set(found.principals)

    index = ("index", str(tmp_path / "pay.md"))
    assert run(*index, "--principal", "hr", "--principal", "ann", home=home).exit_code == 0
    assert readers() == {"hr", "ann"}
    assert "1 unchanged" in run(*index, home=home).stdout
    assert readers() == {"hr", "ann"}
    assert "1 changed" in run(*index, "--public", home=home).stdout
    assert readers() == set()
    assert run(*index, "--public", "--principal", "hr", home=home).exit_code == 2
    assert run(*index, "--principal", " ", home=home).exit_code == 2


def test_watching_indexes_changes_within_seconds_and_ends_cleanly_with_ctrl_c(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").write_text("# Notes\n\nThe bridge opened in 1932.\n")
    command = [sys.executable, "quoth.py", "index", str(folder), "--watch"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(tmp_path / "home"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        try:
            assert watching.stdout is not None
            assert watching.stdout.readline().startswith("default: 1 added (")
            assert watching.stdout.readline() == "Following changes. Ctrl-C stops.\n"
            (folder / "b.md").write_text("The tunnel opened in 1994.\n")
            assert watching.stdout.readline() == f"+ {folder}/b.md\n"
            assert watching.stdout.readline().startswith("default: 1 added, 1 unchanged (")
            watching.send_signal(signal.SIGINT)
            said, errors = watching.communicate(timeout=30)
        finally:
            if watching.poll() is None:
                watching.kill()
    assert (watching.returncode, said) == (130, "Stopped. Everything shown above is indexed.\n")
    assert all(line.startswith(("Reading: ", "Making vectors: ")) for line in errors.splitlines())


def test_web_pages_are_indexed_where_their_address_is_allowed(run, tmp_path: Path) -> None:
    with WebServer() as server:
        server.html("/bears", "Bears eat honey.")
        refused = run("index", f"{server.url}/bears", home=tmp_path / "home")
        assert refused.exit_code == 1
        assert "127.0.0.1 is no public address" in " ".join(refused.stderr.split())
        done = run("index", f"{server.url}/bears", "--allow-private", home=tmp_path / "home")
        assert done.exit_code == 0
        assert "1 added" in done.stdout
    for option in ("--watch", "--dry-run"):
        assert run("index", "https://example.org", option, home=tmp_path / "home").exit_code == 2


@pytest.mark.parametrize("option", [(), ("--accept-rejected",)])
def test_indexing_nothing_but_rejected_paths_is_an_error(run, tmp_path: Path, option: tuple[str, ...]) -> None:
    result = run("index", str(tmp_path / "nowhere"), *option, home=tmp_path / "home")
    assert result.exit_code == 1
    assert "nowhere" in result.stderr


def test_an_empty_folder_makes_no_collection(run, tmp_path: Path) -> None:
    (tmp_path / "empty" / "below").mkdir(parents=True)
    for words in (("empty",), ("empty", "nowhere"), ("empty", "-c", "other")):
        result = run("index", *words, home=tmp_path / "home")
        assert "There is nothing to index, so no collection was made." in result.stderr
        assert not (tmp_path / "home").exists()
    assert run("collections", home=tmp_path / "home").stdout == "No collection yet. quoth index FOLDER makes one.\n"


def test_the_version_is_shown(run) -> None:
    assert run("--version").stdout == f"quoth {version('quoth')}\n"


@pytest.mark.parametrize("command", ["ask", "search", "index"])
def test_a_name_that_no_collection_can_have_comes_with_one_that_it_can(command: str, run, tmp_path: Path) -> None:
    result = run(command, str(tmp_path), "-c", "My Papers", home=tmp_path / "home")
    assert str(result.exception).endswith("for example my-papers")


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_missing_collection_is_reported_with_the_command_that_creates_it(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["quoth", command, "Why?", "--collection", "papers"])
    with pytest.raises(SystemExit) as stopped:
        quoth.main()
    said = capsys.readouterr()
    assert stopped.value.code == 1
    assert said.out == ""
    assert said.err == "error: There is no collection 'papers' yet. To make it: quoth index FOLDER -c papers\n"


def test_a_bad_setting_is_one_line_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUOTH_PORTT", "1")
    monkeypatch.setattr(sys, "argv", ["quoth", "doctor"])
    with pytest.raises(SystemExit) as stopped:
        quoth.main()
    assert stopped.value.code == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_doctor_finds_no_problem_in_a_healthy_home(run, service: Service) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert result.stdout.count("✓") == 8
    assert "✗" not in result.stdout


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "QUOTH_HOME": str(home), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}


def test_a_port_in_use_is_reported_at_once_with_the_fix(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "quoth.py", "serve", "--port", str(port)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=30, check=False
        )
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_answers_until_ctrl_c_and_then_ends_cleanly(home: Path, service: Service) -> None:
    command = [sys.executable, "quoth.py", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert address, said
            deadline = time.monotonic() + 60
            while httpx.get(f"{address[0]}/healthz", timeout=60).status_code != 200:
                assert time.monotonic() < deadline
            answer = httpx.post(f"{address[0]}/v1/chat", json={"question": ATTACKS}, timeout=60).json()
            assert not answer["refused"]
            server.send_signal(signal.SIGINT)
            _, errors = server.communicate(timeout=30)
        finally:
            if server.poll() is None:
                server.kill()
    assert server.returncode == 130
    assert "Traceback" not in errors
    assert ATTACKS not in errors
