"""Every data set that training reads, with a few records of our own: yards, their towns, heads and goods."""

import gzip
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training import claims, mix2
from training.sources import SQUAD2_SPLIT

TOWNS = ("Bergen", "Oslo", "Turku", "Odense", "Malmo", "Vaasa", "Narvik", "Aarhus", "Lund", "Visby", "Tampere", "Bodo")
PEOPLE = (
    "Anna Holm",
    "Otto Lind",
    "Ida Berg",
    "Emil Dahl",
    "Nora Falk",
    "Liv Strand",
    "Max Rask",
    "Eva Moe",
    "Jan Krog",
)
THINGS = ("harbour crane", "wooden bridge", "ferry line", "stone quay", "night train", "market hall", "paper mill")
_READER = (
    "nq_oracle", "qed_dev", "squad1_dutest", "qamr", "fairytaleqa", "selqa_sentence", "tatqa_text", "bioasq12b_ideal",
    "boolq_yesno",
)  # fmt: skip
_READER_2 = (
    *mix2.HELD_OUT, "squad2_train_unans44", "squad2_unansq_dev", "squad2_unansq_dev_more", "squad2_train_sentence_pairs",
    "squad2_train_sentence_group", "molweni", "cpgqa", "sleepqa", "musique_singlehop", "hotpotqa_twopara", "condaqa",
    "nomiracl_en_nonrel", "bioasq_6b9b",
)  # fmt: skip
_RANKING = ("boolq", "fairytaleqa", "selqa_sentence", "fm2_sentence", "medquad_6000", "bioasq12b")
_RANKING_2 = (
    "squad_train_reqa_sentence", "conditionalqa", "timeqa_human", "hotpotqa_850", "multihop_migres", "bioasq_6b9b",
)  # fmt: skip


def write_sets(folder: Path, count: int = 48) -> Path:
    """Write the sets in the forms in which they are published, `count` yards in most of them. Return the folder."""
    yards = [_yard(number) for number in range(count)]
    few = yards[:6]
    facts = {"squad1_dutest": facts_of_yards(2 * count), "qamr": facts_of_yards(5 * count)}
    for name in _READER:
        _lines(folder / "mix" / "reader" / f"{name}.jsonl.gz", facts.get(name) or _records(few))
    for name in _READER_2:
        _lines(folder / "mix2" / "reader" / f"{name}.jsonl.gz", _records(yards if name in mix2.HELD_OUT else few))
    ranked = [{"q": yard["asked"], "pos": [yard["passage"]], "neg": [few[0]["passage"]]} for yard in few]
    for names, part in ((_RANKING, "mix"), (_RANKING_2, "mix2")):
        for name in names:
            _lines(folder / part / "rerank" / f"{name}.jsonl.gz", ranked)
    judged = [{"claim": claim, "premise": premise, "label": label} for claim, premise, label in _judged(few)]
    for name in claims.CAPS:
        _lines(folder / "mix" / "support" / f"{name}.jsonl.gz", judged)
    for name in ("expertqa", "breaking_nli"):
        _lines(folder / "mix2" / "support" / f"{name}.jsonl.gz", judged)
    _squad_sets(folder, yards)
    _other_sets(folder, yards)
    return folder


def facts_of_yards(count: int) -> list[dict[str, Any]]:
    """Records of SQuAD 1's form: six questions about each of `count` yards, whose answers are of several kinds."""
    rng = random.Random(0)
    records = []
    for n in range(count):
        town, person, thing = (
            TOWNS[n % 12],
            f"{PEOPLE[n % 9]} {chr(65 + n % 26)}",
            f"{THINGS[n % 7]} of type{'abcdefgh'[n % 8]}",
        )
        year = str(1800 + n)
        passage = (
            f"The yard in {town} was led by {person}. It made the {thing}. In {year} it was sold. Nobody lived there."
        )
        asked = {
            f"Who was the head of {town} yard {n}?": person,
            f"Where was yard {n}?": f"{town}{'abcdefghijkl'[n % 12]}ia",
            f"What did yard {n} make?": thing,
            f"When was yard {n} sold?": year,
            f"Which firm owned yard {n}?": f"Firm {chr(65 + n % 26)}{chr(97 + n % 25)}",
            f"What was the {rng.choice(('owner', 'rival', 'banker', 'founder', 'builder'))} of yard {n}?": person,
        }
        records += [
            {
                "q": question,
                "passage": passage,
                "answers": [{"text": answer, "start": passage.find(answer)}],
                "answerable": True,
                "kind": "span",
                "title": f"Yards_{n % 30}",
                "sent": None,
            }
            for question, answer in asked.items()
        ]
    return records


def _yard(number: int) -> dict[str, str]:
    town, person = TOWNS[number % 12], f"{PEOPLE[number % 9]} {chr(65 + number % 26)}"
    thing = f"{THINGS[number % 7]} of type {'abcdefgh'[number % 8]}"
    passage = (
        f"The yard {number} in {town} was led by {person}. It was the first that made the {thing}. "
        f"In {1800 + number} it was sold for {number + 40} euros. Nobody lived there."
    )
    asked = f"Who was the head of the yard {number} in {town}?"
    return {"name": f"Yard_{number}", "passage": passage, "asked": asked, "answer": person, "town": town}


def _records(yards: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """A question that the passage answers, and one that it does not, of each yard."""
    records = []
    for yard in yards:
        shared = {"passage": yard["passage"], "title": yard["name"], "sent": None, "kind": "span"}
        answer = {"text": yard["answer"], "start": yard["passage"].find(yard["answer"])}
        records.append({**shared, "q": yard["asked"], "answers": [answer], "answerable": True})
        records.append({**shared, "q": f"Who bought the {yard['name']}?", "answers": [], "answerable": False})
    return records


def _judged(yards: Sequence[Mapping[str, str]]) -> list[tuple[str, str, str]]:
    """Claims with their premise, each claim once as it is and once about another town."""
    return [
        pair
        for yard in yards
        for pair in (
            (f"The {yard['name']} was in {yard['town']}.", yard["passage"], "supported"),
            (f"The {yard['name']} was in Nowhere.", yard["passage"], "refuted"),
        )
    ]


def _squad_sets(folder: Path, yards: Sequence[Mapping[str, str]]) -> None:
    def paragraph(yard: Mapping[str, str]) -> dict[str, Any]:
        answer = {"text": yard["answer"], "answer_start": yard["passage"].find(yard["answer"])}
        return {
            "context": yard["passage"],
            "document_id": yard["name"],
            "qas": [
                {"id": f"{yard['name']}a", "question": yard["asked"], "answers": [answer], "is_impossible": False},
                {
                    "id": f"{yard['name']}b",
                    "question": f"Who bought {yard['name']}?",
                    "answers": [],
                    "is_impossible": True,
                },
            ],
        }

    def answerable(yard: Mapping[str, str]) -> dict[str, Any]:
        whole = paragraph(yard)
        return whole | {"qas": whole["qas"][:1]}

    size = len(yards) // len(SQUAD2_SPLIT)
    squad2 = [
        {"title": title, "paragraphs": [*map(paragraph, yards[number * size : (number + 1) * size])]}
        for number, title in enumerate(SQUAD2_SPLIT)
    ]
    single = [{"title": yard["name"], "paragraphs": [answerable(yard)]} for yard in yards]
    for name, articles_of in (
        ("squad2/squad2", squad2),
        ("squadshifts/amazon_reviews", single),
        ("squadshifts/reddit", single[:6]),
        ("policyqa/dev", single[:6]),
        ("policyqa/test", single),
        ("covid_qa/covid_qa", single),
    ):
        _write(folder / f"{name}.json", json.dumps({"data": articles_of}))


def _other_sets(folder: Path, yards: Sequence[Mapping[str, str]]) -> None:
    for name in ("answerable", "unanswerable"):
        lines = []
        for yard in yards:
            sentences = [f"{sentence.removesuffix('.')}." for sentence in yard["passage"].split(". ")]
            passage = {"title": yard["name"], "text": yard["passage"], "sentences": sentences}
            output = [{"answer": sentences[0], "selected_sentences": sentences[:1]}] if name == "answerable" else []
            lines.append(
                {"id": f"{name}{yard['name']}", "input": yard["asked"], "passages": [passage], "output": output}
            )
        _lines(folder / "clapnq" / f"{name}.jsonl", lines)
    abstracts = {yard["name"]: {"QUESTION": yard["asked"], "CONTEXTS": [yard["passage"]]} for yard in yards}
    _write(folder / "pubmedqa" / "pubmedqa.json", json.dumps(abstracts))
    corpus = [{"_id": yard["name"], "title": yard["name"], "text": yard["passage"]} for yard in yards]
    _lines(folder / "scifact" / "corpus.jsonl", corpus)
    _lines(folder / "scifact" / "queries.jsonl", [{"_id": yard["name"], "text": yard["asked"]} for yard in yards])
    rows = [f"{yard['name']}\t{yard['name']}\t1" for yard in yards]
    _write(folder / "scifact" / "qrels" / "train.tsv", "\n".join(["query-id\tcorpus-id\tscore", *rows]))
    evidence = [
        {"claim_id": f"{number}", "claim": claim, "doc_id": yards[number // 2]["name"],
         "label": "SUPPORT" if label == "supported" else "CONTRADICT"}
        for number, (claim, _, label) in enumerate(_judged(yards))
    ]  # fmt: skip
    _write(folder / "scifact" / "evidence_train.json", json.dumps(evidence))
    checked = [
        {"claim": claim, "evidence": [premise], "meta": {"id": f"{number}"},
         "label": label if label == "supported" else "not_supported"}
        for number, (claim, premise, label) in enumerate(_judged(yards))
    ]  # fmt: skip
    _lines(folder / "wice" / "claim_dev.jsonl", checked)
    _lines(folder / "wice" / "tokens_train.jsonl", checked[1::2])
    stances = [{"claim": claim, "premise": premise, "label": label} for claim, premise, label in _judged(yards)]
    _lines(folder / "mix" / "support" / "factcheckgpt_stance.jsonl.gz", stances)
    replies = [
        f"model\twow\t{premise}\tAnd then?\t{claim}\t{'Fully' if label == 'supported' else 'Not fully'} attributable"
        for claim, premise, label in _judged(yards)
    ]
    header = "model_name\tdata_source\tknowledge\tmessage\tresponse\tbegin_label"
    for name in ("wow_dev", "wow_test"):
        _write(folder / "begin" / f"{name}.tsv", "\n".join([header, *replies]))


def _lines(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    _write(path, "".join(json.dumps(record) + "\n" for record in records))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
