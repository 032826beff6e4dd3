"""Question answering data sets -> groups of pairs: one question with passages that answer it and passages that do not.

The README of the data folder has formats and licences; the model card lists every source. Only this file decides what is
held back for development and test, by article, document or record.
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

from index.blocks.block import Span
from index.blocks.unit import Rendering
from index.chunking.sentences import sentence_spans
from training.search import Bm25, SearchFactory, TextSearch

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
class PassagePair:
    """A question and a passage, labelled.

    `gold` are the ranges of the passage that hold an answer (answers or whole sentences), None where only relevance is
    known. `answer` is the range of the exact answer, where one is marked. `context` is the passage's title, "" for none.
    `rendering`, for a passage of a document that has structure, says which units it has; others are prose.
    """

    question: str
    passage: str
    relevant: bool
    gold: tuple[Span, ...] | None
    answer: Span | None
    source: str
    context: str = ""
    rendering: Rendering | None = None

    @property
    def sentences(self) -> list[Span]:
        """The ranges of the passage that are scored one by one: its units, or the sentences of prose."""
        return self.rendering.spans() if self.rendering else sentence_spans(self.passage)


Group = tuple[PassagePair, ...]


def split_of(key: str, dev: float, test: float) -> Split:
    """The split of a record, by a hash of `key`: stable across runs and machines."""
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32
    return "test" if place < test else "dev" if place < test + dev else "train"


def json_lines(path: Path) -> list[Record]:
    """Records of a JSON-lines file, gzipped or not."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def title_of(record: Record) -> str:
    """The title of an article or passage with spaces for underscores; "" for none."""
    return str(record.get("title") or "").replace("_", " ")


def irrelevant_passage(question: str, passage: str, source: str, context: str = "") -> PassagePair:
    """A pair whose passage does not answer the question."""
    return PassagePair(question, passage, False, (), None, source, context)


def relevant_passage(question: str, passage: str, source: str) -> PassagePair:
    """A pair whose passage answers the question; the place of the answer is unknown."""
    return PassagePair(question, passage, True, None, None, source)


def answering_passage(
    question: str, passage: str, answers: Iterable[tuple[int, str]], source: str, context: str = ""
) -> PassagePair:
    """A pair with the places of its answers (start, text). White space around an answer is not part of it."""
    gold = []
    for start, text in answers:
        lead = len(text) - len(text.lstrip())
        gold.append(Span(start + lead, start + lead + len(text.strip())))
    return PassagePair(question, passage, True, tuple(sorted(set(gold))), gold[0], source, context)


def near_misses(
    pair: PassagePair,
    own: list[str],
    passages: list[str],
    search: TextSearch,
    count: int,
    rng: random.Random,
    titles: Mapping[str, str] | None = None,
) -> list[PassagePair]:
    """At most `count` passages sampled from the best that `search` finds for the question, none with an answer's text.

    `titles` gives the context of each passage; without it, passages get the pair's own context.
    """
    answers = [pair.passage[span.start : span.end].lower() for span in pair.gold or ()]
    answers = [answer for answer in answers if len(answer) < 60]
    ranked = [passages[number] for number in search.best(pair.question, 12)]
    usable = [p for p in ranked if p not in own and not any(answer in p.lower() for answer in answers)]
    return [
        irrelevant_passage(pair.question, p, f"{pair.source}_near", pair.context if titles is None else titles[p])
        for p in rng.sample(usable[:8], min(count, len(usable[:8])))
    ]


def first_sentences(text: str, limit: int) -> str:
    """The first whole sentences of the text, up to about `limit` characters."""
    if len(text) <= limit:
        return text
    ends = [span.end for span in sentence_spans(text) if span.end <= limit]
    return text[: ends[-1]] if ends else text[:limit]


def squad2(data: Path, split: Split) -> Iterator[tuple[str, Group]]:
    """(article, group) of SQuAD 2. A human-written unanswerable question is a group of one negative pair."""
    for article in json.loads((data / "squad2" / "squad2.json").read_text(encoding="utf-8"))["data"]:
        if SQUAD2_SPLIT[article["title"]] == split:
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    yield (
                        article["title"],
                        (_squad_passage(qa, paragraph["context"], "squad2", title_of(article)),),
                    )


def squad2_contrasts(data: Path, split: Split, rng: random.Random) -> Iterator[Group]:
    """Groups of an answerable and an unanswerable question of SQuAD 2 over the same paragraph."""
    paragraphs: dict[str, list[PassagePair]] = defaultdict(list)
    for _, (pair,) in squad2(data, split):
        paragraphs[pair.passage].append(pair)
    for pairs in paragraphs.values():
        answered = [pair for pair in pairs if pair.relevant]
        for pair in pairs:
            if not pair.relevant and answered:
                yield rng.choice(answered), pair


def squadshifts(data: Path, name: str, split: Split) -> Iterator[tuple[str, Group]]:
    """(article, group) of SQuADShifts: amazon_reviews is split by article, reddit is test only."""
    articles = json.loads((data / "squadshifts" / f"{name}.json").read_text(encoding="utf-8"))["data"]
    for number, article in enumerate(articles):
        if (split_of(f"{name}{number}", 0.1, 0.1) if name == "amazon_reviews" else "test") == split:
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    yield f"{name}{number}", (_squad_passage(qa, paragraph["context"], name),)


def policyqa(data: Path, split: Split) -> Iterator[tuple[str, Group]]:
    """(site, group) of PolicyQA: its dev file is the training split, its test file is halved into dev and test."""
    name = "dev" if split == "train" else "test"
    for article in json.loads((data / "policyqa" / f"{name}.json").read_text(encoding="utf-8"))["data"]:
        if split == "train" or split_of(article["title"], 0.5, 0.5) == split:
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    yield (
                        article["title"],
                        (_squad_passage(qa, paragraph["context"], "policyqa", title_of(article)),),
                    )


def covid_qa(data: Path, split: Split, characters: int = 1100) -> Iterator[tuple[str, Group, list[str]]]:
    """(article, group, the article's windows) of COVID-QA: a window of whole sentences around each answer."""
    for article in json.loads((data / "covid_qa" / "covid_qa.json").read_text(encoding="utf-8"))["data"]:
        paragraph = article["paragraphs"][0]
        key = str(paragraph["document_id"])
        if split_of(key, 0.15, 0.25) != split:
            continue
        blocks = list(text_windows(paragraph["context"], characters))
        texts = [paragraph["context"][block.start : block.end] for block in blocks]
        for qa in paragraph["qas"]:
            start = qa["answers"][0]["answer_start"]
            end = start + len(qa["answers"][0]["text"].rstrip())
            for block, text in zip(blocks, texts, strict=True):
                if block.start <= start and end <= block.end:
                    pair = answering_passage(
                        qa["question"], text, [(start - block.start, qa["answers"][0]["text"].rstrip())], "covid_qa"
                    )
                    yield key, (pair,), texts


def text_windows(text: str, characters: int) -> Iterator[Span]:
    """Consecutive runs of whole sentences, of about `characters` each."""
    begin: int | None = None
    end = 0
    for span in sentence_spans(text):
        if begin is not None and span.end - begin > characters:
            yield Span(begin, end)
            begin = None
        begin, end = (span.start if begin is None else begin), span.end
    if begin is not None:
        yield Span(begin, end)


def _squad_passage(qa: Record, passage: str, source: str, context: str = "") -> PassagePair:
    if qa.get("is_impossible"):
        return irrelevant_passage(qa["question"], passage, source, context)
    return answering_passage(
        qa["question"], passage, [(a["answer_start"], a["text"]) for a in qa["answers"]], source, context
    )


def add_near_misses(
    groups: Iterable[tuple[str, Group]], count: int, share: float, rng: random.Random, search: SearchFactory = Bm25
) -> Iterator[Group]:
    """The groups, a `share` of the answerable ones with `count` near misses from the same article added."""
    groups = list(groups)
    articles: dict[str, list[str]] = defaultdict(list)
    for key, group in groups:
        if group[0].passage not in articles[key]:
            articles[key].append(group[0].passage)
    searches = {key: search(passages) for key, passages in articles.items()}
    for key, group in groups:
        if not group[0].relevant or rng.random() >= share:
            yield group
            continue
        yield (*group, *near_misses(group[0], [group[0].passage], articles[key], searches[key], count, rng))


def clapnq(data: Path, split: Split) -> Iterator[Group]:
    """CLAPNQ: questions of one passage each, with the sentences that an answer needs; half are unanswerable."""
    for name in ("answerable", "unanswerable"):
        for record in json_lines(data / "clapnq" / f"{name}.jsonl"):
            if split_of(record["id"], 0.25, 0.25) != split:
                continue
            passage = record["passages"][0]
            text = passage["text"]
            if name == "unanswerable":
                yield (irrelevant_passage(record["input"], text, "clapnq", passage["title"]),)
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
            yield (PassagePair(record["input"], text, True, tuple(gold), None, "clapnq", passage["title"]),)


def pubmedqa(data: Path, split: Split, rng: random.Random, near: int) -> Iterator[Group]:
    """PubMedQA: a question and its abstract (relevance only), with the abstracts that BM25 finds next as negatives."""
    records = json.loads((data / "pubmedqa" / "pubmedqa.json").read_text(encoding="utf-8"))
    chosen = {key: record for key, record in records.items() if split_of(key, 0.2, 0.3) == split}
    passages = [first_sentences(" ".join(record["CONTEXTS"]), 1500) for record in chosen.values()]
    search = Bm25(passages)
    for record, passage in zip(chosen.values(), passages, strict=True):
        positive = relevant_passage(record["QUESTION"], passage, "pubmedqa")
        yield (positive, *near_misses(positive, [passage], passages, search, near, rng))


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
        if split_of(min(documents), 0.15, 0.3) == split
    }


def scifact_corpus(data: Path) -> dict[str, str]:
    """Abstract id -> title, blank line, abstract."""
    return {r["_id"]: f"{r['title']}\n\n{r['text']}" for r in json_lines(data / "scifact" / "corpus.jsonl")}


def scifact(data: Path, split: Split, negatives: int, rng: random.Random) -> Iterator[Group]:
    """SciFact claims as queries: cited abstracts, and abstracts that BM25 ranks high but the claim does not cite."""
    corpus = scifact_corpus(data)
    ids = list(corpus)
    search = Bm25(list(corpus.values()))
    for claim, documents in scifact_claims(data, split).values():
        ranked = [ids[number] for number in search.best(claim, 24)]
        usable = [number for number in ranked if number not in documents]
        chosen = rng.sample(usable, min(negatives, len(usable)))
        yield (
            *(relevant_passage(claim, first_sentences(corpus[number], 1700), "scifact") for number in documents[:2]),
            *(irrelevant_passage(claim, first_sentences(corpus[number], 1700), "scifact_near") for number in chosen),
        )
