"""The language of each block, from the scripts and words of its text. Runs in the extraction process.

A document has one language, and a block that is long enough to show another has that. What a reader has set stays. CLD3
reads samples of bounded length, so the time grows with the number of blocks, never with their lengths.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import gcld3

from index.blocks.block import INLINE, Block, Kind
from index.languages.frequent_words import FREQUENT_WORDS, count_frequent_words
from index.languages.scripts import has_other_letters, script_of

_PROSE = frozenset({Kind.PARAGRAPH, Kind.ITEM, Kind.MEANING, Kind.QUOTATION, Kind.NOTE})
_SILENT = INLINE | {Kind.CODE}
_SAMPLE = 600  # characters of one block
_SAMPLES = 20  # blocks of a document, evenly spread
_FEWEST_LETTERS = 20  # of a document: "Acme Corp." is Chinese to CLD3
_BLOCK_LENGTH = 80
_SURE = 0.8
_ENGLISH = re.compile(r"\bthe\b", re.IGNORECASE)  # a word of no other language: CLD3 need not read this block

_SHARED = {  # several languages write these scripts: CLD3 chooses among them
    "ru": frozenset("ru uk bg sr mk be kk ky mn tg".split()),
    "ar": frozenset("ar fa ur ps sd ku".split()),
    "hi": frozenset("hi mr ne".split()),
    "he": frozenset("iw yi".split()),
}
_STANDARD = {"iw": "he", "no": "nb"}

_detector = gcld3.NNetLanguageIdentifier(0, 4000)


def with_languages(text: str, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return the blocks with their languages. A block without one has that of the block that holds it.

    A block without a holder has the language of the document, empty if that is unknown. Where the text of a block is of
    another script, or is long and clearly of another language, the block has that one.
    """
    whole = document_language(text, blocks)
    found: list[Block] = []
    languages: list[str] = []
    for block in blocks:
        above = whole if block.parent is None else languages[block.parent]
        own = block.language or (above if block.kind in _SILENT else _language_of_block(text, block, above))
        languages.append(own)
        is_new = own != (above if block.parent is not None else "")
        found.append(replace(block, language=own) if is_new and own != block.language else block)
    return tuple(found)


def document_language(text: str, blocks: Sequence[Block] = ()) -> str:
    """Return the ISO 639-1 code of the language that most of a document is in; empty if it is unknown."""
    prose = [block for block in blocks if block.kind in _PROSE and block.end - block.start >= _FEWEST_LETTERS]
    step = max(1, -(-len(prose) // _SAMPLES))
    samples = [_sample(text, block.start, block.end) for block in prose[::step]]
    votes: Counter[str] = Counter()
    for sample in samples:
        if len(sample) >= _BLOCK_LENGTH and (language := language_of(sample)):
            votes[language] += len(sample)
    if votes:
        return max(votes, key=lambda language: votes[language])
    together = " ".join(samples)
    return language_of(together if _count_letters(together) >= _FEWEST_LETTERS else " ".join(_stretches(text)))


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the language of a text, which is short; empty if it is unknown.

    Latin letters show a language once there are twenty; other scripts do from the first letter on.
    """
    script = script_of(text)
    if script and script not in _SHARED:
        return script
    letters = _count_letters(text)
    if letters < _FEWEST_LETTERS:
        return script
    code, probability = _cld3(text)
    if script:
        return _STANDARD.get(code, code) if code in _SHARED[script] else script
    fewest = 1 if letters < _BLOCK_LENGTH else 2
    is_shown = probability >= _SURE and count_frequent_words(text, code) >= fewest
    return _STANDARD.get(code, code) if is_shown else ""


def _language_of_block(text: str, block: Block, above: str) -> str:
    """The language of a block inside something in the language `above`: that one, unless the block clearly shows another."""
    sample = _sample(text, block.start, block.end)
    is_latin = not has_other_letters(sample)
    if is_latin and (len(sample) < _BLOCK_LENGTH or (above == "en" and _ENGLISH.search(sample))):
        return above
    script = script_of(sample)
    if len(sample) < _BLOCK_LENGTH and (above in _SHARED.get(script, ()) or (script, above) == ("zh", "ja")):
        return above
    own = language_of(sample)
    code = "no" if own == "nb" else own
    if code not in FREQUENT_WORDS:
        return own or above
    is_clear = len(sample) >= _BLOCK_LENGTH and count_frequent_words(sample, code) > 2 + count_frequent_words(
        sample, above
    )
    return own if is_clear else above


def _cld3(text: str) -> tuple[str, float]:
    """The code and probability that CLD3 gives; it reads no lone surrogates, and only up to a zero."""
    result = _detector.FindLanguage(text.replace("\0", " ").encode("utf-8", "replace").decode())
    return result.language, result.probability if result.is_reliable else 0.0


def _count_letters(text: str) -> int:
    return sum(character.isalpha() for character in text)


def _sample(text: str, start: int, end: int) -> str:
    return text[start : min(end, start + _SAMPLE)]


def _stretches(text: str) -> Iterator[str]:
    """At most `_SAMPLES` stretches of a text, evenly spread."""
    step = max(_SAMPLE, -(-len(text) // _SAMPLES))
    for start in range(0, len(text), step):
        yield _sample(text, start, len(text))
