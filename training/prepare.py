"""`python -m training.prepare --data PATH`: write the examples that networks are trained on, once, as flat arrays.

Files of the folder, whose names begin with the network that they are for: `reader-N` (an augmented epoch of the mix),
`reader-structure-N`, `reader-unlabelled` (for a teacher to label) and `support-N`. What is there already is left as it is, so a
run that was stopped goes on.
"""

import argparse
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from training import epochs
from training.arrays import ExampleArrays
from training.batches import Example, Labeller
from training.pretrained import base_tokenizer
from training.structure.groups import structure_groups

STRUCTURE_GROUPS = 20_000
FOLDER = Path("training/runs/examples")


def mixed(data: Path, rng: random.Random) -> Iterable[Sequence[Example]]:
    """An epoch of the reader's mix."""
    groups = epochs.epoch_groups(data, rng, epochs.hybrid_search(), epochs.SHARE)
    return epochs.examples(groups, Labeller(base_tokenizer(), epochs.LIMIT), rng)


def structured(data: Path, rng: random.Random, count: int) -> Iterable[Sequence[Example]]:
    """About `count` groups about tables, lists, records and the like."""
    groups = list(structure_groups(data, "train", rng, count))
    rng.shuffle(groups)
    return epochs.examples(groups, Labeller(base_tokenizer(), epochs.LIMIT), rng)


def unlabelled(data: Path, rng: random.Random) -> Iterable[Sequence[Example]]:
    """Questions with what search finds for them, without labels."""
    groups = epochs.unlabelled_groups(data, rng)
    return epochs.without_labels(epochs.examples(groups, Labeller(base_tokenizer(), epochs.LIMIT), rng))


def claims_and_premises(data: Path, rng: random.Random) -> Iterator[list[Example]]:
    """An epoch of the support checker."""
    tokenizer = base_tokenizer()
    found = (epochs.claim_example(tokenizer, pair) for pair in epochs.support_pairs(data, rng))
    return ([example] for example in found if example)


Maker = Callable[[Path, random.Random], Iterable[Sequence[Example]]]


def makers(count: int, groups: int) -> Mapping[str, Maker]:
    """File name -> what makes its examples, for `count` epochs."""
    made: dict[str, Maker] = {}
    for number in range(count):
        made[f"reader-{number}"] = mixed
        made[f"reader-structure-{number}"] = partial(structured, count=groups)
        made[f"support-{number}"] = claims_and_premises
    return {**made, "reader-unlabelled": unlabelled}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for the files")
    parser.add_argument("--epochs", type=int, default=1, help="differently augmented epochs of each kind")
    parser.add_argument("--structure", type=int, default=STRUCTURE_GROUPS, help="groups about structure an epoch")
    parser.add_argument("--only", action="append", help="name of a file, without its ending; default: all")
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    known = makers(options.epochs, options.structure)
    for name in options.only or known:
        path = options.out / f"{name}.npz"
        if not path.exists():
            arrays = ExampleArrays.of(known[name](Path(options.data), random.Random(f"{name} {options.seed}")))
            arrays.save(path)
            sys.stdout.write(f"{name}: {len(arrays)} examples, {len(arrays.tokens)} tokens\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
