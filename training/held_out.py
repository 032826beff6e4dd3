"""`python -m training.held_out --data PATH --out DIR`: the cases that no training saw, for `quoth eval run --only`.

Parts of the public sets train the models that ship; a figure over all their cases would flatter. For every set this writes
DIR/NAME.txt with the ids, as the adapters of evaluation/ give them, of the cases in the test split of `sources` and
`claims`: matched by their words, so that the split is decided in one place only.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping
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
        lambda data: ((_flat(pair.claim), _flat(pair.premise)) for pair in claims.begin(data, "test")),
    ),
    "wice": ("wice/claim_dev.jsonl", lambda data: ((_flat(pair.claim), "") for pair in claims.wice(data, "test"))),
    "scifact": (
        "scifact",
        lambda data: ((_flat(claim), "") for claim, _ in sources.scifact_claims(data, "test").values()),
    ),
}


def held_out(data: Path, name: str) -> list[str]:
    """The ids of a set's cases that no training saw, in the order of the set."""
    path, keys = _SETS[name]
    passages: dict[str, set[str]] = {}
    for question, passage in keys(data):
        passages.setdefault(question, set()).add(passage)
    dataset = load(data / path)
    found = []
    for case in dataset.cases:
        text = _flat(" ".join(dataset.sources[given].text for given in case.given))
        if any(passage in text for passage in passages.get(_flat(case.question), ())):
            found.append(case.id)
    return found


def _keys(groups: Iterable[Group]) -> Iterable[Key]:
    """Question and passage. WiCE and SciFact have none here: their adapters show other evidence than training does."""
    return ((_flat(group[0].question), _flat(group[0].passage)) for group in groups)


def _flat(text: str) -> str:
    return " ".join(text.split())


def main() -> None:
    """Write the lists and say how long each is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for the lists")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in _SETS:
        ids = held_out(Path(options.data), name)
        (options.out / f"{name}.txt").write_text("".join(f"{id}\n" for id in ids), encoding="utf-8")
        sys.stdout.write(f"{name}: {len(ids)}\n")


if __name__ == "__main__":
    main()
