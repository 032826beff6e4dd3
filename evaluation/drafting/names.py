"""Which words are names in a collection, told from how the collection writes them. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterable

_TOKEN = re.compile(r"[^\W\d_][\w'’-]*")
_CODE = re.compile(r"[^\W_]+(?:[-_./+:~@][\w~]+)+|[^\W_]*\d[\w.-]*|/[\w./-]+|[a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*")
_ACRONYM = re.compile(r"[A-Z][A-Z0-9]{1,9}")
_CONNECTORS = frozenset({"of", "the", "and", "for", "de"})
_CAPITALS_PER_SMALL = 4
_MAX_WORDS = 5


class Names:
    """The names of a collection, from its sentences. `is_common` says whether a word is in an ordinary vocabulary."""

    def __init__(self, sentences: Iterable[str], is_common: Callable[[str], bool]) -> None:
        self._capitals: Counter[str] = Counter()
        self._small: Counter[str] = Counter()
        self._is_common = is_common
        for sentence in sentences:
            for number, token in enumerate(_TOKEN.findall(sentence)):
                if token[0].islower():
                    self._small[token] += 1
                elif number:
                    self._capitals[token] += 1

    def is_name(self, word: str) -> bool:
        """Whether a word is a name: in capitals, of signs and digits, a small one of no vocabulary, or one that keeps
        its capital inside sentences.
        """
        if _ACRONYM.fullmatch(word) or _CODE.fullmatch(word):
            return len(word) > 1 and any(map(str.isalpha, word)) and not self._is_compound(word)
        if word[:1].islower():
            return len(word) > 2 and word.isalpha() and not self._is_common(word)
        capitals, small = self._capitals[word], self._small[word.lower()]
        return capitals > _CAPITALS_PER_SMALL * small

    def is_named(self, phrase: str) -> bool:
        """Whether the phrase of up to five words that begins a sentence is a name: names, with small connecting words
        between. Of words with hyphens, one that begins a sentence small is a name: "apt-get".
        """
        words = phrase.split()
        if len(words) == 1 and words[0].islower() and _CODE.fullmatch(words[0]):
            return True
        if not 0 < len(words) <= _MAX_WORDS or words[0] in _CONNECTORS or words[-1] in _CONNECTORS:
            return False
        return all(word in _CONNECTORS or self.is_name(word) for word in words)

    def holds_name(self, phrase: str) -> bool:
        """Whether any word of the phrase is a name."""
        return any(self.is_name(word) for word in phrase.split())

    def _is_compound(self, word: str) -> bool:
        """Whether the parts of a word with hyphens are ordinary words: "two-dimensional"."""
        parts = word.split("-")
        return len(parts) > 1 and all(part.isalpha() and self._is_common(part) for part in parts)
