"""`python -m training.held_out --data PATH --out DIR`: list the cases of the test splits, for `quoth eval run --only`.

The shipped models are trained on parts of the public sets, so a figure over all cases of a set would be too high. For every
set this writes DIR/NAME.txt with the ids (as the adapters of evaluation/ give them) of the cases in the test split of
`sources` and `claims`. Cases are matched by their text, so that the split is decided in one place only.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from evaluation.datasets.loading import load
from training import claims, sources
from training.sources import Group

Key = tuple[str, str]

_SETS: Mapping[str, tuple[str, Callable[[Path], Iterable[Key]]]] = {
    "clapnq": ("clapnq", lambda data: _keys(sources.clapnq(data, "test"))),
    "squad2": ("squad2/squad2.json", lambda data: _keys(group for _, group in sources.squad2(data, "test"))),
    "amazon_reviews": (
        "squadshifts/amazon_reviews.json",
        lambda data: _keys(group for _, group in sources.squadshifts(data, "amazon_reviews", "test")),
    ),
    "policyqa": ("policyqa/test.json", lambda data: _keys(group for _, group in sources.policyqa(data, "test"))),
    "covid_qa": (
        "covid_qa/covid_qa.json",
        lambda data: _keys(group for _, group, _ in sources.covid_qa(data, "test")),
    ),
    "begin": (
        "begin/wow_test.tsv",
        lambda data: (
            (_collapse_spaces(pair.claim), _collapse_spaces(pair.premise)) for pair in claims.begin(data, "test")
        ),
    ),
    "wice": (
        "wice/claim_dev.jsonl",
        lambda data: ((_collapse_spaces(pair.claim), "") for pair in claims.wice(data, "test")),
    ),
    "scifact": (
        "scifact",
        lambda data: ((_collapse_spaces(claim), "") for claim, _ in sources.scifact_claims(data, "test").values()),
    ),
}


def held_out_ids(data: Path, name: str) -> list[str]:
    """The ids of the cases of a set that no model was trained on, in the order of the set."""
    path, keys = _SETS[name]
    passages: dict[str, set[str]] = {}
    for question, passage in keys(data):
        passages.setdefault(question, set()).add(passage)
    dataset = load(data / path)
    ids = []
    for case in dataset.cases:
        text = _collapse_spaces(" ".join(dataset.sources[given].text for given in case.given))
        if any(passage in text for passage in passages.get(_collapse_spaces(case.question), ())):
            ids.append(case.id)
    return ids


def _keys(groups: Iterable[Group]) -> Iterable[Key]:
    """Question and passage of each group. WiCE and SciFact are matched by claim alone: evaluation shows other evidence."""
    return ((_collapse_spaces(group[0].question), _collapse_spaces(group[0].passage)) for group in groups)


def _collapse_spaces(text: str) -> str:
    return " ".join(text.split())


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the lists and print the length of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for the lists")
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, (path, _) in _SETS.items():
        if not (Path(options.data) / path).exists():
            sys.stdout.write(f"{name}: skipped, {Path(options.data) / path} is not there\n")
            continue
        ids = held_out_ids(Path(options.data), name)
        (options.out / f"{name}.txt").write_text("".join(f"{id}\n" for id in ids), encoding="utf-8")
        sys.stdout.write(f"{name}: {len(ids)}\n")


if __name__ == "__main__":
    main()
