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

_PROSE = frozenset({Kind.PARAGRAPH, Kind.ITEM, Kind.MEANING, Kind.QUOTATION, Kind.NOTE})
_SILENT = INLINE | {Kind.CODE}
_SAMPLE = 600  # characters of one block
_SAMPLES = 20  # blocks of a document, evenly spread
_FEWEST_LETTERS = 20  # of a document: "Acme Corp." is Chinese to CLD3
_BLOCK_LENGTH = 80
_SURE = 0.8
_ENGLISH = re.compile(r"\bthe\b", re.IGNORECASE)  # a word of no other language: CLD3 need not read this block

_FAR = re.compile(r"[\u0370-\u1dff\u1f00-\u1fff\u2e80-\U0003ffff]")  # neither Latin nor punctuation
_SCRIPTS = {
    script: re.compile(f"[{letters}]")
    for script, letters in {
        "ja": "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d",
        "zh": "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff",
        "ko": "\u1100-\u11ff\uac00-\ud7af",
        "ru": "\u0400-\u052f",
        "ar": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
        "hi": "\u0900-\u097f",
        "th": "\u0e00-\u0e7f",
        "el": "\u0370-\u03ff\u1f00-\u1fff",
        "he": "\u0590-\u05ff",
        "hy": "\u0530-\u058f",
        "ka": "\u10a0-\u10ff",
        "bn": "\u0980-\u09ff",
        "pa": "\u0a00-\u0a7f",
        "gu": "\u0a80-\u0aff",
        "ta": "\u0b80-\u0bff",
        "te": "\u0c00-\u0c7f",
        "kn": "\u0c80-\u0cff",
        "ml": "\u0d00-\u0d7f",
        "si": "\u0d80-\u0dff",
        "lo": "\u0e80-\u0eff",
        "my": "\u1000-\u109f",
        "am": "\u1200-\u137f",
        "km": "\u1780-\u17ff",
    }.items()
}
_SHARED = {  # several languages write these scripts: CLD3 chooses among them
    "ru": frozenset("ru uk bg sr mk be kk ky mn tg".split()),
    "ar": frozenset("ar fa ur ps sd ku".split()),
    "hi": frozenset("hi mr ne".split()),
    "he": frozenset("iw yi".split()),
}
_WORDS = {  # a text in one of these languages holds some of its words: names in a program do not
    language: frozenset(words.split())
    for language, words in {
        "en": "the of and to in is are for with that this be not as by on it from or",
        "de": "der die das und ist sind nicht ein eine mit für auf den im zu von bei wird werden",
        "fr": "le la les des et est sont une un dans pour que qui sur avec pas du au en",
        "es": "el la los las de que y en un una por con para es son del se no",
        "it": "il la di che è per un una con del della dal sono gli le non si",
        "pt": "o a os as de que e em um uma para com não por do da é são se",
        "nl": "de het een en van is zijn niet met voor op te dat wordt",
        "sv": "och att det som en är av för på inte med den till ska",
        "da": "og at det er en af for på ikke med den til skal om",
        "no": "og at det er en av for på ikke med den til skal om",
        "fi": "ja on ei se että oli kun ovat tai mutta joka sen ennen",
        "pl": "i w na z nie do się jest są to że dla po od",
        "cs": "a v na je jsou se z že do to pro není před",
        "sk": "a v na je sú sa z že do to pre nie pred",
        "sl": "in je so na se da za v ni pred",
        "hr": "i je su na se da za u nije prije",
        "hu": "a az és nem hogy egy van is meg kell",
        "ro": "și în de la cu nu este sunt pe din o un se",
        "tr": "ve bir bu için ile da de değil olarak her",
        "id": "yang dan di dengan untuk dari pada tidak ini adalah",
        "ms": "yang dan di dengan untuk dari pada tidak ini adalah",
        "vi": "và của là không các được cho có một khi",
        "et": "ja on ei et see oli kui enne",
        "lv": "un ir ar no uz kas par pirms",
        "lt": "ir yra su kad iš į ne prieš",
        "ca": "el la els de que i en un una per amb és",
    }.items()
}
_WORD = re.compile(r"[^\W\d_]+")
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
    script = _script(text)
    if script and script not in _SHARED:
        return script
    letters = _count_letters(text)
    if letters < _FEWEST_LETTERS:
        return script
    code, probability = _cld3(text)
    if script:
        return _STANDARD.get(code, code) if code in _SHARED[script] else script
    fewest = 1 if letters < _BLOCK_LENGTH else 2
    is_shown = probability >= _SURE and _count_words(text, code) >= fewest
    return _STANDARD.get(code, code) if is_shown else ""


def _language_of_block(text: str, block: Block, above: str) -> str:
    """The language of a block inside something in the language `above`: that one, unless the block clearly shows another."""
    sample = _sample(text, block.start, block.end)
    is_latin = not _FAR.search(sample)
    if is_latin and (len(sample) < _BLOCK_LENGTH or (above == "en" and _ENGLISH.search(sample))):
        return above
    script = _script(sample)
    if len(sample) < _BLOCK_LENGTH and (above in _SHARED.get(script, ()) or (script, above) == ("zh", "ja")):
        return above
    own = language_of(sample)
    code = "no" if own == "nb" else own
    if code not in _WORDS:
        return own or above
    is_clear = len(sample) >= _BLOCK_LENGTH and _count_words(sample, code) > 2 + _count_words(sample, above)
    return own if is_clear else above


def _cld3(text: str) -> tuple[str, float]:
    """The code and probability that CLD3 gives; it reads no lone surrogates, and only up to a zero."""
    result = _detector.FindLanguage(text.replace("\0", " ").encode("utf-8", "replace").decode())
    return result.language, result.probability if result.is_reliable else 0.0


def _count_words(text: str, code: str) -> int:
    """Count the different words of a language in the text that are listed."""
    return len(_WORDS.get(code, frozenset()).intersection(_WORD.findall(text.lower())))


def _script(text: str) -> str:
    """The key of the script that most of the letters are of; empty if it is Latin. An ideograph counts as three letters."""
    if not _FAR.search(text):
        return ""
    counts = {script: len(letters.findall(text)) for script, letters in _SCRIPTS.items()}
    ideographs = counts["zh"]
    kana = counts["ja"]
    if kana and kana * 20 >= ideographs:
        counts["ja"] += ideographs
        counts["zh"] = 0
    for script in ("ja", "zh", "ko"):
        counts[script] *= 3
    script = max(counts, key=lambda name: counts[name])
    latin = sum(character.isalpha() for character in text if character < "\u0370")
    return script if counts[script] > latin else ""


def _count_letters(text: str) -> int:
    return sum(character.isalpha() for character in text)


def _sample(text: str, start: int, end: int) -> str:
    return text[start : min(end, start + _SAMPLE)]


def _stretches(text: str) -> Iterator[str]:
    """At most `_SAMPLES` stretches of a text, evenly spread."""
    step = max(_SAMPLE, -(-len(text) // _SAMPLES))
    for start in range(0, len(text), step):
        yield _sample(text, start, len(text))
