"""Carry out the plan of a run: load and check the data, prepare what is measured, run the cases."""

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
from evaluation.document_matching import DocumentMatcher
from evaluation.errors import DataInvalid, SuiteInvalid, TaskUnfit
from evaluation.manifest import FILE, identity, note
from evaluation.retrievers import Retriever
from evaluation.runs import RunProgress, run, sample_cases
from evaluation.sealing import SUFFIX, SealedCases, unseal
from evaluation.suite import SuiteEntry
from evaluation.targets import LocalTarget, RemoteTarget, describe_collection
from evaluation.tasks import reading, verification
from evaluation.tasks.answering import AnsweringTask
from evaluation.tasks.reading import ReadingTask
from evaluation.tasks.retrieval import RetrievalTask
from evaluation.tasks.task import Task, TaskName
from evaluation.tasks.verification import VerificationTask
from index.collection import Collection
from index.embedding.encoder import SentenceEncoder
from index.library import Library
from service import settings
from service.composition.generators import make_generators
from service.composition.library import open_library
from service.composition.service import assemble
from service.followups.rewriter import Rewriter

# Cases that run together share the batches of a network (index/inference/batching), and bf16 rounding depends on the batch:
# with 4 workers 2 of 16 rows differed in their last digits. One at a time gives equal bytes, and all share one network anyway.
_LOCAL_WORKERS = 1
_REMOTE_WORKERS = 4


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to run.

    `collection` names one that already holds the documents; `endpoint` is a server whose collection does.

    `only` is a file of case ids, one per line: other cases are left out before the sample is drawn. `retry_errors` runs
    the cases again whose rows in the folder are errors. `passphrase` opens a sealed file of cases, and `opened` stores their
    words, which counts as opening them. Whatever a plan names is honoured or refused (`check_fit`).
    """

    dataset: Path
    format: Format | None = None
    split: str | None = None
    corpus: Path | None = None
    collection: str | None = None
    task: TaskName | None = None
    retriever: Retriever | None = None
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
    passphrase: str | None = None
    opened: bool = False
    suite: str | None = None

    @property
    def is_indexed(self) -> bool:
        """Whether the documents are in a collection already, here or on a server, so that the run indexes nothing."""
        return self.collection is not None or self.endpoint is not None


class Watcher(Protocol):
    """Shows progress: `watch(stage, total)` begins a stage and returns the function to call with (done, total)."""

    def __call__(self, name: str, total: int | None = None) -> Callable[..., None]:
        """Begin a stage of `total` steps, if that is known."""
        ...


def execute(plan: RunPlan, out: Path, index: Path, watcher: Watcher) -> Path:
    """Run the plan and write the run into `out`; indexes of data sets are kept in `index`, by the hash of the data.

    Raises DataInvalid, TaskUnfit and SuiteInvalid before any model runs.
    """
    watcher("Reading the data set")
    is_indexed = plan.is_indexed
    sealed = _unsealed(plan)
    dataset = load(
        plan.dataset,
        plan.format,
        split=plan.split,
        corpus=plan.corpus,
        collection=is_indexed and not plan.corpus,
        unsealed=None if sealed is None else sealed.text,
    )
    task_name = plan.task or default_task(dataset)
    check_fit(dataset, task_name, plan)
    cases = sample_cases(selected_cases(dataset, plan.only), plan.sample, plan.seed)
    with ExitStack() as opened:
        if plan.endpoint is not None:
            task, target = _remote_task(plan, dataset, task_name, opened)
        else:
            task, target = _local_task(plan, dataset, task_name, index, watcher, opened)
        ident = identity(dataset, task_name, plan.sample, plan.seed, target, plan.suite)
        if plan.only is not None:
            ident["only_sha256"] = hashlib.sha256(plan.only.read_bytes()).hexdigest()
        if sealed is not None:
            ident["opened"] = plan.opened
            if not (out / FILE).exists():
                sealed.record(out.name, opened=plan.opened)
        advance = watcher("Running the cases", len(cases))

        def progress(state: RunProgress) -> None:
            advance(state.done)

        workers = plan.workers or (_REMOTE_WORKERS if plan.endpoint else _LOCAL_WORKERS)
        blind = sealed is not None and not plan.opened
        run(
            cases,
            task,
            out,
            ident,
            workers=workers,
            retry_errors=plan.retry_errors,
            blind=blind,
            on_progress=progress,
        )
    if sealed is not None:
        looks = sealed.looks()
        note(out, {"sealed": {"runs": len(looks), "opened_at": [look.at for look in looks if look.opened]}})
    return out


def _unsealed(plan: RunPlan) -> SealedCases | None:
    """The cases of a sealed file; None for another data set. Raises TaskUnfit for options that need a sealed file."""
    if plan.dataset.suffix == SUFFIX:
        return unseal(plan.dataset, plan.passphrase or "")
    if plan.opened:
        raise TaskUnfit(f"--open is for sealed cases, and {plan.dataset} is open. Leave it out.")
    return None


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says for a run, or for every run of a suite; it stands above what the suite's file says."""

    collection: str | None = None
    sample: int | None = None
    seed: int | None = None
    endpoint: str | None = None
    key: str | None = None
    generator: str | None = None
    workers: int | None = None
    retry_errors: bool = False
    passphrase: str | None = None
    opened: bool = False


def plan_entry(
    entry: SuiteEntry, overrides: Overrides = Overrides(), *, seed: int = 0, suite: str | None = None
) -> RunPlan:
    """The plan of one entry of a suite, with the suite's seed and hash; or of an entry that stands alone."""
    return RunPlan(
        dataset=entry.dataset,
        format=entry.format,
        split=entry.split,
        corpus=entry.corpus,
        task=entry.task,
        retriever=entry.retriever,
        only=entry.only,
        collection=overrides.collection or entry.collection,
        sample=overrides.sample or entry.sample,
        seed=seed if overrides.seed is None else overrides.seed,
        endpoint=overrides.endpoint or entry.endpoint,
        key=overrides.key,
        generator=overrides.generator or entry.generator,
        workers=overrides.workers or entry.workers,
        retry_errors=overrides.retry_errors,
        settings=entry.settings,
        sealed=entry.sha256,
        passphrase=overrides.passphrase,
        opened=overrides.opened,
        suite=suite,
    )


def default_task(dataset: Dataset) -> TaskName:
    """The task that a data set is made for: claims are verified, judged queries retrieved, questions answered."""
    if all(case.supported is not None for case in dataset.cases):
        return "verify"
    if all(case.answerable is None and not case.answers for case in dataset.cases) and _has_relevant(dataset):
        return "retrieve"
    return "answer"


def check_fit(dataset: Dataset, task: TaskName, plan: RunPlan) -> None:
    """Raise TaskUnfit if the set lacks what the task needs, SuiteInvalid if it is not the data that was sealed."""
    if plan.sealed is not None and plan.sealed != dataset.sha256():
        raise SuiteInvalid(
            f"{plan.dataset}: the data's sha256 is {dataset.sha256()}, sealed was {plan.sealed}. "
            "Restore the data, or seal the suite again."
        )
    reasons: dict[TaskName, str | None] = {
        "verify": verification.unfit(dataset.cases),
        "read": reading.unfit(dataset.cases),
        "retrieve": None if _has_relevant(dataset) else "no case has a relevant document",
        "answer": "its cases are claims with evidence" if dataset.cases[0].supported is not None else None,
    }
    reason = reasons[task]
    if reason is not None:
        raise TaskUnfit(f"{dataset.name} cannot be used for the task {task!r}: {reason}. Choose another with --task.")
    _check_options(dataset, task, plan)
    if plan.endpoint is not None:
        _check_endpoint(dataset, task, plan)


def _check_options(dataset: Dataset, task: TaskName, plan: RunPlan) -> None:
    """Raise TaskUnfit for an option that would change nothing."""
    unused = {
        "--retriever": plan.retriever is not None and task != "retrieve",
        "--generator": plan.generator is not None and (task in {"read", "verify"} or plan.retriever == "encoder"),
        "--collection": plan.collection is not None and (task in {"read", "verify"} or plan.retriever == "encoder"),
        "--corpus": plan.corpus is not None and dataset.format != "quoth",
        "--split": plan.split is not None and dataset.format != "beir",
    }
    for option, is_unused in unused.items():
        if is_unused:
            raise TaskUnfit(
                f"{option} changes nothing for the task {task!r} on data of the format {dataset.format!r}. Leave it out."
            )


def _check_endpoint(dataset: Dataset, task: TaskName, plan: RunPlan) -> None:
    """Raise TaskUnfit for what a running Quoth cannot be asked, instead of silently measuring something else."""
    if task in {"read", "verify"}:
        raise TaskUnfit(f"The task {task!r} runs the model in this process. Leave --endpoint out.")
    if plan.settings:
        raise TaskUnfit(
            f"A running Quoth answers with its own settings, not with {', '.join(plan.settings)}. Set them there, and leave "
            "them out here."
        )
    if task == "retrieve" and plan.retriever not in {None, "hybrid"}:
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


def _remote_task(
    plan: RunPlan, dataset: Dataset, task: TaskName, opened: ExitStack
) -> tuple[Task, Mapping[str, object]]:
    assert plan.endpoint is not None
    target = opened.enter_context(
        closing(RemoteTarget(plan.endpoint, plan.collection, generator=plan.generator, key=plan.key))
    )
    matcher = matcher_of(dataset)
    if task == "retrieve":
        return RetrievalTask(retrievers.target_search(target, matcher)), target.describe()
    return AnsweringTask(target, matcher, dataset.sources, None), target.describe()


def _local_task(
    plan: RunPlan, dataset: Dataset, task: TaskName, index: Path, watcher: Watcher, opened: ExitStack
) -> tuple[Task, Mapping[str, object]]:
    home = {} if plan.collection else {"home": index}
    chosen = settings.load(**{**home, **plan.settings})
    if task == "retrieve" and plan.retriever != "reranked":
        return _search_task(plan, dataset, chosen, watcher, opened)
    watcher("Loading the models")
    service = assemble(chosen)
    opened.callback(service.library.close)
    collection = _collection(plan, dataset, service.library, watcher, filled=task in {"answer", "retrieve"})
    local = LocalTarget(service, collection.name, generator=plan.generator)
    if task == "read":
        return ReadingTask(service.reader, dataset.sources), local.describe()
    if task == "verify":
        return VerificationTask(service.checker, dataset.sources), local.describe()
    not_extracted = _not_extracted(collection, dataset)
    if task == "retrieve":
        depth = service.settings.rerank_depth
        search = retrievers.collection_search(
            "reranked", collection, matcher_of(dataset), reranker=service.reader, depth=depth
        )
        described = {**local.describe(), **not_extracted, "retriever": plan.retriever}
        return RetrievalTask(search, _rewriter(plan, chosen)), described
    answering = AnsweringTask(local, matcher_of(dataset), dataset.sources, service.checker)
    return answering, {**local.describe(), **not_extracted}


def _search_task(
    plan: RunPlan, dataset: Dataset, chosen: settings.Settings, watcher: Watcher, opened: ExitStack
) -> tuple[Task, Mapping[str, object]]:
    """Retrieval without the reader, which loads no model but the encoder."""
    library = open_library(chosen)
    opened.callback(library.close)
    if plan.retriever == "encoder":
        encoder = SentenceEncoder(chosen.encoder, cache=chosen.cache)
        advance = watcher("Encoding the documents", len(dataset.sources))
        search = retrievers.encoder_search(encoder, dataset.sources, advance)
        return RetrievalTask(search), {"retriever": plan.retriever, "encoder": encoder.fingerprint}
    retriever = plan.retriever or "hybrid"
    assert retriever not in {"reranked", "encoder"}
    rewriter = _rewriter(plan, chosen)
    collection = _collection(plan, dataset, library, watcher, filled=True)
    search = retrievers.collection_search(retriever, collection, matcher_of(dataset))
    described = {"retriever": retriever, **describe_collection(collection), **_not_extracted(collection, dataset)}
    model = {"generator": plan.generator, "llm_model": chosen.llm_model} if plan.generator else {}
    return RetrievalTask(search, rewriter), {**described, **model, "settings": dict(plan.settings)}


def _rewriter(plan: RunPlan, chosen: settings.Settings) -> Rewriter | None:
    """The rewriter of follow-ups, if the plan names a generator. Raises TaskUnfit if no language model is set for it."""
    if plan.generator is None:
        return None
    rewriter = make_generators(chosen).rewriters.get(plan.generator)
    if rewriter is None:
        raise TaskUnfit(
            f"No language model is set for the generator {plan.generator!r} to rewrite follow-ups with. Set llm_model (and "
            "llm_base_url for 'remote'), or leave --generator out."
        )
    return rewriter


def _collection(plan: RunPlan, dataset: Dataset, library: Library, watcher: Watcher, *, filled: bool) -> Collection:
    if plan.collection:
        collection = library.open(plan.collection)
    else:
        collection = library.open_or_create(f"set-{dataset.sha256()[:16]}")
        if filled:
            fill(collection, dataset, watcher("Indexing the documents"))
    return collection


def _not_extracted(collection: Collection, dataset: Dataset) -> Mapping[str, object]:
    """The cases of a case file whose gold quote was not extracted, for the manifest; other formats give the text itself."""
    missing = check_quotes(collection, dataset, matcher_of(dataset)) if dataset.format == "quoth" else []
    return {"cases_not_extracted": missing} if missing else {}


def selected_cases(dataset: Dataset, only: Path | None) -> tuple[Case, ...]:
    """The cases whose ids are in the file `only`, in the order of the data set; all without one. Raises DataInvalid."""
    if only is None:
        return dataset.cases
    known = {case.id for case in dataset.cases}
    selected = set()
    for line, text in text_lines(only):
        if text.strip() not in known:
            raise DataInvalid(only, line, f"{dataset.name} has no case {text.strip()!r}", "Write one case id per line")
        selected.add(text.strip())
    return tuple(case for case in dataset.cases if case.id in selected)


def matcher_of(dataset: Dataset) -> DocumentMatcher:
    """What matches found documents to the names in the data set."""
    names = {name for case in dataset.cases for name in _named_documents(case)}
    return DocumentMatcher({*dataset.sources, *names})


def _named_documents(case: Case) -> set[str]:
    return {*case.relevant, *case.given, *(evidence.document for evidence in case.evidence)}


def _has_relevant(dataset: Dataset) -> bool:
    return any(grade > 0 for case in dataset.cases for grade in case.relevant.values())
