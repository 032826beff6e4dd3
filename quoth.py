"""The command `quoth`: joins the commands of service and evaluation; the only module above them all."""

import importlib
import os
import sys

import typer
from rich.console import Console
from rich.text import Text

from index.errors import IndexingError
from service.cli.app import app
from service.cli.collections import app as collections
from service.cli.conversations import app as conversations
from service.cli.keys import app as keys
from service.cli.mcp import mcp
from service.cli.rendering import clean
from service.cli.replay import replay
from service.cli.slack import slack
from service.cli.verify import verify
from service.cli.work import work
from service.errors import ServiceError

# Everything Quoth needs is on this machine: no library may ask a network for models, updates or a place to report to.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
TOKENIZERS = {"TOKENIZERS_PARALLELISM": "false"}  # its threads do not survive the fork that extraction uses

app.command()(verify)
app.command()(replay)
app.command()(mcp)
app.command()(work)
app.command()(slack)
app.add_typer(collections, name="collections")
app.add_typer(conversations, name="conversations")
app.add_typer(keys, name="keys")


@app.command(
    "eval",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    help="Measure answers: run, compare, report.",
)
def evaluate(context: typer.Context) -> None:
    """Hand the words after `eval` to evaluation/cli.py, which brings in the engines and the plots."""
    importlib.import_module("evaluation.cli").app(args=context.args, prog_name="quoth eval")


def main() -> None:
    """Run the command line. What is raised on purpose becomes one line on standard error and exit code 1."""
    os.environ.update({name: value for name, value in (OFFLINE | TOKENIZERS).items() if name not in os.environ})
    try:
        app()
    except (ServiceError, IndexingError) as error:
        Console(stderr=True, highlight=False).print(
            Text("error: ", "bold red") + Text(clean(str(error))), soft_wrap=True
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
