"""The command `quoth`: joins the commands of service and evaluation; the only module above them all."""

import os
import sys

from service.cli.interruption import ending_at_once, silent_interruption

with ending_at_once():
    from importlib.metadata import version
    from typing import Annotated, NoReturn

    import typer
    from rich.console import Console
    from rich.text import Text

    from index.errors import IndexingError
    from service.cli import collections, conversations, keys
    from service.cli.app import app
    from service.cli.audit import replay, verify
    from service.cli.rendering import clean
    from service.cli.servers import mcp, slack, work
    from service.cli.upkeep import answers, gaps
    from service.cli.why import why
    from service.errors import ServiceError

# Everything Quoth needs is on this machine: no library may ask a network for models, updates or a place to report to.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
TOKENIZERS = {"TOKENIZERS_PARALLELISM": "false"}  # its threads do not survive the fork that extraction uses

for command in (why, verify, replay, gaps, mcp, work, slack):
    app.command()(command)
for group, name in ((collections, "collections"), (conversations, "conversations"), (keys, "keys")):
    app.add_typer(group.app, name=name)
app.add_typer(answers, name="answers")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"quoth {version('quoth')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and stop.")
    ] = False,
) -> None:
    """Ask your documents. Every sentence of the answer quotes its source."""


@app.command(
    "eval",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    help="Measure answers: run, compare, report.",
)
def evaluate(context: typer.Context) -> None:
    """Pass the words after `eval` to evaluation/cli.py."""
    from evaluation.cli import app as evaluation

    evaluation(args=context.args, prog_name="quoth eval")


def main() -> None:
    """Run the command line. An expected error becomes one line on standard error and exit code 1."""
    os.environ.update({name: value for name, value in (OFFLINE | TOKENIZERS).items() if name not in os.environ})
    with silent_interruption():
        _run()


def _run() -> None:
    try:
        app()
        sys.stdout.flush()
    except (ServiceError, IndexingError) as error:
        _fail(str(error))
    except OSError as error:
        if error.strerror is None:
            raise
        _fail(
            f"{error.filename or 'The output'}: {error.strerror}. Check its folder, its rights and the space on its disk"
        )


def _fail(message: str) -> NoReturn:
    Console(stderr=True, highlight=False).print(Text("error: ", "bold red") + Text(clean(message)), soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
