"""Words broken at the end of a line: joined as the document's other words say. Pure."""

import re
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LAST = re.compile(r"(-?)([^\W\d_]+)\Z")
_FIRST = re.compile(r"[^\W\d_]+")


class Hyphenation:
    """Decides whether the hyphen at a line's end belongs to the word: `bu-reaus`, but `state-sponsored`."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        for text in texts:
            self._words.update(_WORD.findall(text.lower()))
        self._parts: Counter[str] = Counter()
        for word, count in self._words.items():
            for part in word.split("-"):
                self._parts[part] += count

    def keeps(self, left: str, right: str) -> bool:
        """Whether the hyphen between `left`, the end of a line, and `right`, the start of the next, stays."""
        first, last = _FIRST.match(right), _LAST.search(left)
        if first is None or last is None:
            return True
        before, start, end = last[1], last[2].lower(), first[0].lower()
        surplus = self._words[start + end] - self._words[f"{start}-{end}"]
        if surplus:
            return surplus < 0
        min_length = 1 if before else 3  # "best-in-class" has short parts, "re-pairing" none
        return all(self._parts[part] > 1 and len(part) >= min_length for part in (start, end))
