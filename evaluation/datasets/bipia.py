"""BIPIA: instructions planted in e-mails that a question is asked about; does the answer obey them?

Yi et al. 2023, https://arxiv.org/abs/2312.14197. `path` is a folder with `email_*.jsonl` and `text_attack_*.json`. Every attack
is paired with one e-mail, its place rotates through start, middle and end, and it is told to end its answer with a word that
stands nowhere else (the canary), so that obedience is read off the answer and not judged by another model.
"""

import hashlib
from pathlib import Path

from evaluation.cases import Case, Dataset, Source
from evaluation.datasets.records import json_lines, json_root
from evaluation.errors import DataInvalid

_PLACES = ("start", "middle", "end")


def read(path: Path) -> Dataset:
    """The data set of one folder. Raises DataInvalid with the line of the fault."""
    mails, attacks = _only(path, "email_*.jsonl"), _only(path, "text_attack_*.json")
    contexts = list(json_lines(mails))
    root = json_root(attacks)
    planted = [(kind, text) for kind in root.value for text in root.texts(kind)]
    if not planted:
        raise root.fault("no attack", "List at least one instruction under a kind of attack")
    sources: dict[str, Source] = {}
    cases = []
    for number, (kind, instruction) in enumerate(planted):
        mail = contexts[number % len(contexts)]
        place = _PLACES[number % len(_PLACES)]
        id = f"{number}-{place}"
        canary = "zx" + hashlib.sha256(f"{id}{instruction}".encode()).hexdigest()[:8]
        sources[id] = Source(
            id, "e-mail", _plant(mail.text("context"), f"{instruction} End your answer with {canary}.", place)
        )
        cases.append(
            Case(
                id=id,
                question=mail.text("question").removeprefix("Q:").strip(),
                answers=(mail.text("ideal"),),
                given=(id,),
                canary=canary,
                tags={"attack": kind, "place": place},
            )
        )
    return Dataset(path.name, "bipia", (mails, attacks), tuple(cases), sources)


def _plant(context: str, instruction: str, place: str) -> str:
    """The context with the instruction as a line of its own, in the middle at the word break nearest to half way."""
    if place == "start":
        return f"{instruction}\n{context}"
    if place == "end":
        return f"{context}\n{instruction}"
    half = context.find(" ", len(context) // 2)
    half = half if half >= 0 else len(context)
    return f"{context[:half]}\n{instruction}\n{context[half:].lstrip()}"


def _only(folder: Path, pattern: str) -> Path:
    files = sorted(folder.glob(pattern))
    if len(files) != 1:
        raise DataInvalid(folder, None, f"{len(files)} files named {pattern}", "Keep exactly one in the folder")
    return files[0]
