"""Run the cases of a data set through another system, into the same form of rows, so that runs compare."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import models
from evaluation.datasets.loading import Format, load
from evaluation.document_matching import DocumentMatcher
from evaluation.execution import matcher_of, selected_cases
from evaluation.manifest import identity
from evaluation.runs import RunProgress, run, sample_cases
from evaluation.systems.targets import SystemTarget
from evaluation.systems.task import SystemTask
from index.collection import Collection
from service.composition.library import open_library
from service.scoring.support import SupportChecker
from service.settings import load as load_settings

_WORKERS = 4


@dataclass(frozen=True, slots=True)
class SystemPlan:
    """What to ask another system. In `collection`, if there is one, quotes are looked up word for word."""

    dataset: Path
    format: Format | None = None
    collection: str | None = None
    only: Path | None = None
    sample: int | None = None
    seed: int = 0
    workers: int | None = None
    retry_errors: bool = False


def execute_system(
    plan: SystemPlan, target: SystemTarget, out: Path, on_progress: Callable[[RunProgress], None] | None = None
) -> Path:
    """Run the plan and write the run into `out`. Raises DataInvalid and RunInvalid; a case that fails becomes a row."""
    dataset = load(plan.dataset, plan.format, collection=True)
    cases = sample_cases(selected_cases(dataset, plan.only), plan.sample, plan.seed)
    settings = load_settings()
    matcher = matcher_of(dataset)
    texts: dict[str, str] = {}
    if plan.collection is not None:
        library = open_library(settings)
        texts = _texts(library.open(plan.collection), matcher)
        library.close()
    checker = SupportChecker.load(models.folder("support"), settings.cache, when_needed=True)
    task = SystemTask(target, matcher, texts, checker)
    described = {**target.describe(), "quotes_looked_up_in": plan.collection}
    ident = identity(dataset, task.name, plan.sample, plan.seed, described, None)
    return run(
        cases,
        task,
        out,
        ident,
        workers=plan.workers or _WORKERS,
        retry_errors=plan.retry_errors,
        on_progress=on_progress,
    )


def _texts(collection: Collection, matcher: DocumentMatcher) -> dict[str, str]:
    """The text of every document that the data set names, by that name."""
    ids = matcher.ids(collection.documents.list())
    return {name: collection.documents.get(id).text for name, id in ids.items()}
