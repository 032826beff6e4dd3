"""`python -m training.card`: write models/*/CARD.md from the results of the runs and the templates in cards/."""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from models import folder
from training import claims

Facts = dict[str, Any]

READER_SOURCES = [
    ("SQuAD 2 (4 of 8 articles)", "CC BY-SA 4.0", "answers, human-written unanswerable questions"),
    (
        "SQuAD 1 with generated near-miss passages (DuTest)",
        "CC BY-SA 4.0",
        "answers, near misses, rule-made unanswerables",
    ),
    ("CLAPNQ (half)", "Apache-2.0", "sentences, human-written unanswerable questions"),
    ("Natural Questions oracle, QED", "CC BY-SA 3.0", "answers and sentences, near misses"),
    ("SQuADShifts, Amazon reviews (0.8 of the articles)", "CC BY 4.0", "answers, near misses of the same product"),
    ("COVID-QA (0.6 of the articles)", "Apache-2.0", "answers in windows, other windows as near misses"),
    ("PolicyQA (dev file)", "MIT", "answers, near misses of the same site"),
    ("PubMedQA (half)", "MIT", "relevance"),
    ("SciFact (half of the training claims)", "CC BY 4.0, ODC-BY", "relevance, BM25 near misses"),
    ("QAMR", "MIT", "answers in single sentences"),
    ("FairytaleQA", "Apache-2.0", "answers, relevance"),
    ("SelQA", "Apache-2.0", "sentences, relevance"),
    ("TAT-QA (text)", "CC BY 4.0", "answers"),
    ("BoolQ", "CC BY-SA 3.0", "relevance"),
    ("MedQuAD", "CC BY 4.0", "relevance"),
    ("FoolMeTwice", "Apache-2.0", "relevance"),
    ("BioASQ 12b", "CC BY 2.5", "relevance"),
    ("SQuAD 2's training questions (part)", "CC BY-SA 4.0", "answers, human-written unanswerable questions"),
    ("NoMIRACL", "Apache-2.0", "human-judged irrelevant passages"),
    ("OneStopQA", "CC BY-SA 4.0", "sentences, passages without the answer"),
    ("CondaQA", "Apache-2.0", "negation, yes or no"),
    ("TimeQA", "BSD-3-Clause", "answers at a time, near misses"),
    ("BioASQ 6b to 9b", "CC BY 2.5", "sentences, relevance"),
    ("Molweni", "Apache-2.0", "answers in chat"),
    ("cpgQA, SleepQA", "MIT", "answers"),
    ("HotpotQA, MuSiQue, 2WikiMultihopQA (samples)", "CC BY-SA 4.0, CC BY 4.0, Apache-2.0", "answers, distractors"),
    ("ConditionalQA", "BSD-2-Clause, OGL", "relevance"),
]
SUPPORT_SOURCES = [
    ("FEVER dev, FEVER symmetric", "CC BY-SA 3.0"),
    ("MNLI dev and sample", "OANC and open"),
    ("counterfactual NLI", "CC BY-SA 4.0"),
    ("ConjNLI, Evidence Inference, curriculum (synthetic reasoning), monotonicity", "MIT"),
    ("BoolQ with answers", "CC BY-SA 3.0"),
    ("EntailmentBank, FoolMeTwice, FactCheckGPT (half)", "Apache-2.0"),
    ("Q2 on Wizard of Wikipedia, BEGIN (0.4)", "CC BY 4.0"),
    ("WiCE (0.4 of the claims; token-level set)", "ODC-BY annotations"),
    ("SciFact evidence (half)", "CC BY 4.0, ODC-BY"),
    ("pairs made by rule from SQuAD 1's passages and SQuAD's questions", "CC BY-SA 4.0"),
    ("ExpertQA (0.8)", "MIT"),
    ("Breaking NLI (2,500 pairs)", "CC BY-SA 4.0"),
]
NOTE = (
    "One question changes a value by .008 here. CLAPNQ's threshold is chosen on the development half, for each engine."
)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def value_cell(facts: Facts) -> str:
    """A table cell: a value with its interval and number of cases."""
    low, high = facts["interval"]
    return f"{facts['value']:.3f} ({low:.3f} to {high:.3f}, n {facts['n']})"


def largest_results(run: Path, pattern: str) -> Facts:
    """The results file that matches the pattern, the one with the largest number of questions."""
    paths = sorted(run.glob(pattern), key=lambda path: int(path.stem.rsplit("_", 1)[1]))
    if not paths:
        raise FileNotFoundError(f"{run}: no {pattern}. Run: python -m training.evaluate --data PATH")
    facts: Facts = json.loads(paths[-1].read_text(encoding="utf-8"))
    return facts


def _template(name: str) -> str:
    return (Path(__file__).parent / "cards" / f"{name}.md").read_text(encoding="utf-8")


def reader_results(facts: Facts) -> list[tuple[str, str]]:
    """Rows of the reader's table."""
    rows = [
        (f"best-ranked sentence holds the answer, {name}", value_cell(f)) for name, f in facts["best_sentence"].items()
    ]
    for name, by in facts["answerability"].items():
        rows += [(f"answerability AUROC by {signal}, {name}", value_cell(f)) for signal, f in by.items()]
    chosen = facts["clapnq_sentences"]
    rows += [(f"CLAPNQ sentence {side}", value_cell(chosen[side])) for side in ("precision", "recall")]
    return rows


def _engine_rows(fast: Facts, exact: Facts) -> list[tuple[str, str, str]]:
    fast_rows, exact_rows = dict(reader_results(fast)), dict(reader_results(exact))
    return [
        (name, fast_rows[name].split(" ", maxsplit=1)[0], exact_rows[name].split(" ", maxsplit=1)[0])
        for name in fast_rows
    ]


def _scifact(run: Path) -> str:
    """The reader as reranker on SciFact's claims, if that was measured."""
    if not list(run.glob("scifact_openvino_*.json")):
        return "SciFact was not measured with these weights."
    facts = largest_results(run, "scifact_openvino_*.json")
    rows = [(name.replace("_", ", "), value_cell(f)) for name, f in facts.items() if isinstance(f, dict)]
    found = table(["SciFact, held-back training claims, nDCG@10", "value (95 % interval)"], rows)
    how = (
        "SciFact: hybrid search (dense and BM25, reciprocal rank), the reader over its best {depth}, and the reader's\n"
        "logit plus {search_weight} times the search score (weight chosen on the development claims)."
    )
    return f"{found}\n\n{how.format(**facts)}"


def _structure(run: Path) -> str:
    """The reader on documents with structure, if that was measured."""
    if not list(run.glob("structure_openvino_*.json")):
        return "Documents with structure were not measured with these weights."
    facts = largest_results(run, "structure_openvino_*.json")
    rows = [("best-ranked unit holds the answer", value_cell(facts["best_unit"]))]
    rows += [(f"answerability AUROC by {signal}", value_cell(f)) for signal, f in facts["answerability"].items()]
    rows += [(f"best-ranked unit, {form}", value_cell(f)) for form, f in facts["best_unit_by_form"].items()]
    return table(["documents with structure, of words held back", "value (95 % interval)"], rows)


def reader_card(runs: Path) -> str:
    """The reader's card."""
    results = largest_results(runs / "evaluation", "reader_openvino_*.json")
    text = _template("reader").format(
        model=results["model"],
        sources=table(["source", "licence", "used for"], READER_SOURCES),
        results=table(["test half", "value (95 % interval)"], reader_results(results)),
        structure=_structure(runs / "evaluation"),
        scifact=_scifact(runs / "evaluation"),
    )
    pairs = {p.stem.rsplit("_", 1)[1] for p in (runs / "evaluation").glob("reader_torch_*.json")}
    for most in sorted(pairs, key=int)[-1:]:
        fast = json.loads((runs / "evaluation" / f"reader_openvino_{most}.json").read_text(encoding="utf-8"))
        exact = json.loads((runs / "evaluation" / f"reader_torch_{most}.json").read_text(encoding="utf-8"))
        rows = table(["measure", "OpenVINO bf16", "torch fp32"], _engine_rows(fast, exact))
        text += f"\n## Fast path against fp32 (at most {most} questions of a set)\n\n{rows}\n\n{NOTE}\n"
    return text


def _altered_kinds(kinds: Facts) -> str:
    """A row for each kind of changed fact, and one for literal copies."""
    rows = [
        (
            kind,
            value_cell(f["right"]),
            f.get("auroc", ""),
            value_cell(f["right_with_rules"]),
            f.get("auroc_with_rules", ""),
        )
        for kind, f in kinds.items()
    ]
    return table(["what was changed", "decided right (95 % interval)", "AUROC", "with the rules", "AUROC"], rows)


def support_card(runs: Path) -> str:
    """The support checker's card."""
    results = largest_results(runs / "evaluation", "support_openvino_*.json")
    rows = [
        (
            name,
            value_cell(f["balanced_accuracy"]),
            f["auroc"],
            value_cell(f["balanced_accuracy_with_rules"]),
            f["auroc_with_rules"],
        )
        for name, f in results.items()
        if isinstance(f, dict)
    ]
    head = ["test part", "balanced accuracy at P = .5 (95 % interval)", "AUROC", "the same with the rules", "AUROC"]
    text = _template("support").format(
        model=results["model"],
        sources=table(["source", "licence"], SUPPORT_SOURCES),
        caps=", ".join(f"{name} {cap}" for name, cap in claims.CAPS.items()),
        results=table(head, rows),
        kinds=_altered_kinds(results["altered"]["kinds"]),
    )
    exact = sorted((runs / "evaluation").glob("support_torch_*.json"))
    for path in exact[-1:]:
        most = path.stem.rsplit("_", 1)[1]
        one = json.loads((runs / "evaluation" / f"support_openvino_{most}.json").read_text(encoding="utf-8"))
        other = json.loads(path.read_text(encoding="utf-8"))
        both = [
            (
                name,
                one[name]["balanced_accuracy"]["value"],
                f["balanced_accuracy"]["value"],
                one[name]["auroc"],
                f["auroc"],
            )
            for name, f in other.items()
            if isinstance(f, dict)
        ]
        head = ["part", "balanced accuracy, OpenVINO bf16", "torch fp32", "AUROC, OpenVINO bf16", "torch fp32"]
        text += f"\n## Fast path against fp32 (at most {most} pairs of a set)\n\n{table(head, both)}\n"
    return text


def calibration_card(runs: Path) -> str:
    """The calibration's card."""
    facts = json.loads((runs / "calibration" / "report.json").read_text(encoding="utf-8"))
    test, dev = facts["test"], facts["fitted_on"]
    names = ("questions", "auroc", "calibration_error", "brier")
    return _template("calibration").format(
        weights=table(["signal", "weight (standardised)"], facts["weights"].items()),
        totals=table(["measure", "fitted on", "test"], [(n.replace("_", " "), dev[n], test[n]) for n in names]),
        by_source=table(["source (test)", "AUROC"], test["auroc_by_source"].items()),
        by_signal=table(["signal alone (test)", "AUROC"], test["auroc_by_signal"].items()),
        trade=table(
            ["target precision", "threshold", "precision", "best sentence right", "answerable questions answered"],
            [(target, *values) for target, values in test["trade"].items()],
        ),
    )


CARDS = {"reader": reader_card, "support": support_card, "calibration": calibration_card}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("training/runs"), help="folder of the runs")
    parser.add_argument("--only", choices=tuple(CARDS), action="append", help="default: all three")
    parser.add_argument("--models", type=Path, default=folder("reader").parent, help="folder of the models' folders")
    options = parser.parse_args(arguments)
    for name in options.only or CARDS:
        card = options.models / name / "CARD.md"
        card.parent.mkdir(parents=True, exist_ok=True)
        card.write_text(CARDS[name](options.runs), encoding="utf-8")


if __name__ == "__main__":
    main()
