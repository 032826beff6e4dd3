"""Ctrl-C ends every command with exit code 130 and says nothing, whatever it interrupts and becomes of the exception."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
READY = "print('ready', flush=True)"


def interrupted(code: str, *words: str, after: float = 0.1, **environment: str) -> tuple[int, str]:
    """Exit code and standard error of a program that got Ctrl-C so many seconds after it wrote a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    return process.returncode, error


def inside(block: str) -> str:
    """A program that runs the lines of `block` where Ctrl-C is silent."""
    lines = "\n".join(f"    {line}" for line in block.splitlines())
    return (
        "import sys, time\nfrom service.cli import interruption\ninterruption._UNWINDING_SECONDS = 0.3\n"
        f"with interruption.silent_interruption():\n    {READY}\n{lines}"
    )


@pytest.mark.parametrize(
    "block",
    [
        "time.sleep(60)",
        "try:\n    time.sleep(60)\nexcept BaseException as error:\n    raise RuntimeError('import failed') from error",
        "try:\n    time.sleep(60)\nexcept BaseException:\n    raise SystemExit(1)",
        "try:\n    time.sleep(60)\nfinally:\n    print('Aborted!', file=sys.stderr)",
        "class Lost:\n    def __del__(self):\n        time.sleep(60)\nLost()\ntime.sleep(60)",
        "while True:\n    try:\n        time.sleep(60)\n    except BaseException:\n        continue",
        "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass",
    ],
    ids=["raised", "another error", "another exit code", "printed", "lost in a destructor", "swallowed", "handled"],
)
def test_ctrl_c_is_silent_whatever_becomes_of_the_exception(block: str) -> None:
    assert interrupted(inside(block)) == (130, "")


def test_ctrl_c_is_silent_during_imports_and_while_python_ends() -> None:
    importing = (
        f"from service.cli.interruption import ending_at_once\nwith ending_at_once():\n    {READY}\n    import torch"
    )
    assert interrupted(importing, after=0.2) == (130, "")
    ending = "import atexit, time\nfrom service.cli.interruption import silent_interruption\n"
    ending += f"atexit.register(lambda: [{READY}, time.sleep(1)])\nwith silent_interruption():\n    pass"
    code, error = interrupted(ending)
    assert code in (0, 130)
    assert error == ""


def test_a_file_that_was_being_written_is_deleted(tmp_path: Path) -> None:
    block = "from pathlib import Path\nfrom index.storage.atomic import replace_file\n"
    target = str(tmp_path / "file")
    block += f"with replace_file(Path({target!r})) as partial:\n    partial.write_text('half')\n    time.sleep(60)"
    assert interrupted(inside(block), after=0.5) == (130, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "after"),
    [
        (("ask", "How many attacks?"), 0.2),
        (("ask", "How many attacks?"), 0.8),
        (("search", "attacks"), 0.5),
        (("doctor",), 0.7),
        (("index", "seeds", "--dry-run"), 0.05),
        (("eval", "run", "seeds/golden.jsonl", "-c", "default"), 1.0),
    ],
    ids=str,
)
def test_ctrl_c_is_silent_in_the_middle_of_a_command(
    words: tuple[str, ...], after: float, home: Path, service: object, compiled: Path, tmp_path: Path
) -> None:
    program = f"import sys, quoth\nsys.argv = ['quoth', *sys.argv[1:]]\n{READY}\nquoth.main()"
    out = ("-o", str(tmp_path / "run")) if words[0] == "eval" else ()
    places = {"QUOTH_HOME": str(home), "QUOTH_CACHE_FOLDER": str(compiled), "HOME": str(tmp_path)}
    code, error = interrupted(program, *words, *out, after=after, **places)
    assert (code, error) == (130, "")
    assert not list(compiled.glob("*.partial"))
