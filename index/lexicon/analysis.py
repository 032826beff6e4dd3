"""Text analysis for the lexicon: the terms of a text, the fields of the index, and queries for terms. Pure.

Text and query go through the same analysis: Unicode NFKC, words of letters, marks and digits (each ideograph or kana is a
word of its own, since those scripts put no space between words), lower case, no accents, English stems. Compound names
(`max_connections`, `CVE-2021-44228`, `3.11`) are indexed as words in addition to their parts, so that a question about one
ranks it before texts that merely have its parts: over the documentation of PostgreSQL and Python, the passage that defines a
setting is among the first twelve for 59 of 60 questions about its default, and for 52 without compounds. The stems of
other languages, and the pairs of letters of scripts without blanks, stand in a field of their own (`stems`), so English texts
are found as if there were none. A query is built from terms, never parsed, so no input is a syntax error.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

import tantivy
from tantivy import Filter, Occur, Query, TextAnalyzerBuilder, Tokenizer

from index.languages.frequent_words import likely_language
from index.ledger.selection import Selection
from index.lexicon.stems import letter_terms, stems_of_word

_WORDS = r"[\p{Han}\p{Hiragana}\p{Katakana}]|[[\p{L}\p{M}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}]]+"
_COMPOUND = re.compile(r"(?<![^\W_])[^\W_]++(?:[_.:/\-][^\W_]++)++")  # possessive: linear in the length of the text
_DISTINCTIVE = re.compile(r"[_.\d]")  # "two-dimensional" and "and/or" are ordinary words
_PATH = re.compile(r"[.:/\-]")
_SIGN = re.compile(r"[_.:/\-]")
_JOINER = "\u02d0"  # a letter to `_WORDS`; texts contain it in phonetic script only
_MAX_WORD_BYTES = 60
_MAX_TERMS = 256
_SAMPLE = 600  # characters of a question from which its language is taken
_FEWEST_FREQUENT_WORDS = 2


def _words() -> TextAnalyzerBuilder:
    return (
        TextAnalyzerBuilder(Tokenizer.regex(_WORDS))
        .filter(Filter.remove_long(_MAX_WORD_BYTES))
        .filter(Filter.lowercase())
    )


ANALYZERS = {
    "words": _words().filter(Filter.ascii_fold()).filter(Filter.stemmer("english")).build(),
    "stems": TextAnalyzerBuilder(Tokenizer.whitespace()).build(),
}
"""What splits a text into terms, by the name of the tokenizer: the text of an entry, and its stems."""

_UNSTEMMED = _words().build()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("number", indexed=True, fast=True)
    builder.add_unsigned_field("document", indexed=True, fast=True)
    builder.add_text_field("text", tokenizer_name="words", index_option="freq")
    builder.add_text_field("stems", tokenizer_name="stems", index_option="freq")
    for name in ("format", "ledger", "position"):
        builder.add_unsigned_field(name, fast=True)
    return builder.build()


SCHEMA = _schema()
"""The fields of an entry: numbers of itself and its document, words, stems; and those of the one that holds the mark."""


def compounds(text: str) -> list[str]:
    """The compound names in `text`, in lower case, each as often as it occurs.

    `functools.lru_cache` is one and contains another, `lru_cache`. Words of letters only, joined by a hyphen, a slash or a
    colon, do not count.
    """
    names = (match.group().lower() for match in _COMPOUND.finditer(unicodedata.normalize("NFKC", text)))
    return [part for name in names if _DISTINCTIVE.search(name) for part in (name, *_inner_names(name))]


def identifiers(text: str) -> frozenset[str]:
    """The names with an underscore in `text`, in lower case, each without the path before it (`lru_cache`)."""
    return frozenset(name for name in compounds(text) if "_" in name and not _PATH.search(name))


def _inner_names(name: str) -> list[str]:
    parts = _PATH.split(name)
    return [part for part in parts if "_" in part] if len(parts) > 1 else []


def normalize(text: str) -> str:
    """The text as it is analysed, followed by its compounds as single words."""
    words = (_SIGN.sub(_JOINER, name) for name in compounds(text))
    return " ".join((unicodedata.normalize("NFKC", text), *words))


def terms(text: str) -> list[str]:
    """The distinct terms of `text`, in order, at most 256."""
    return list(dict.fromkeys(ANALYZERS["words"].analyze(normalize(text))))[:_MAX_TERMS]


def query_terms(text: str, languages: tuple[str, ...]) -> tuple[dict[str, list[str]], list[str]]:
    """The distinct terms of a question, each with the stems that its word has besides, and its letters; at most 256 each.

    `languages` are those in Latin letters that have stems; of these, that of the question counts, or all if its language is
    unknown.
    """
    asked = likely_language(text[:_SAMPLE], _FEWEST_FREQUENT_WORDS)
    languages = tuple(language for language in languages if asked in ("", language))
    normal = normalize(text)
    words = dict(zip(ANALYZERS["words"].analyze(normal), _UNSTEMMED.analyze(normal), strict=True))
    stems = {
        term: [] if _JOINER in word else stems_of_word(word, languages)
        for term, word in islice(words.items(), _MAX_TERMS)
    }
    letters = dict.fromkeys(letter_terms(unicodedata.normalize("NFKC", text)))
    return stems, list(islice(letters, _MAX_TERMS))


def any_term(text: str, languages: tuple[str, ...] = ()) -> Query | None:
    """A query for any of the terms of `text`; None if it has none.

    `languages` are those in Latin letters whose stems are in the index (see `query_terms`). A word counts as
    what it matches best: itself or one of its stems. Milliseconds of one core at 62,196 chunks, ten words a query: 2.8 without
    stems, 8.2 with those of one language, 10.3 of five.
    """
    words, letters = query_terms(text, languages)
    clauses = [_word_query(term, stems) for term, stems in words.items()]
    clauses += [_term_query("stems", term) for term in letters]
    return Query.boolean_query([(Occur.Should, clause) for clause in clauses]) if clauses else None


def _word_query(term: str, stems: Sequence[str]) -> Query:
    itself = _term_query("text", term)
    return Query.disjunction_max_query([itself, *(_term_query("stems", stem) for stem in stems)]) if stems else itself


def _term_query(field: str, term: str) -> Query:
    return Query.term_query(SCHEMA, field, term, index_option="freq")


def restrict(words: Query, selection: Selection) -> Query:
    """The query, restricted to the documents of `selection`."""
    if selection.outside and not selection.numbers.size:
        return words
    documents = Query.const_score_query(Query.term_set_query(SCHEMA, "document", selection.numbers.tolist()), 0.0)
    return Query.boolean_query([(Occur.Must, words), (Occur.MustNot if selection.outside else Occur.Must, documents)])
