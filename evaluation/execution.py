"""A plan -> a run: load and check the data, make ready what is measured, run the cases."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from evaluation import retrievers
from evaluation.cases import Case, Dataset
from evaluation.corpus import check_quotes, fill
from evaluation.datasets.loading import Format, load
from evaluation.datasets.records import text_lines
from evaluation.errors import DataInvalid, SuiteInvalid, TaskUnfit
from evaluation.manifest import identity
from evaluation.naming import Naming
from evaluation.retrievers import Retriever
from evaluation.runs import Progress, run, sampled
from evaluation.suite import Entry, Suite
from evaluation.targets.local import Local
from evaluation.targets.remote import Remote
from evaluation.tasks import reading, verification
from evaluation.tasks.answering import Answering
from evaluation.tasks.reading import Reading
from evaluation.tasks.retrieval import Retrieving
from evaluation.tasks.task import Task, TaskName
from evaluation.tasks.verification import Verifying
from index.collection import Collection
from index.embedding.encoder import SentenceEncoder
from index.library import Library
from service import settings
from service.composition.generators import writers
from service.composition.library import open_library
from service.composition.service import assemble
from service.followups.rewriter import Rewriter

# Cases at work together share the runs of a network (index/batching), and bf16 rounds by what stands in a batch: with 4
# workers 2 of 16 rows differed in their last digits. One at a time gives equal bytes, and the network is one for all anyway.
_LOCAL_WORKERS = 1
_REMOTE_WORKERS = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `collection` names one that holds the documents already; `endpoint` a server whose collection does.

    `only` is a file of case ids, one a line: the others are left out before the sample is drawn. `retry_errors` runs
    the cases again that are errors in the folder.
    """

    dataset: Path
    format: Format | None = None
    split: str | None = None
    corpus: Path | None = None
    collection: str | None = None
    task: TaskName | None = None
    retriever: Retriever = "hybrid"
    only: Path | None = None
    sample: int | None = None
    seed: int = 0
    endpoint: str | None = None
    generator: str | None = None
    key: str | None = None
    workers: int | None = None
    retry_errors: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    sealed: str | None = None
    suite: str | None = None


class Watcher(Protocol):
    """Is told what goes on: `watch(stage, total)` begins a stage and gives the function to call with (done, total)."""

    def __call__(self, name: str, total: int | None = None) -> Callable[..., None]:
        """A stage begins, of `total` steps where that is known."""
        ...


def execute(plan: Plan, out: Path, index: Path, watcher: Watcher) -> Path:
    """Run the plan into the folder `out`; indexes of data sets are kept in `index`, by the hash of their documents.

    Raises DataInvalid, TaskUnfit and SuiteInvalid before any model runs.
    """
    watcher("Reading the data set")
    there = plan.collection is not None or plan.endpoint is not None
    dataset = load(
        plan.dataset, plan.format, split=plan.split, corpus=plan.corpus, collection=there and not plan.corpus
    )
    task_name = plan.task or default_task(dataset)
    check_fit(dataset, task_name, plan)
    cases = sampled(_kept(dataset, plan.only), plan.sample, plan.seed)
    with ExitStack() as opened:
        if plan.endpoint is not None:
            task, target = _remote(plan, dataset, task_name, opened)
        else:
            task, target = _local(plan, dataset, task_name, index, watcher, opened)
        ident = identity(dataset, task_name, plan.sample, plan.seed, target, plan.suite)
        if plan.only is not None:
            ident["only_sha256"] = hashlib.sha256(plan.only.read_bytes()).hexdigest()
        advance = watcher("Running the cases", len(cases))

        def progress(state: Progress) -> None:
            advance(state.done)

        workers = plan.workers or (_REMOTE_WORKERS if plan.endpoint else _LOCAL_WORKERS)
        again = plan.retry_errors
        return run(cases, task, out, ident, workers=workers, retry_errors=again, on_progress=progress)


def plan_of(entry: Entry, suite: Suite, *, retry_errors: bool = False) -> Plan:
    """The plan of one entry of a suite."""
    return Plan(
        dataset=entry.dataset,
        format=entry.format,
        split=entry.split,
        corpus=entry.corpus,
        task=entry.task,
        retriever=entry.retriever,
        only=entry.only,
        sample=entry.sample,
        seed=suite.seed,
        generator=entry.generator,
        retry_errors=retry_errors,
        settings=entry.settings,
        sealed=entry.sha256,
        suite=suite.sha256,
    )


def default_task(dataset: Dataset) -> TaskName:
    """What a data set is made for: claims are verified, judged queries retrieved, questions answered."""
    if all(case.supported is not None for case in dataset.cases):
        return "verify"
    if all(case.answerable is None and not case.answers for case in dataset.cases) and _relevant(dataset):
        return "retrieve"
    return "answer"


def check_fit(dataset: Dataset, task: TaskName, plan: Plan) -> None:
    """Raise TaskUnfit when the set lacks what the task needs, SuiteInvalid when it is not the data that was sealed."""
    if plan.sealed is not None and plan.sealed != dataset.sha256():
        raise SuiteInvalid(
            f"{plan.dataset}: the data's sha256 is {dataset.sha256()}, sealed was {plan.sealed}. "
            "Restore the data, or seal the suite again."
        )
    reasons: dict[TaskName, str | None] = {
        "verify": verification.unfit(dataset.cases),
        "read": reading.unfit(dataset.cases),
        "retrieve": None if _relevant(dataset) else "no case has a relevant document",
        "answer": "its cases are claims with evidence" if dataset.cases[0].supported is not None else None,
    }
    reason = reasons[task]
    if reason is not None:
        raise TaskUnfit(f"{dataset.name} cannot be used for the task {task!r}: {reason}. Choose another with --task.")
    if plan.endpoint is not None:
        _check_remote(dataset, task, plan)


def _check_remote(dataset: Dataset, task: TaskName, plan: Plan) -> None:
    """Raise TaskUnfit for what cannot be asked of a running Quoth, rather than measure something else in silence."""
    if task in {"read", "verify"}:
        raise TaskUnfit(f"The task {task!r} runs the model in this process. Leave --endpoint out.")
    if task == "retrieve" and plan.retriever != "hybrid":
        raise TaskUnfit(f"A running Quoth searches as it is set, not by {plan.retriever!r}. Leave --retriever out.")
    if task == "retrieve" and plan.generator:
        raise TaskUnfit(
            f"{plan.generator!r} rewrites follow-ups in this process only. Leave --generator or --endpoint out."
        )
    if task == "answer" and plan.generator and any(case.history for case in dataset.cases):
        raise TaskUnfit(
            f"{dataset.name} has follow-ups, which a running Quoth answers with the generator that it is set to. "
            "Set it there, and leave --generator out."
        )


def _remote(plan: Plan, dataset: Dataset, task: TaskName, opened: ExitStack) -> tuple[Task, Mapping[str, object]]:
    assert plan.endpoint is not None
    target = opened.enter_context(
        closing(Remote(plan.endpoint, plan.collection, generator=plan.generator, key=plan.key))
    )
    naming = _naming(dataset)
    if task == "retrieve":
        return Retrieving(retrievers.of_target(target, naming)), target.describe()
    return Answering(target, naming, dataset.sources, None), target.describe()


def _local(
    plan: Plan, dataset: Dataset, task: TaskName, index: Path, watcher: Watcher, opened: ExitStack
) -> tuple[Task, Mapping[str, object]]:
    home = {} if plan.collection else {"home": index}
    chosen = settings.load(**{**home, **plan.settings})
    if task == "retrieve" and plan.retriever != "reranked":
        return _encoder_only(plan, dataset, chosen, watcher, opened)
    watcher("Loading the models")
    service = assemble(chosen)
    opened.callback(service.library.close)
    collection = _collection(plan, dataset, service.library, watcher, filled=task in {"answer", "retrieve"})
    local = Local(service, collection.name, generator=plan.generator)
    if task == "read":
        return Reading(service.reader, dataset.sources), local.describe()
    if task == "verify":
        return Verifying(service.checker, dataset.sources), local.describe()
    if task == "retrieve":
        depth = service.settings.rerank_depth
        search = retrievers.of_collection(
            "reranked", collection, _naming(dataset), reranker=service.reader, depth=depth
        )
        return Retrieving(search, _rewriter(plan, chosen)), {**local.describe(), "retriever": plan.retriever}
    return Answering(local, _naming(dataset), dataset.sources, service.checker), local.describe()


def _encoder_only(
    plan: Plan, dataset: Dataset, chosen: settings.Settings, watcher: Watcher, opened: ExitStack
) -> tuple[Task, Mapping[str, object]]:
    """Retrieval without the reader needs no model but the encoder, so none is loaded."""
    library = open_library(chosen)
    opened.callback(library.close)
    if plan.retriever == "encoder":
        encoder = SentenceEncoder(chosen.encoder, cache=chosen.home / "cache")
        advance = watcher("Encoding the documents", len(dataset.sources))
        search = retrievers.of_encoder(encoder, dataset.sources, advance)
        return Retrieving(search), {"retriever": plan.retriever, "encoder": encoder.fingerprint}
    assert plan.retriever != "reranked"
    rewriter = _rewriter(plan, chosen)
    collection = _collection(plan, dataset, library, watcher, filled=True)
    search = retrievers.of_collection(plan.retriever, collection, _naming(dataset))
    described = {"retriever": plan.retriever, "encoder": collection.state().encoder}
    model = {"generator": plan.generator, "llm_model": chosen.llm_model} if plan.generator else {}
    return Retrieving(search, rewriter), {**described, **model}


def _rewriter(plan: Plan, chosen: settings.Settings) -> Rewriter | None:
    """The language model that rewrites follow-ups, if the plan names one. Raises TaskUnfit when that rewrites none."""
    if plan.generator is None:
        return None
    rewriter = writers(chosen).rewriters.get(plan.generator)
    if rewriter is None:
        raise TaskUnfit(
            f"No language model is set for the generator {plan.generator!r} to rewrite follow-ups with. Set llm_model (and "
            "llm_base_url for 'remote'), or leave --generator out."
        )
    return rewriter


def _collection(plan: Plan, dataset: Dataset, library: Library, watcher: Watcher, *, filled: bool) -> Collection:
    if plan.collection:
        collection = library.open(plan.collection)
    else:
        collection = library.open_or_create(f"set-{dataset.sha256()[:16]}")
        if filled:
            fill(collection, dataset, watcher("Indexing the documents"))
    if filled and dataset.format == "quoth":
        check_quotes(collection, dataset, _naming(dataset))
    return collection


def _kept(dataset: Dataset, only: Path | None) -> tuple[Case, ...]:
    if only is None:
        return dataset.cases
    known = {case.id for case in dataset.cases}
    wanted = set()
    for line, text in text_lines(only):
        if text.strip() not in known:
            raise DataInvalid(only, line, f"{dataset.name} has no case {text.strip()!r}", "Write one case id a line")
        wanted.add(text.strip())
    return tuple(case for case in dataset.cases if case.id in wanted)


def _naming(dataset: Dataset) -> Naming:
    named = {name for case in dataset.cases for name in _documents(case)}
    return Naming({*dataset.sources, *named})


def _documents(case: Case) -> set[str]:
    return {*case.relevant, *case.given, *(evidence.document for evidence in case.evidence)}


def _relevant(dataset: Dataset) -> bool:
    return any(grade > 0 for case in dataset.cases for grade in case.relevant.values())
