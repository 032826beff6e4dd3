"""`python -m training.label --teacher PATH`: write what a teacher says of prepared examples beside them, as flat arrays.

Of several teachers the mean of the logits is kept. A run that was stopped goes on where it was.
"""

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor, nn

from service.scoring.trained_model import CONFIG, WEIGHTS
from service.scoring.weights import read_model
from training.arrays import DeviceExamples, ExampleArrays, Labels
from training.batches import ReaderBatch
from training.loop import best_device
from training.mpnet import NETWORKS, read_teacher
from training.prepare import FOLDER
from training.pretrained import model_kind

_FLUSHED_BATCHES = 40  # labels are on disk after so many
_BOUND = 30.0  # logits beyond say nothing more


def label_paths(examples: Path) -> tuple[Path, Path]:
    """Where the labels of a file of examples stand: of their relevance, and of their sentences."""
    return examples.with_suffix(".relevance.npy"), examples.with_suffix(".sentences.npy")


def example_paths(folder: Path, kind: str, only: Sequence[str] | None) -> list[Path]:
    """The files of examples for a kind of network, or those of the given names. Raises FileNotFoundError without any."""
    paths = [folder / f"{name}.npz" for name in only] if only else sorted(folder.glob(f"{kind}-*.npz"))
    if not paths:
        raise FileNotFoundError(f"{folder}: no {kind}-*.npz. Run: python -m training.prepare --data PATH")
    return paths


def examples_with_labels(folder: Path, kind: str, only: Sequence[str] | None) -> tuple[ExampleArrays, Labels]:
    """All examples of a kind, or those of the given names, with the labels that they have."""
    parts, known = [], []
    for path in example_paths(folder, kind, only):
        arrays = ExampleArrays.load(path)
        relevance, sentences = label_paths(path)
        has_labels = relevance.exists() and sentences.exists()
        known.append(Labels(np.load(relevance), np.load(sentences)) if has_labels else Labels.none(arrays))
        parts.append(arrays)
    return ExampleArrays.joined(parts), Labels.joined(known)


Ask = Callable[[nn.Module, ReaderBatch], tuple[Tensor, Tensor | None]]
"""A network's logits of relevance (B,) and of the sentences (N,) of a batch; None for a network without sentences."""


def ask_reader(network: nn.Module, batch: ReaderBatch) -> tuple[Tensor, Tensor | None]:
    """What a reader says."""
    relevance, sentence, _ = network(**batch.inputs)
    return relevance, sentence[batch.row, batch.place]


def ask_support(network: nn.Module, batch: ReaderBatch) -> tuple[Tensor, Tensor | None]:
    """What a support checker says."""
    return network(**support_inputs(batch)), None


def support_inputs(batch: ReaderBatch) -> dict[str, Tensor]:
    """The inputs of a support network: those of a reader without the sentences."""
    return {name: batch.inputs[name] for name in ("input_ids", "attention_mask", "token_type_ids")}


def label(teachers: Sequence[nn.Module], ask: Ask, path: Path, device: torch.device, tokens: int) -> int:
    """Label the examples of a file that have no label yet; return how many those were."""
    arrays = ExampleArrays.load(path)
    placed = DeviceExamples(arrays, None, device)
    relevance_path, sentence_path = label_paths(path)
    relevance = _labels(relevance_path, len(arrays))
    sentences = _labels(sentence_path, len(arrays.gold))
    starts = arrays.sentence_starts
    done = 0
    for number, rows in enumerate(arrays.in_order_of_length(tokens)):
        if not np.isnan(relevance[rows]).any():
            continue
        with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16):
            batch = placed.batch(rows)
            answers = [ask(teacher, batch) for teacher in teachers]
        values = [value for _, value in answers if value is not None]
        if values:
            places = starts[rows][batch.row.cpu().numpy()] + batch.place.cpu().numpy()
            sentences[places] = _mean(values)
        relevance[rows] = _mean([value for value, _ in answers])
        done += len(rows)
        if number % _FLUSHED_BATCHES == 0:
            sentences.flush()
            relevance.flush()
    sentences.flush()
    relevance.flush()
    return done


def record_teachers(examples: Path, teachers: Sequence[Path]) -> None:
    """Write beside a file of examples who labels it. Raises ValueError where others have begun to."""
    path = examples.with_suffix(".teachers")
    names = "".join(f"{_checksum(teacher)}\n" for teacher in teachers)
    if path.exists() and path.read_text(encoding="utf-8") != names:
        raise ValueError(
            f"{path}: other teachers labelled {examples.name}. Delete {examples.stem}.*.npy and {path.name}"
        )
    path.write_text(names, encoding="utf-8")


def _checksum(teacher: Path) -> str:
    """The SHA-256 of a teacher's weights."""
    path = teacher / WEIGHTS if teacher.is_dir() else teacher
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _labels(path: Path, count: int) -> "np.memmap[tuple[int, ...], np.dtype[np.float16]]":
    """The array on disk, made of NaN where there is none."""
    if not path.exists():
        np.save(path, np.full(count, np.nan, np.float16))
    found: np.memmap[tuple[int, ...], np.dtype[np.float16]] = open_memmap(path, mode="r+")
    if found.shape != (count,):
        raise ValueError(
            f"{path}: {found.shape[0]} labels for {count} examples or sentences. Delete it and label again"
        )
    return found


def _mean(logits: Sequence[Tensor]) -> NDArray[np.float16]:
    mean = torch.stack([value.float() for value in logits]).mean(0).clamp(-_BOUND, _BOUND)
    return mean.cpu().numpy().astype(np.float16)


def load_teacher(path: Path) -> tuple[str, nn.Module]:
    """Kind and network of a teacher: the folder of a shipped model, or the file that `python -m training.teacher` wrote."""
    if not (path / CONFIG).exists():
        return read_teacher(path)
    kind = model_kind(path)
    config, weights = read_model(path, kind)
    network = NETWORKS[kind](config.shape)
    network.load_state_dict(weights)
    return kind, network


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--teacher", type=Path, action="append", required=True, help="a teacher's file or a model's folder"
    )
    parser.add_argument("--examples", type=Path, default=FOLDER, help="folder that python -m training.prepare wrote")
    parser.add_argument("--only", action="append", help="name of a file of examples, without its ending; default: all")
    parser.add_argument("--tokens", type=int, default=16384, help="padded tokens of a batch; on a GPU 131072")
    options = parser.parse_args(arguments)
    loaded = [load_teacher(path) for path in options.teacher]
    kinds = {kind for kind, _ in loaded}
    if len(kinds) > 1:
        parser.error("--teacher names a reader and a support checker; label with one kind at a time")
    (kind,) = kinds
    device = best_device()
    teachers = [network.to(device).eval() for _, network in loaded]
    for path in example_paths(options.examples, kind, options.only):
        record_teachers(path, options.teacher)
        done = label(teachers, ask_reader if kind == "reader" else ask_support, path, device, options.tokens)
        sys.stdout.write(f"{path.stem}: {done} labelled\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
