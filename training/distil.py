"""`python -m training.distil --base PATH --data PATH`: teachers, their labels, and the models that learn from them.

One stage after the other, each the command of its own name; what is done already is not done again. The examples come from
`python -m training.prepare`, which needs no GPU. Meant for ten minutes of one H100, which was not measured.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from training import label, reader, support, teacher
from training.prepare import FOLDER

READER_TEACHER, READER, SUPPORT_TEACHER, SUPPORT = 0.26, 0.5, 0.12, 0.12
"""Shares of the training time. Labelling comes besides and has no limit."""
_CUDA = ("--tokens", "49152"), ("--tokens", "131072")
_CPU = ("--tokens", "4096"), ("--tokens", "8192")


@dataclass(frozen=True)
class Stage:
    """A command with its arguments, and the file that shows that it is done."""

    run: Callable[[Sequence[str]], None]
    arguments: tuple[str, ...]
    done: Path


def stages(options: argparse.Namespace, *, cuda: bool) -> Iterator[Stage]:
    """The stages in order."""
    training, labelling = _CUDA if cuda else _CPU
    runs: Path = options.runs
    examples = ("--examples", str(options.examples))
    for kind, share in (("reader", READER_TEACHER), ("support", SUPPORT_TEACHER)):
        files = []
        for number in range(options.teachers):
            file = runs / f"teacher-{kind}-{number}.safetensors"
            files.append(file)
            length = _length(options, share / options.teachers)
            yield Stage(
                teacher.main,
                ("--kind", kind, "--base", str(options.base), "--out", str(file), "--seed", str(options.seed + number),
                 "--run", str(runs / file.stem), *_labelled_only(options.examples, kind), *examples, *training, *length),
                file,
            )  # fmt: skip
        named = [argument for file in files for argument in ("--teacher", str(file))]
        yield Stage(label.main, (*named, *examples, *labelling), runs / f"labelled-{kind}")
    data = ("--data", str(options.data))
    for layers in options.layers:
        run = runs / f"reader-{layers}"
        yield Stage(
            reader.main,
            ("--begin", str(options.begin_reader), "--layers", str(layers), "--rate", "3e-4", "--run", str(run / "run"),
             "--out", str(run), "--seed", str(options.seed), "--measure-minutes", "inf", *data, *examples, *training,
             *_length(options, READER / len(options.layers))),
            run / "model.safetensors",
        )  # fmt: skip
    run = runs / "support"
    yield Stage(
        support.main,
        ("--begin", str(options.begin_support), "--layers", str(options.support_layers), "--rate", "4e-4",
         "--out", str(run), "--run", str(run / "run"), "--seed", str(options.seed), "--measure-minutes", "inf",
         *data, *examples, *training, *_length(options, SUPPORT)),
        run / "model.safetensors",
    )  # fmt: skip


def _labelled_only(examples: Path, kind: str) -> list[str]:
    """The options that leave out the files without labels: a teacher learns from the others."""
    names = [path.stem for path in label.example_paths(examples, kind, None) if not path.stem.endswith("-unlabelled")]
    return [argument for name in names for argument in ("--only", name)]


def _length(options: argparse.Namespace, share: float) -> tuple[str, str]:
    """The option that sets how long a stage trains."""
    return ("--steps", str(options.steps)) if options.steps else ("--minutes", f"{options.minutes * share:.3f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--base", type=Path, required=True, help="folder of all-mpnet-base-v2: config.json, model.safetensors"
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument("--examples", type=Path, default=FOLDER, help="folder that python -m training.prepare wrote")
    parser.add_argument("--runs", type=Path, default=Path("training/runs/distil"), help="teachers, students, logs")
    parser.add_argument("--minutes", type=float, default=7.5, help="training time of all stages together")
    parser.add_argument("--steps", type=int, help="training steps of each stage, instead of minutes")
    parser.add_argument("--teachers", type=int, default=1, help="teachers of each kind, whose labels are averaged")
    parser.add_argument(
        "--layers", type=int, nargs="+", default=[12], help="layers of the readers that learn from them"
    )
    parser.add_argument("--support-layers", type=int, default=6, help="layers of the support checker")
    parser.add_argument("--begin-reader", type=Path, default=Path("models/reader"), help="reader to start from")
    parser.add_argument(
        "--begin-support", type=Path, default=Path("models/support"), help="support checker to start from"
    )
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    for stage in stages(options, cuda=torch.cuda.is_available()):
        if not stage.done.exists():
            stage.run(stage.arguments)
            stage.done.parent.mkdir(parents=True, exist_ok=True)
            stage.done.touch()


if __name__ == "__main__":
    main()
