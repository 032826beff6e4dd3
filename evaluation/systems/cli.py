"""What `quoth eval run --target` does. The modules behind it are imported when it runs."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from evaluation.terminal import progress_bars, require_choice

if TYPE_CHECKING:
    from evaluation.systems.execution import SystemPlan

_OF_QUOTH = ("task", "split", "corpus", "retriever", "endpoint", "generator", "index")


def refuse_for_target(given: Collection[str], what: Path) -> None:
    """Raise BadParameter for an option that says how Quoth answers."""
    if what.suffix == ".toml":
        raise typer.BadParameter("A suite runs Quoth. Name a case file.", param_hint="--target")
    for name in _OF_QUOTH:
        if name in given:
            raise typer.BadParameter("This says how Quoth answers. Leave it out with --target.", param_hint=f"--{name}")


def run_target(
    plan: SystemPlan, target: str, model: str | None, citations: str | None, key: str | None, out: Path
) -> None:
    """Ask another system the cases of a data set, with a progress bar."""
    from evaluation.systems.citation_styles import CITATION_STYLES
    from evaluation.systems.execution import execute_system
    from evaluation.systems.targets import open_target

    style = require_choice("--citations", citations or "list", CITATION_STYLES)
    with closing(open_target(target, model=model, citations=style, key=key)) as system, progress_bars() as watch:
        advance = watch("Running the cases")
        execute_system(plan, system, out, lambda state: advance(state.done, state.total))
