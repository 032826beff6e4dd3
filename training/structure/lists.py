"""Lists whose lead-ins say what their items are: two made-up ones side by side, and enumerations out of passages."""

import random
import re
from collections.abc import Iterator, Sequence

from training.sources import Record, title_of
from training.structure.asked import AskedFile
from training.structure.vocabulary import ValueKind, Vocabulary

_LEAD_INS = (
    ("Included in the price:", "Charged in addition:", "What is included in the price?", "What costs extra?"),
    ("Please bring:", "Please leave at home:", "What do I have to bring?", "What should I not bring?"),
    ("The following are allowed:", "The following are forbidden:", "What is allowed?", "What must I not do?"),
    ("Stored for ten years:", "Deleted after a month:", "What is kept for a long time?", "What is soon deleted?"),
    ("Covered by the insurance:", "Excluded from the insurance:", "What does the insurance pay?", "What is not insured?"),
    ("Done in the morning:", "Done in the evening:", "What is done in the morning?", "What is left for the evening?"),
    ("Known problems:", "Fixed in this release:", "What still does not work?", "What was repaired?"),
    ("Members of the board:", "Former directors:", "Who is on the board?", "Who used to be on the board?"),
    ("Advantages:", "Disadvantages:", "What speaks for it?", "What speaks against it?"),
    ("Before you begin:", "When you have finished:", "What comes first?", "What is to be done at the end?"),
    ("Required documents:", "Optional documents:", "Which papers must I hand in?", "Which papers may I add?"),
    ("Delivered by us:", "Provided by the customer:", "What do you deliver?", "What do we have to provide ourselves?"),
    ("Open to everybody:", "For members only:", "What can anybody use?", "What is reserved for members?"),
    ("Paid monthly:", "Paid once a year:", "What do I pay each month?", "What is due once a year?"),
    ("Supported:", "Unsupported:", "What is supported?", "What does not work?"),
    ("New this year:", "No longer offered:", "What has been added?", "What was dropped?"),
)  # fmt: skip
_ENUMERATION = re.compile(
    r"(?P<lead>.{12,110}? (?:includes?|included|including|such as|contains?|comprises?|consists? of|namely)):? "
    r"(?P<items>[^,;:.()]{3,60}(?:, [^,;:.()]{3,60})+,? (?:and|or) [^,;:.()]{3,60})\."
)
_BETWEEN = re.compile(r",? (?:and|or) |, ")
_MAX_ITEM_WORDS = 8


def paired_lists(words: Vocabulary, leads: range, rng: random.Random) -> AskedFile:
    """Two lists with opposite lead-ins and a question for one; now and then only the other is in the file."""
    first, second, asks_first, asks_second = _LEAD_INS[rng.choice(leads)]
    kind = (
        ValueKind.PERSON
        if first.startswith("Members")
        else rng.choice((ValueKind.PHRASE, ValueKind.PHRASE, ValueKind.NAME))
    )
    texts = words.values[kind]
    lists = [(lead, rng.sample(texts, min(rng.randrange(2, 6), len(texts)))) for lead in (first, second)]
    asked = rng.randrange(2)
    lead, items = lists[asked]
    is_there = rng.random() < 0.75
    shown = lists if is_there else [lists[1 - asked]]
    mark = rng.choice(("-", "*", "1."))
    written = rng.sample(shown, len(shown))
    parts = ["\n".join([name, "", *(f"{mark} {text}" for text in members)]) for name, members in written]
    text = "\n\n".join([f"# {rng.choice(words.values[ValueKind.NAME])}", *parts])
    return AskedFile(
        "two lists", "lists.md", text, (asks_first, asks_second)[asked], (lead,) if is_there else (), items[0]
    )


def leads_of_split(*, is_test: bool) -> range:
    """The places of the lead-ins that a split uses: the test has some of its own."""
    return range(12, len(_LEAD_INS)) if is_test else range(12)


def enumeration(record: Record, sentences: Sequence[str], gold: int, answer: str) -> Iterator[AskedFile]:
    """The passage with its sentence that answers as a lead-in and a list, and without it; nothing where that is no list."""
    match = _ENUMERATION.fullmatch(sentences[gold])
    if not match or answer not in match["items"]:
        return
    items = [item.strip() for item in _BETWEEN.split(match["items"])]
    if len(items) < 3 or any(len(item.split()) > _MAX_ITEM_WORDS for item in items):
        return
    title = title_of(record) or "Notes"
    lead = f"{match['lead']}:"
    before, after = " ".join(sentences[:gold]), " ".join(sentences[gold + 1 :])
    listed = "\n".join([lead, "", *(f"- {item}" for item in items)])
    named = [item for item in items if answer in item]
    needed = (lead, named[0]) if len(named) == 1 else (lead,)
    for body, gold_texts in ((listed, needed), ("", ())):
        parts = [part for part in (before, body, after) if part]
        text = "\n\n".join([f"# {title}", *parts])
        if parts:
            yield AskedFile("passage as enumeration", "list.md", text, record["q"], gold_texts, answer)
