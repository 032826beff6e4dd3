"""What a text is found by besides its words: stems in other languages than English, and pairs of letters. Pure.

A stem carries the code of its language (`de:kundigungsfrist`), so that it matches in texts of that language only. A text in
Latin letters has stems in the language of which it holds enough frequent words, and its stretches in the languages of their
blocks; an English one has none, since its words are stemmed as English anyway. A word of another script is stemmed by its
script. Where no blanks part the words, every two letters that stand beside each other are a term (every three in Thai, whose
letters say less), so that a word matches wherever it stands.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from index.languages.frequent_words import likely_language
from index.languages.scripts import has_other_letters

_MAX_WORD_BYTES = 60
_FEWEST_FREQUENT_WORDS = 3
_SAMPLE = 600  # characters from which the language is taken

_PAIRED = re.compile(
    r"[\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[\u1100-\u11ff\uac00-\ud7af]+"
)
_TRIPLED = re.compile(r"[\u0e00-\u0e7f]+|[\u0e80-\u0eff]+|[\u1000-\u109f]+|[\u1780-\u17ff]+")
_HINDI_WORD = re.compile(r"[\u0900-\u0963\u0970-\u097f]+")
_HINDI_ENDINGS = re.compile(
    r"(?<=[\u0900-\u097f]{2})(?:ियों|ियाँ|ियां|ाओं|ाएं|ाएँ|ुओं|ने|ना|नी|ों|ें|ीं|ाँ|ां|ये|या|यी|ए|ई|ा|ी|े|ो|ि|ु|ू)\Z"
)
_ARABIC_AND_THE = re.compile(r"\b[وفبك]ال(?=\w{2})")

_LATIN = {
    "de": "german", "fr": "french", "es": "spanish", "it": "italian", "pt": "portuguese", "nl": "dutch", "sv": "swedish",
    "da": "danish", "no": "norwegian", "fi": "finnish", "hu": "hungarian", "ro": "romanian", "tr": "turkish",
}  # fmt: skip
_SAME = {"nb": "no", "nn": "no"}
_OTHER_SCRIPTS = {
    "ru": (r"[\p{Cyrillic}\p{M}]{3,}", "russian"),
    "el": (r"[\p{Greek}\p{M}]{3,}", "greek"),
    "ar": (r"[\p{Arabic}\p{M}]{3,}", "arabic"),
    "ta": (r"[\p{Tamil}\p{M}]{3,}", "tamil"),
}  # of three letters on: the Greek ones in English texts are units and cells

LATIN_LANGUAGES = tuple(_LATIN)
"""The languages in Latin letters that have stems."""


def marker(language: str) -> str:
    """Return the term that every text with stems of a language in Latin letters has."""
    return f"{language}:"


def indexed_terms(text: str, stretches: Sequence[tuple[str, str]] = ()) -> Iterator[str]:
    """Yield the terms of a text: its stems in its language, with the marker of that, its stems by script, and its letters.

    Of `stretches` of it, each after the code of its language, come stems in that language, too.
    """
    text = _normal(text)
    language = likely_language(text[:_SAMPLE], _FEWEST_FREQUENT_WORDS)
    parts = {language: [text]} if language in _LATIN else {}
    for found, stretch in stretches:
        code = _SAME.get(found, found)
        if code in _LATIN and code != language:
            parts.setdefault(code, []).append(_normal(stretch))
    for code, texts in parts.items():
        yield marker(code)
        for part in texts:
            yield from _latin_stems(part, code)
    if has_other_letters(text):
        yield from _stems_by_script(text)
        yield from letter_terms(text)


def stems_of_word(word: str, languages: tuple[str, ...]) -> list[str]:
    """Return the stems of one word in each of the languages, which are in Latin letters, or else by its script."""
    word = _normal(word)
    if has_other_letters(word):
        return list(_stems_by_script(word))
    return [stem for language in languages for stem in _latin_stems(word, language)]


def letter_terms(text: str) -> Iterator[str]:
    """Yield every two letters side by side in Chinese, Japanese and Korean, every three in Thai, Lao, Khmer and Burmese."""
    for size, runs in ((2, _PAIRED), (3, _TRIPLED)):
        for match in runs.finditer(text):
            run = match.group()
            for start in range(max(1, len(run) - size + 1)):
                yield run[start : start + size]


def _stems_by_script(text: str) -> Iterator[str]:
    for language, (letters, stemmer) in _OTHER_SCRIPTS.items():
        yield from (f"{language}:{stem}" for stem in _analyzer(letters, stemmer).analyze(text))
    yield from (f"hi:{_HINDI_ENDINGS.sub('', word)}" for word in _HINDI_WORD.findall(text))


@cache
def _analyzer(letters: str, stemmer: str) -> TextAnalyzer:
    """The analyzer of words of these letters; made when it is first needed, since together they take 40 ms and 7 MB."""
    return (
        TextAnalyzerBuilder(Tokenizer.regex(letters))
        .filter(Filter.remove_long(_MAX_WORD_BYTES))
        .filter(Filter.lowercase())
        .filter(Filter.stemmer(stemmer))
        .filter(Filter.ascii_fold())
        .build()
    )


def _latin_stems(text: str, language: str) -> list[str]:
    return [f"{language}:{stem}" for stem in _analyzer(r"[\p{Latin}\p{M}]+", _LATIN[language]).analyze(text)]


def _normal(text: str) -> str:
    """The text with Arabic articles apart from the particles before them, and without the Russian letter that few write."""
    text = unicodedata.normalize("NFKC", text)
    if not has_other_letters(text):
        return text
    return _ARABIC_AND_THE.sub("ال", text).replace("ё", "е").replace("Ё", "Е")
