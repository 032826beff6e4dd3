"""Passages of the public sets as lists, tables, definitions and records, with the questions that people asked about them."""

import csv
import html
import io
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from index.chunking.sentences import sentence_spans
from training.mix import records_of
from training.negatives import names
from training.sources import Record, Split, split_of, title_of
from training.structure.asked import AskedFile
from training.structure.lists import enumeration
from training.structure.vocabulary import attribute_of
from training.structure.writers import identifier

_FILES = ("mix/reader/squad1_dutest", "mix2/reader/squad2_train_1000ctx", "mix/reader/selqa_sentence")


def asked_files(data: Path, split: Split, rng: random.Random, count: int) -> Iterator[AskedFile]:
    """About `count` files of a split (by the title or passage): passages rewritten, and facts of an article as a table."""
    questions: dict[str, list[Record]] = defaultdict(list)
    facts: dict[str, list[tuple[Record, str, str]]] = defaultdict(list)
    for name in _FILES:
        for record in records_of(data, name):
            title = title_of(record)
            if split_of(title or record["passage"], 0.1, 0.15) != split:
                continue
            questions[record["passage"]].append(record)
            found = attribute_of(record["q"])
            if found and record["answerable"] and record["answers"] and len(record["answers"][0]["text"]) < 80:
                facts[title].append((record, *found))
    for passage in rng.sample(sorted(questions), min(count * 3 // 4, len(questions))):
        for record in rng.sample(questions[passage], min(2, len(questions[passage]))):
            yield from _rewritten(record, rng)
    tables = [title for title, known in facts.items() if len(known) > 2]
    for _ in range(count // 4 if tables else 0):
        yield _fact_table(rng.choice(tables), facts, rng)


def _rewritten(record: Record, rng: random.Random) -> Iterator[AskedFile]:
    """The passage of a record as a list, table or definitions, and without the sentence that answers."""
    passage = record["passage"]
    spans = sentence_spans(passage)
    sentences = [" ".join(passage[span.start : span.end].split()) for span in spans]
    if len(sentences) < 3 or any(len(sentence) > 380 for sentence in sentences):
        return
    form, writer = rng.choice((("list", _bullets), ("table", _table), ("definitions", _definitions)))
    title = title_of(record) or "Notes"
    if not record["answerable"]:
        yield AskedFile(f"passage as {form}", *writer(title, sentences, rng), record["q"], (), "")
        return
    if not record["answers"] or record["answers"][0]["start"] < 0:
        return
    answer = record["answers"][0]
    gold = next((n for n, span in enumerate(spans) if span.start <= answer["start"] < span.end), None)
    if gold is None:
        return
    listed = list(enumeration(record, sentences, gold, answer["text"]))
    if listed:
        yield from listed
        return
    yield AskedFile(
        f"passage as {form}", *writer(title, sentences, rng), record["q"], (sentences[gold],), answer["text"]
    )
    others = sentences[:gold] + sentences[gold + 1 :]
    if not any(answer["text"].lower() in sentence.lower() for sentence in others):
        yield AskedFile(f"passage as {form}", *writer(title, others, rng), record["q"], (), "")


def _bullets(title: str, sentences: list[str], rng: random.Random) -> tuple[str, str]:
    mark = rng.choice(("-", "*", "1.", "2)"))
    lead = rng.choice(("Key points:", "In short:", f"About {title}:", "Notes:", ""))
    return "notes.md", f"# {title}\n\n{lead}\n\n" + "\n".join(f"{mark} {sentence}" for sentence in sentences) + "\n"


def _table(title: str, sentences: list[str], rng: random.Random) -> tuple[str, str]:
    head = rng.choice((("No.", "Fact"), ("Topic", "Details"), ("Section", "Text"), ("Point", "Remark")))
    rows = [head]
    for number, sentence in enumerate(sentences, start=1):
        rows.append((str(number) if head[0] == "No." else _topic(sentence, f"Point {number}"), sentence))
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return f"{identifier(title)}.csv", file.getvalue()


def _definitions(title: str, sentences: list[str], rng: random.Random) -> tuple[str, str]:
    word = rng.choice(("Note", "Point", "Item"))
    entries = []
    for number, sentence in enumerate(sentences, start=1):
        term = _topic(sentence, f"{word} {number}")
        entries.append(f"<dt>{html.escape(term)}</dt><dd>{html.escape(sentence)}</dd>")
    return "glossary.html", f"<h1>{html.escape(title)}</h1><dl>{''.join(entries)}</dl>"


def _topic(sentence: str, otherwise: str) -> str:
    """The first name in a sentence."""
    return next(iter(names(f"a {sentence}")), otherwise)


def _fact_table(title: str, facts: dict[str, list[tuple[Record, str, str]]], rng: random.Random) -> AskedFile:
    """Facts of an article, each in a row or record of its own. Now and then the question is about one that is not there."""
    known = rng.sample(facts[title], min(rng.randrange(3, 7), len(facts[title])))
    asked, attribute, entity = known[0]
    value = asked["answers"][0]["text"]
    shown = known[1:] if rng.random() < 0.3 and len(known) > 2 else known
    shown = rng.sample(shown, len(shown))
    head = rng.choice((("Subject", "Detail", "Value"), ("Entry", "Property", "Content"), ("Of", "What", "Answer")))
    rows = [(of, what, record["answers"][0]["text"]) for record, what, of in shown]
    needed = (entity, attribute, value) if len(shown) == len(known) else ()
    if rng.random() < 0.5:
        file = io.StringIO()
        csv.writer(file).writerows([head, *rows])
        return AskedFile("passage as facts", "facts.csv", file.getvalue(), asked["q"], needed, value)
    lines = [f"- {of}, {what}: {content}" for of, what, content in rows]
    text = f"# {title}\n\nWhat is known:\n\n" + "\n".join(lines) + "\n"
    return AskedFile("passage as facts", "facts.md", text, asked["q"], needed, value)
