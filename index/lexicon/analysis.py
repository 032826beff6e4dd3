"""What a text is to the lexicon: its words, the fields that they stand in, and queries for them. Pure.

Text and query go through the same analysis: Unicode NFKC, words of letters, marks and digits (each ideograph or kana is a
word of its own, since those scripts put no space between words), lower case, no accents, English stems. Names that are put
together with signs (`max_connections`, `CVE-2021-44228`, `3.11`) are words besides their parts, so that a question about one
finds it before texts that have its parts: over the documentation of PostgreSQL and Python, the passage that defines a setting
is among the first twelve for 59 of 60 questions for its default, without such words for 52. A query is built from terms, never
parsed, so no input is a syntax error.
"""

import re
import unicodedata

import tantivy
from tantivy import Filter, Occur, Query, TextAnalyzerBuilder, Tokenizer

from index.filters import Scope

_WORDS = r"[\p{Han}\p{Hiragana}\p{Katakana}]|[[\p{L}\p{M}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}]]+"
_COMPOUND = re.compile(r"(?<![^\W_])[^\W_]++(?:[_.:/\-][^\W_]++)++")  # in time that grows with the text alone
_TELLING = re.compile(r"[_.\d]")  # "two-dimensional" and "and/or" are words like others
_PATH = re.compile(r"[.:/\-]")
_SIGN = re.compile(r"[_.:/\-]")
_JOINT = "\u02d0"  # a letter to the regular expression above; texts have it in phonetic script alone
_LONGEST_WORD = 60
_MOST_TERMS = 256

ANALYZER = (
    TextAnalyzerBuilder(Tokenizer.regex(_WORDS))
    .filter(Filter.remove_long(_LONGEST_WORD))
    .filter(Filter.lowercase())
    .filter(Filter.ascii_fold())
    .filter(Filter.stemmer("english"))
    .build()
)
"""What makes terms of a text."""


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("number", indexed=True, fast=True)
    builder.add_unsigned_field("document", indexed=True, fast=True)
    builder.add_text_field("text", tokenizer_name="words", index_option="freq")
    for name in ("format", "ledger", "position"):
        builder.add_unsigned_field(name, fast=True)
    return builder.build()


SCHEMA = _schema()
"""The fields of an entry: its number, its document's, its words; and of the one entry that holds the mark, that."""


def compounds(text: str) -> list[str]:
    """The names in `text` that are put together with signs, in lower case, as often as they stand there.

    `functools.lru_cache` is one and holds another, `lru_cache`. Words of letters alone that a hyphen, a stroke or a colon joins
    are none.
    """
    found = (match.group().lower() for match in _COMPOUND.finditer(unicodedata.normalize("NFKC", text)))
    return [part for name in found if _TELLING.search(name) for part in (name, *_inner(name))]


def identifiers(text: str) -> frozenset[str]:
    """The names with an underscore in `text`, in lower case, each without what leads to it (`lru_cache`)."""
    return frozenset(name for name in compounds(text) if "_" in name and not _PATH.search(name))


def _inner(name: str) -> list[str]:
    parts = _PATH.split(name)
    return [part for part in parts if "_" in part] if len(parts) > 1 else []


def normal(text: str) -> str:
    """The text as it is analysed, its compounds behind it as words."""
    joined = (_SIGN.sub(_JOINT, name) for name in compounds(text))
    return " ".join((unicodedata.normalize("NFKC", text), *joined))


def terms(text: str) -> list[str]:
    """The different terms of `text`, in order, at most 256."""
    return list(dict.fromkeys(ANALYZER.analyze(normal(text))))[:_MOST_TERMS]


def any_term(text: str) -> Query | None:
    """Any of the terms; None without one."""
    wanted = [(Occur.Should, Query.term_query(SCHEMA, "text", term, index_option="freq")) for term in terms(text)]
    return Query.boolean_query(wanted) if wanted else None


def within(words: Query, scope: Scope) -> Query:
    """The query, within the scope."""
    if scope.outside and not scope.numbers.size:
        return words
    documents = Query.const_score_query(Query.term_set_query(SCHEMA, "document", scope.numbers.tolist()), 0.0)
    return Query.boolean_query([(Occur.Must, words), (Occur.MustNot if scope.outside else Occur.Must, documents)])
