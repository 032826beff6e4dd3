"""Data sets -> groups of readings: one question with the passages that answer it and those that do not.

Formats and licences: the README of the data folder; every source is listed in the model card. What is held back for
development and test is decided here, by article, document or record, and nowhere else.
"""

import gzip
import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from index.chunking.sentences import Span, sentence_spans
from training.negatives import Bm25, Search, Searching

Split = Literal["train", "dev", "test"]
Record = dict[str, Any]

SQUAD2_SPLIT: dict[str, Split] = {
    "Normans": "train",
    "Computational_complexity_theory": "train",
    "Steam_engine": "train",
    "European_Union_law": "train",
    "1973_oil_crisis": "dev",
    "Harvard_University": "dev",
    "Huguenot": "test",
    "Packet_switching": "test",
}


@dataclass(frozen=True)
class Reading:
    """A passage read for a question.

    `gold` are the ranges of the passage that hold an answer (answers or whole sentences), None where only relevance is
    known. `answer` is the exact answer, where there is one. `context` is the title that the passage stands under, "" for none.
    """

    question: str
    passage: str
    relevant: bool
    gold: tuple[Span, ...] | None
    answer: Span | None
    source: str
    context: str = ""


Group = tuple[Reading, ...]


def part(key: str, dev: float, test: float) -> Split:
    """The split of a record, by a hash of `key`: stable across runs and machines."""
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32
    return "test" if place < test else "dev" if place < test + dev else "train"


def json_lines(path: Path) -> list[Record]:
    """Records of a JSON-lines file, gzipped or not."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def miss(question: str, passage: str, source: str, context: str = "") -> Reading:
    """A passage that does not answer."""
    return Reading(question, passage, False, (), None, source, context)


def hit(question: str, passage: str, source: str) -> Reading:
    """A passage that answers, it is not known where."""
    return Reading(question, passage, True, None, None, source)


def spanned(question: str, passage: str, answers: Iterable[tuple[int, str]], source: str, context: str = "") -> Reading:
    """A passage with the places of its answers; white space around an answer does not count."""
    gold = []
    for start, text in answers:
        lead = len(text) - len(text.lstrip())
        gold.append(Span(start + lead, start + lead + len(text.strip())))
    return Reading(question, passage, True, tuple(sorted(set(gold))), gold[0], source, context)


def neighbours(
    reading: Reading,
    own: list[str],
    passages: list[str],
    search: Search,
    count: int,
    rng: random.Random,
    titles: Mapping[str, str] | None = None,
) -> list[Reading]:
    """`count` passages drawn from the best that `search` finds for the question, without those that hold an answer's text.

    `titles` are the contexts of passages that do not stand under the reading's own.
    """
    answers = [reading.passage[span.start : span.end].lower() for span in reading.gold or ()]
    answers = [answer for answer in answers if len(answer) < 60]
    found = [passages[number] for number in search.best(reading.question, 12)]
    usable = [p for p in found if p not in own and not any(answer in p.lower() for answer in answers)]
    return [
        miss(reading.question, p, f"{reading.source}_near", reading.context if titles is None else titles[p])
        for p in rng.sample(usable[:8], min(count, len(usable[:8])))
    ]


def shortened(text: str, limit: int) -> str:
    """Whole sentences from the start, up to about `limit` characters."""
    if len(text) <= limit:
        return text
    ends = [span.end for span in sentence_spans(text) if span.end <= limit]
    return text[: ends[-1]] if ends else text[:limit]


def squad2(data: Path, split: Split) -> Iterator[tuple[str, Group]]:
    """(article, group) of SQuAD 2; human-written unanswerable questions are groups of one negative."""
    for article in json.loads((data / "squad2" / "squad2.json").read_text(encoding="utf-8"))["data"]:
        if SQUAD2_SPLIT[article["title"]] == split:
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    yield article["title"], (_squad(qa, paragraph["context"], "squad2", _named(article["title"])),)


def squad2_contrasts(data: Path, split: Split, rng: random.Random) -> Iterator[Group]:
    """An unanswerable question of SQuAD 2 and an answerable one over the same paragraph."""
    paragraphs: dict[str, list[Reading]] = defaultdict(list)
    for _, (reading,) in squad2(data, split):
        paragraphs[reading.passage].append(reading)
    for readings in paragraphs.values():
        answered = [reading for reading in readings if reading.relevant]
        for reading in readings:
            if not reading.relevant and answered:
                yield rng.choice(answered), reading


def squadshifts(data: Path, name: str, split: Split) -> Iterator[tuple[str, Group]]:
    """(article, group) of SQuADShifts: amazon_reviews is split by article, reddit is test only."""
    articles = json.loads((data / "squadshifts" / f"{name}.json").read_text(encoding="utf-8"))["data"]
    for number, article in enumerate(articles):
        if (part(f"{name}{number}", 0.1, 0.1) if name == "amazon_reviews" else "test") == split:
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    yield f"{name}{number}", (_squad(qa, paragraph["context"], name),)


def policyqa(data: Path, split: Split) -> Iterator[tuple[str, Group]]:
    """(site, group) of PolicyQA: its dev file trains, its test file is halved into dev and test."""
    name = "dev" if split == "train" else "test"
    for article in json.loads((data / "policyqa" / f"{name}.json").read_text(encoding="utf-8"))["data"]:
        if split == "train" or part(article["title"], 0.5, 0.5) == split:
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    yield article["title"], (_squad(qa, paragraph["context"], "policyqa", _named(article["title"])),)


def covid_qa(data: Path, split: Split, characters: int = 1100) -> Iterator[tuple[str, Group, list[str]]]:
    """(article, group, the article's windows) of COVID-QA: a window of whole sentences around each answer."""
    for article in json.loads((data / "covid_qa" / "covid_qa.json").read_text(encoding="utf-8"))["data"]:
        paragraph = article["paragraphs"][0]
        key = str(paragraph["document_id"])
        if part(key, 0.15, 0.25) != split:
            continue
        blocks = list(text_windows(paragraph["context"], characters))
        texts = [paragraph["context"][block.start : block.end] for block in blocks]
        for qa in paragraph["qas"]:
            start = qa["answers"][0]["answer_start"]
            end = start + len(qa["answers"][0]["text"].rstrip())
            for block, text in zip(blocks, texts, strict=True):
                if block.start <= start and end <= block.end:
                    reading = spanned(
                        qa["question"], text, [(start - block.start, qa["answers"][0]["text"].rstrip())], "covid_qa"
                    )
                    yield key, (reading,), texts


def text_windows(text: str, characters: int) -> Iterator[Span]:
    """Runs of whole sentences of about `characters`, one after the other."""
    begin: int | None = None
    end = 0
    for span in sentence_spans(text):
        if begin is not None and span.end - begin > characters:
            yield Span(begin, end)
            begin = None
        begin, end = (span.start if begin is None else begin), span.end
    if begin is not None:
        yield Span(begin, end)


def _squad(qa: Record, passage: str, source: str, context: str = "") -> Reading:
    if qa.get("is_impossible"):
        return miss(qa["question"], passage, source, context)
    return spanned(qa["question"], passage, [(a["answer_start"], a["text"]) for a in qa["answers"]], source, context)


def _named(title: str) -> str:
    return title.replace("_", " ")


def with_near(
    groups: Iterable[tuple[str, Group]], count: int, share: float, rng: random.Random, search: Searching = Bm25
) -> Iterator[Group]:
    """Groups with `count` near misses from the same article for a `share` of the answerable ones."""
    listed = list(groups)
    articles: dict[str, list[str]] = defaultdict(list)
    for key, group in listed:
        if group[0].passage not in articles[key]:
            articles[key].append(group[0].passage)
    searches = {key: search(passages) for key, passages in articles.items()}
    for key, group in listed:
        if not group[0].relevant or rng.random() >= share:
            yield group
            continue
        yield (*group, *neighbours(group[0], [group[0].passage], articles[key], searches[key], count, rng))


def clapnq(data: Path, split: Split) -> Iterator[Group]:
    """CLAPNQ: questions of one passage each, with the sentences that an answer needs; half are unanswerable."""
    for name in ("answerable", "unanswerable"):
        for record in json_lines(data / "clapnq" / f"{name}.jsonl"):
            if part(record["id"], 0.25, 0.25) != split:
                continue
            passage = record["passages"][0]
            text = passage["text"]
            if name == "unanswerable":
                yield (miss(record["input"], text, "clapnq", passage["title"]),)
                continue
            chosen = {sentence for output in record["output"] for sentence in output["selected_sentences"]}
            gold = []
            place = 0
            for sentence in passage["sentences"]:
                start = text.find(sentence.strip(), place)
                if start >= 0:
                    place = start + len(sentence.strip())
                    if sentence in chosen:
                        gold.append(Span(start, place))
            yield (Reading(record["input"], text, True, tuple(gold), None, "clapnq", passage["title"]),)


def pubmedqa(data: Path, split: Split, rng: random.Random, near: int) -> Iterator[Group]:
    """PubMedQA: a question and its abstract (relevance only), with BM25 neighbours as negatives."""
    records = json.loads((data / "pubmedqa" / "pubmedqa.json").read_text(encoding="utf-8"))
    chosen = {key: record for key, record in records.items() if part(key, 0.2, 0.3) == split}
    passages = [shortened(" ".join(record["CONTEXTS"]), 1500) for record in chosen.values()]
    search = Bm25(passages)
    for record, passage in zip(chosen.values(), passages, strict=True):
        positive = hit(record["QUESTION"], passage, "pubmedqa")
        yield (positive, *neighbours(positive, [passage], passages, search, near, rng))


def scifact_claims(data: Path, split: Split) -> dict[str, tuple[str, list[str]]]:
    """Claim id -> (claim, relevant abstract ids) of SciFact's training claims, split by the first abstract they cite."""
    texts = {r["_id"]: r["text"] for r in json_lines(data / "scifact" / "queries.jsonl")}
    relevant: dict[str, list[str]] = defaultdict(list)
    for line in (data / "scifact" / "qrels" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        claim, document, _ = line.split("\t")
        relevant[claim].append(document)
    return {
        claim: (texts[claim], documents)
        for claim, documents in relevant.items()
        if part(min(documents), 0.15, 0.3) == split
    }


def scifact_corpus(data: Path) -> dict[str, str]:
    """Abstract id -> title, blank line, abstract."""
    return {r["_id"]: f"{r['title']}\n\n{r['text']}" for r in json_lines(data / "scifact" / "corpus.jsonl")}


def scifact(data: Path, split: Split, negatives: int, rng: random.Random) -> Iterator[Group]:
    """Claims as queries: a cited abstract, and abstracts that BM25 ranks high without being cited."""
    corpus = scifact_corpus(data)
    ids = list(corpus)
    search = Bm25(list(corpus.values()))
    for claim, documents in scifact_claims(data, split).values():
        found = [ids[number] for number in search.best(claim, 24)]
        usable = [number for number in found if number not in documents]
        chosen = rng.sample(usable, min(negatives, len(usable)))
        yield (
            *(hit(claim, shortened(corpus[number], 1700), "scifact") for number in documents[:2]),
            *(miss(claim, shortened(corpus[number], 1700), "scifact_near") for number in chosen),
        )
