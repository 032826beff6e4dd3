"""Sheets: facts as keys, attributes and values, with questions about single cells. Values are drawn or made up."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from training.sources import Split
from training.structure.attributes import TOPICS, Attribute, topic_of_split
from training.structure.vocabulary import ValueKind as V
from training.structure.vocabulary import Vocabulary

Item = TypeVar("Item")

_WORD = re.compile(r"\w+")
_UNITS = {
    V.QUANTITY: ("kg", "g", "m", "km", "cm", "litres", "GB", "MB", "kW", "square metres", "hours", "°C", "miles"),
    V.DURATION: ("days", "weeks", "months", "years", "hours", "minutes", "seconds", "working days"),
}
_CURRENCIES = ("{} euros", "{} EUR", "€{}", "${}", "{} dollars", "£{}", "{} CHF", "{} kr", "{}")
_BY_KIND = {
    V.PERSON: ("Who is the {a} of {k}?", "Who is {k}'s {a}?", "Who is the {a} for {k}?"),
    V.PLACE: ("Where is the {a} of {k}?", "What is the {a} of {k}?"),
    V.DATE: ("When was the {a} of {k}?", "What is the {a} of {k}?"),
    V.MONEY: ("How much is the {a} of {k}?", "What is the {a} for {k}?", "How high is the {a} of {k}?"),
    V.PERCENT: ("How high is the {a} of {k}?", "What is the {a} for {k}?"),
    V.COUNT: ("How many {a} does {k} have?", "What is the {a} of {k}?"),
    V.DURATION: ("How long is the {a} of {k}?", "How long is the {a} for {k}?"),
    V.TIME: ("What is the {a} of {k}?", "What is the {a} in {k}?"),
}
_BY_NAME = (
    "What is the {a} of {k}?", "What is the {a} for {k}?", "Which {a} does {k} have?", "What's {k}'s {a}?", "{a} of {k}",
    "{k} {a}", "{a} {k}?", "Tell me the {a} of {k}.", "What {a} is given for {k}?", "I need the {a} for {k}",
)  # fmt: skip
_REVERSED = (
    "Which {n} has the {a} {v}?", "What has {v} as its {a}?", "Which {n} has a {a} of {v}?", "For which {n} is the {a} {v}?",
    "{a} {v}: which {n}?",
)  # fmt: skip
REVERSED_SHARE = 0.12
_OWN_WORDS_SHARE = 0.5
"""Share of the questions in other words than the attribute's name, where there are such words."""


@dataclass(frozen=True)
class Sheet:
    """Keys in rows, attributes in columns. `noun` names the column of the keys, `subject` is what the sheet is about."""

    subject: str
    noun: str
    attributes: tuple[Attribute, ...]
    keys: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]

    def without_row(self, row: int) -> "Sheet":
        """The sheet without one key."""
        return Sheet(
            self.subject, self.noun, self.attributes, _without(self.keys, row), tuple(_without(self.cells, row))
        )

    def without_column(self, column: int) -> "Sheet":
        """The sheet without one attribute."""
        cells = tuple(_without(row, column) for row in self.cells)
        return Sheet(self.subject, self.noun, _without(self.attributes, column), self.keys, cells)


@dataclass(frozen=True)
class CellQuestion:
    """A question that one cell of a sheet answers. `names_key`: it is asked for the value of a key, not the other way round."""

    text: str
    row: int
    column: int
    names_key: bool

    def answer(self, sheet: Sheet) -> str:
        """The text that answers it."""
        return sheet.cells[self.row][self.column] if self.names_key else sheet.keys[self.row]


def _without(items: Sequence[Item], place: int) -> tuple[Item, ...]:
    return (*items[:place], *items[place + 1 :])


class SheetMaker:
    """Makes sheets of a split: keys and values come from the vocabulary, attributes from there and from `attributes`."""

    def __init__(self, words: Vocabulary, split: Split) -> None:
        self._values = words.values
        self._mined = [Attribute(name, kind) for name, kind in words.attributes]
        self._topics = [(topic, topic_of_split(topic, split)) for topic in TOPICS]

    def sheet(self, rng: random.Random, rows: int, columns: int) -> Sheet:
        """A sheet of about that size: keys and the values of a column differ."""
        topic, everyday = rng.choice(self._topics)
        pool = [*everyday, *rng.sample(self._mined, min(len(self._mined), max(2, len(everyday) // 2)))]
        chosen: list[Attribute] = []
        for attribute in rng.sample(pool, len(pool)):
            if len(chosen) < columns and not any(_shared(attribute, other) for other in chosen):
                chosen.append(attribute)
        keys = self._distinct(topic.keys, rows, rng)
        columns_of_values = [self._distinct(attribute.kind, len(keys), rng, repeated=True) for attribute in chosen]
        cells = tuple(zip(*columns_of_values, strict=True))
        return Sheet(self.value(V.NAME, rng), rng.choice(topic.nouns), tuple(chosen), keys, cells)

    def value(self, kind: V, rng: random.Random) -> str:
        """A value of the kind, drawn or made up."""
        drawn = self._values.get(kind, ())
        if kind in (V.PERSON, V.PLACE, V.NAME, V.PHRASE) or (drawn and kind is not V.COUNT and rng.random() < 0.4):
            return rng.choice(drawn)
        return _made_up(kind, rng)

    def absent_key(self, sheet: Sheet, rng: random.Random) -> str | None:
        """A key that the sheet could have and has not, none of whose words is in it."""
        topic = next(topic for topic, _ in self._topics if sheet.noun in topic.nouns)
        present = {word for key in sheet.keys for word in _words(key)}
        for _ in range(12):
            key = self.value(topic.keys, rng)
            if not present & _words(key):
                return key
        return None

    def absent_attribute(self, sheet: Sheet, rng: random.Random) -> Attribute | None:
        """An attribute that the sheet could have and has not, of another meaning than those that it has."""
        topic = next(everyday for topic, everyday in self._topics if sheet.noun in topic.nouns)
        mined = rng.sample(self._mined, min(3, len(self._mined)))
        usable = [a for a in (*topic, *mined) if not any(_shared(a, b) for b in sheet.attributes)]
        return rng.choice(usable) if usable else None

    def _distinct(self, kind: V, count: int, rng: random.Random, *, repeated: bool = False) -> tuple[str, ...]:
        """Values of a kind of which no two share their form in lower case; a repeated one is now and then among them."""
        found: dict[str, str] = {}
        for _ in range(count * 6):
            value = self.value(kind, rng)
            found.setdefault(value.lower(), value)
            if len(found) == count:
                break
        values = list(found.values())
        while repeated and len(values) < count:
            values.append(rng.choice(values))
        return tuple(values)


def questions(sheet: Sheet, rng: random.Random, count: int) -> list[CellQuestion]:
    """At most `count` questions about different cells."""
    places = [(row, column) for row in range(len(sheet.keys)) for column in range(len(sheet.attributes))]
    asked: list[CellQuestion] = []
    for row, column in rng.sample(places, min(count, len(places))):
        attribute, value = sheet.attributes[column], sheet.cells[row][column]
        values = [cells[column].lower() for cells in sheet.cells]
        if rng.random() < REVERSED_SHARE and values.count(value.lower()) == 1:
            text = rng.choice(_REVERSED).format(n=sheet.noun.lower(), a=attribute.name, v=value)
            asked.append(CellQuestion(text, row, column, names_key=False))
        else:
            asked.append(CellQuestion(question(attribute, sheet.keys[row], rng), row, column, names_key=True))
    return asked


def question(attribute: Attribute, key: str, rng: random.Random) -> str:
    """A question for the attribute of a key, in its own words or in others."""
    if attribute.questions and rng.random() < _OWN_WORDS_SHARE:
        return rng.choice(attribute.questions).format(k=key)
    forms = _BY_KIND.get(attribute.kind, ()) if rng.random() < 0.5 else ()
    return rng.choice(forms or _BY_NAME).format(a=attribute.name, k=key)


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _shared(one: Attribute, other: Attribute) -> bool:
    """Whether two attributes could be asked for in the same words: a word of their names, or their kind of amount."""
    alike = (V.MONEY, V.PERSON, V.PLACE, V.TIME, V.DATE, V.DURATION)
    both_loose = one.kind is other.kind and one.kind in alike and (not one.questions or not other.questions)
    return bool(_words(one.name) & _words(other.name)) or both_loose


def _made_up(kind: V, rng: random.Random) -> str:
    if kind is V.MONEY:
        cents = rng.choice(("", "", "", ".50", ".90", ".99", ".00"))
        return rng.choice(_CURRENCIES).format(f"{_amount(rng)}{cents}")
    if kind in _UNITS:
        return f"{rng.choice((_amount(rng), str(rng.randrange(2, 60))))} {rng.choice(_UNITS[kind])}"
    return _MADE_UP.get(kind, _amount)(rng)


def _percent(rng: random.Random) -> str:
    return rng.choice((f"{rng.randrange(1, 100)}%", f"{rng.randrange(1, 100)}.{rng.randrange(10)} %"))


def _time(rng: random.Random) -> str:
    hour, minute = rng.randrange(5, 23), rng.choice(("00", "15", "30", "45"))
    half = "am" if hour < 12 else "pm"
    return rng.choice((f"{hour}:{minute}", f"{hour % 12 or 12}:{minute} {half}", f"{hour}.{minute}"))


def _date(rng: random.Random) -> str:
    month, year = rng.choice(_MONTHS), rng.randrange(1990, 2031)
    quarter = f"Q{rng.randrange(1, 5)} {year}"
    return rng.choice((str(year), f"{rng.randrange(1, 29)} {month} {year}", quarter, f"{month} {year}"))


_MONTHS = tuple("January February March April May June July August September October November December".split())
_CHOICES = (
    "red", "blue", "green", "white", "black", "grey", "high", "low", "medium", "beginners", "advanced", "sales", "finance",
    "purchasing", "support", "legal", "production", "staging", "testing", "debug", "warning", "error", "optional", "required",
    "research", "logistics", "marketing", "accounting", "security", "facilities", "yes", "no",
)  # fmt: skip
_STEMS = tuple(
    "max min cache log queue batch worker index session retry upload token page memory disk proxy mail backup import export "
    "search user auth report billing order stock image video event job node cluster shard lock".split()
)
_ENDS = tuple(
    "size count limit path level rate mode interval age depth url host name timeout server service runner sync".split()
)


def _code(rng: random.Random) -> str:
    letters = "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXZ") for _ in range(rng.randrange(1, 4)))
    stem, end = rng.choice(_STEMS), rng.choice(_ENDS)
    release = ".".join(str(rng.randrange(20)) for _ in range(3))
    return rng.choice((
        f"{letters}-{rng.randrange(10, 9999)}", f"{letters}{rng.randrange(1, 99)}", f"{stem}_{end}", f"{stem}.{end}",
        f"{stem}-{end}", f"{stem.upper()}_{end.upper()}", release,
    ))  # fmt: skip


def _amount(rng: random.Random) -> str:
    size = rng.choice((10, 100, 1_000, 10_000, 1_000_000))
    number = rng.randrange(max(1, size // 10), size)
    return f"{number:,}" if rng.random() < 0.5 else str(number)


_MADE_UP: Mapping[V, Callable[[random.Random], str]] = {
    V.PERCENT: _percent,
    V.TIME: _time,
    V.DATE: _date,
    V.CODE: _code,
    V.CHOICE: lambda rng: rng.choice(_CHOICES),
}
