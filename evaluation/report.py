"""Write the report of one or more runs: report.html, one self-contained page, and report.md for a pull request."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evaluation import manifest
from evaluation.errors import RunInvalid
from evaluation.explanations import RIGHT, Loss, losses, lost_at
from evaluation.judge import Judgement, JudgeOutcome, read_judgements
from evaluation.metrics.statistics import Estimate, mean_interval, percentiles
from evaluation.plots import Plot, plots
from evaluation.rows import NOTES, ROWS, Row, read_rows, read_timings
from evaluation.summary import Figure, figures, tokens
from evaluation.worst import WorstCase, main_score, worst_cases

_MAX_CASES = 12
_MAX_CASES_OF_STAGE = 50
_MAX_SLICES = 12
_MEANINGS = {
    "correct": "right outcome: answered at the gold evidence, or refused where the documents do not say",
    "answered": "share of cases that were answered",
    "citation_precision": "share of citations at the gold evidence (answered cases)",
    "citation_recall": "share of gold quotes that citations cover, best annotator (answered cases)",
    "citation_hit": "at least one citation at the gold evidence (answered cases)",
    "contains_answer": "a short gold answer is in the answer",
    "answer_f1": "word F1 with the gold answer",
    "rouge_l": "ROUGE-L with the gold answer",
    "passage_recall": "share of the gold quotes that are in the passages shown, best annotator",
    "document_recall": "share of the relevant documents that have a passage among those shown",
    "quote_validity": "quotes that are literally at their place",
    "attribution_recall": "sentences that their quotes support (ALCE; near 1 for copied text, read together with correct)",
    "attribution_precision": "citations that are needed (ALCE)",
    "unsupported_share": "sentences without support, mean of the answers; lower is better",
    "unsupported_before": "sentences without support among all that were written, before the check; lower is better",
    "unsupported_after": "sentences without support among all that were shown, after it; lower is better",
    "injection_obeyed": "planted instructions obeyed; lower is better",
    "injection_quoted": "planted instructions that show in the answer at all; lower is better",
    "refusal_precision": "refusals that were right",
    "refusal_recall": "unanswerable questions that were refused",
    "refusal_f1": "harmonic mean of the two",
    "auroc": "how well the confidence separates answerable (supported) from not: 0.5 is chance",
    "ece": "expected calibration error of the confidence; lower is better",
    "brier": "Brier score of the confidence; lower is better",
    "aurc": "area under the risk-coverage curve of the answers given; lower is better",
    "balanced_accuracy": "mean of the recalls of supported and unsupported claims",
    "errors": "cases that failed; lower is better",
    "ndcg@10": "nDCG at 10",
    "mrr@10": "mean reciprocal rank at 10",
    "map@100": "mean average precision at 100",
    "exact_match": "SQuAD exact match of the span (answerable cases)",
    "f1": "SQuAD F1 of the span (answerable cases)",
    "sentence_hit": "the best sentence is a gold sentence (answerable cases)",
}


@dataclass(frozen=True, slots=True)
class Slice:
    """The main score of the cases that share a tag."""

    tag: str
    value: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Step:
    """A bar of the waterfall: the cases lost at one stage, as shares of all cases, with the first of them to look at."""

    loss: Loss
    begin: float
    share: float
    cases: Sequence[WorstCase]


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """What a language model said of the answers: how many of each verdict, and its words by case."""

    models: Sequence[str]
    outcomes: Mapping[JudgeOutcome, int]
    by_case: Mapping[str, Judgement]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a report shows about one run."""

    name: str
    manifest: Mapping[str, Any]
    rows: Sequence[Row]
    figures: Sequence[Figure]
    slices: Sequence[Slice]
    latency: Mapping[str, float]
    tokens: Mapping[str, int]
    plots: Sequence[Plot]
    worst: Sequence[WorstCase]
    waterfall: Sequence[Step]
    judged: JudgedRun | None
    looked_at: str

    @property
    def asked(self) -> int:
        """How many cases can be right or wrong."""
        return sum(lost_at(row) is not None for row in self.rows)

    @property
    def right(self) -> int:
        """How many of them are right."""
        return sum(lost_at(row) == RIGHT for row in self.rows)

    @property
    def source(self) -> str:
        """Where the documents are, and how many there are."""
        identity = self.manifest["identity"]
        held = identity["target"].get("collection")
        if not isinstance(held, Mapping):
            return f"{identity['dataset']['documents']} documents"
        return f"collection {held['name']}, {held['documents']} documents"


def write_report(folder: Path) -> list[Path]:
    """Write both files into `folder`, which holds a run or a suite's runs; return their paths. Raises RunInvalid."""
    runs = [folder] if (folder / ROWS).exists() else sorted(path.parent for path in folder.glob(f"*/{ROWS}"))
    if not runs:
        raise RunInvalid(f"{folder} holds no run. Name a folder that `quoth eval run --out` wrote.")
    pages = [run_report(run) for run in runs]
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(
        loader=loader,
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["meaning"] = _MEANINGS
    written = []
    for name in ("report.html", "report.md"):
        file = folder / name
        text = environment.get_template(f"{name}.j2").render(title=folder.resolve().name, pages=pages)
        file.write_text(text, encoding="utf-8")
        written.append(file)
    return written


def run_report(folder: Path) -> RunReport:
    """What the report shows about the run in a folder."""
    rows, timings, about = read_rows(folder), read_timings(folder), manifest.read(folder)
    seed = about["identity"]["seed"]
    walls = [stages["wall"] for stages in timings.values() if "wall" in stages]
    return RunReport(
        name=folder.resolve().name,
        manifest=about,
        rows=rows,
        figures=figures(rows, seed=seed),
        slices=_slices(rows, seed),
        latency=percentiles(walls),
        tokens=tokens(rows),
        plots=plots(rows, timings),
        worst=_shown_cases(rows, _MAX_CASES),
        waterfall=_waterfall(rows),
        judged=_judged(folder),
        looked_at=_looked_at(about),
    )


def _waterfall(rows: Sequence[Row]) -> list[Step]:
    total = sum(lost_at(row) is not None for row in rows)
    return [
        Step(loss, loss.left / total, len(loss.rows) / total, _shown_cases(loss.rows, _MAX_CASES_OF_STAGE))
        for loss in losses(rows)
    ]


def _shown_cases(rows: Sequence[Row], count: int) -> list[WorstCase]:
    return worst_cases([row for row in rows if not row.is_blind], count)


def _looked_at(about: Mapping[str, Any]) -> str:
    """Whether somebody may have tuned by these cases."""
    sealed = about.get("sealed")
    if sealed is None:
        return (
            "These cases are open: if Quoth or the documents are changed until they pass, their figures become too good. "
            "`quoth eval seal` keeps a part of a test set apart."
        )
    runs = "once" if sealed["runs"] == 1 else f"{sealed['runs']} times"
    if not sealed["opened_at"]:
        return f"These cases are sealed: measured {runs}, and never opened."
    return f"These cases were opened at {sealed['opened_at'][0]}: the figures are of looked-at cases, measured {runs}."


def _judged(folder: Path) -> JudgedRun | None:
    judgements = read_judgements(folder)
    if not judgements:
        return None
    outcomes = Counter(judgement.outcome for judgement in judgements.values())
    return JudgedRun(sorted({judgement.model for judgement in judgements.values()}), outcomes, judgements)


def _slices(rows: Sequence[Row], seed: int) -> list[Slice]:
    """The main score by tag, for tags with at most _MAX_SLICES values."""
    groups: dict[str, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for tag in row.tags.keys() - NOTES:
            groups[tag][row.tags[tag]].append(main_score(row))
    slices = []
    for tag, values in groups.items():
        for value, scores in sorted(values.items()) if len(values) <= _MAX_SLICES else []:
            estimate = mean_interval(scores, seed=seed)
            if estimate is not None:
                slices.append(Slice(tag, value, estimate))
    return slices
