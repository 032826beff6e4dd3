"""The README's commands, run as they stand there: in a shell, in a home folder of their own."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [block.group() for block in re.finditer(r"(?:^ {4}.*\n|^\n(?= {4}))+", README, re.MULTILINE)]
TRANSCRIPT = next(block for block in BLOCKS if "$ quoth" in block)
QUESTION = "What is our notice period?"
PORT = 8000


def commands(word: str) -> list[str]:
    """The README's shell lines that begin with `word`, without their comments; inline ones too."""
    lines = [line.strip().partition("  #")[0].strip() for block in BLOCKS for line in block.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", README)
    return [line for line in [*lines, *inline] if line.startswith(f"{word} ")]


class Shell:
    """A person's machine: a folder with documents, and the installed command `quoth`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        documents = folder / "documents"
        documents.mkdir()
        (documents / "contract.md").write_text(
            "# Employment\n\nOur notice period is three months to the end of a quarter.\n", encoding="utf-8"
        )
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "QUOTH_HOME": str(folder / "quoth"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self, command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment | settings,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, own_environment: None) -> Shell:
    """The documents are indexed, by the README's command."""
    shell = Shell(tmp_path_factory.mktemp("person"))
    (index,) = commands("quoth index")
    done = shell.run(index)
    assert done.returncode == 0, done.stderr
    assert "1 added" in done.stdout
    return shell


def exchanges() -> Iterator[tuple[str, str]]:
    """Each question of the transcript with the output that is shown under it."""
    for part in re.split(r"^ {4}\$ ", TRANSCRIPT, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, "\n".join(line.strip() for line in output.splitlines()).strip()


@pytest.mark.parametrize(("command", "shown"), list(exchanges()))
def test_the_transcript_equals_the_output_of_the_command(
    command: str, shown: str, tmp_path: Path, shell: Shell
) -> None:
    briefing = ROOT / "seeds" / "cyber-cooperation-briefing.md"
    home = str(shell.folder / "seeds")
    if not Path(home).exists():
        assert shell.run(f"quoth index {briefing}", QUOTH_HOME=home).returncode == 0
    printed = shell.run(command, QUOTH_HOME=home)
    assert printed.returncode == (3 if "do not say" in shown else 0), printed.stderr
    # The time differs from machine to machine. The README shortens an excerpt with "...", and leaves out what follows it.
    pattern = re.escape(shown).replace(re.escape("..."), ".*?") + (".*" if shown.endswith('..."') else "")
    pattern = re.sub(r"\d+\\ ms", r"\\d+ ms", pattern)
    output = "\n".join(line.strip() for line in printed.stdout.splitlines()).strip()
    assert re.fullmatch(pattern, output, re.DOTALL), output


def test_make_knows_the_two_commands() -> None:
    for target in ("make serve", "make test"):
        assert target in commands("make")
        subprocess.run([*target.split(), "--dry-run"], cwd=ROOT, check=True, capture_output=True)


def test_the_question_about_ones_own_documents_is_answered(shell: Shell) -> None:
    ask = commands("quoth ask")[0]
    assert QUESTION in ask
    answered = shell.run(ask)
    assert answered.returncode == 0, answered.stderr
    assert "three months" in answered.stdout


def test_the_server_answers_the_request_that_is_shown(shell: Shell) -> None:
    assert re.search(r"^ {4}quoth serve\b", README, re.MULTILINE)
    (curl,) = commands("curl")
    assert f"http://127.0.0.1:{PORT}/" in curl
    with subprocess.Popen(
        ["quoth", "serve", "--port", "0"], cwd=shell.folder, env=shell.environment, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            line = next(line for line in server.stdout if "http://" in line)
            address = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert address
            answered = shell.run(curl.replace(f"http://127.0.0.1:{PORT}", address.group()))
            assert answered.returncode == 0, answered.stderr
            assert "three months" in json.loads(answered.stdout)["text"]
            with urllib.request.urlopen(address.group(), timeout=20) as page:
                assert b"Quoth" in page.read()
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(60) == 130


def test_a_language_model_words_the_answer(shell: Shell, chat_desk: type) -> None:
    (export,) = commands("export")
    with chat_desk(lambda request: "Our notice period is three months to the end of a quarter. [1]") as desk:
        ask = export.replace("http://localhost:11434/v1", desk.url)
        assert ask != export
        answered = shell.run(f"{ask}\n{commands('quoth ask')[-1]}")
    assert answered.returncode == 0, answered.stderr
    assert "three months" in answered.stdout
    assert desk.asked


def test_the_measuring_commands_run_over_ones_own_questions(shell: Shell) -> None:
    case = {
        "id": "notice",
        "question": QUESTION,
        "answerable": True,
        "answers": ["three months"],
        "evidence": [
            {"document": "contract.md", "quote": "Our notice period is three months to the end of a quarter."}
        ],
    }
    (shell.folder / "questions.jsonl").write_text(json.dumps(case) + "\n", encoding="utf-8")
    run, report = commands("quoth eval")
    measured = shell.run(run)
    assert measured.returncode == 0, measured.stderr
    reported = shell.run(report)
    assert reported.returncode == 0, reported.stderr
    assert (shell.folder / "runs" / "today" / "report.html").is_file()
