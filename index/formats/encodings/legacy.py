"""Bytes in an encoding older than Unicode -> their text, or none: never a guess that could be wrong. Pure.

An encoding is believed if everything beyond ASCII then reads as one language: only its letters, in words that begin with a
capital or are all of one case, and signs only where signs stand. And the language must show in the text, by its function words
or endings. If two encodings give different texts that both read well, the clearer one must be twice as clear; otherwise the
file is rejected, and its owner says what it is. For Chinese, Japanese and Korean the commonest characters decide.

Of the 675 short texts in thirty languages and 34 encodings of tests/test_encodings.py, 445 are read right and none wrong. The
rules were changed until that was so: it keeps what holds, and says nothing of how often other texts are read wrong.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from index.formats.encodings.letters import COMMON_LETTERS, CYRILLIC, GREEK, LANGUAGES, WESTERN, Language

_MAX_WORDS = 20_000
_WORD_OF_BYTES = re.compile(rb"[^\s]+")
_PIECES = re.compile(r"[^\W\d_ªºµ²³¹¼½¾]+")
_SIGNS = frozenset("“”„‘’‚–—…•·€£§©®™°ºª¡¿«»‹›\xa0±×÷½¼¾²³µ´†‡\xad№")
_OPENS = frozenset("“„‘’‚–—•·§©¡¿«»‹›\xa0×\xad№±")
_CLOSES = frozenset("”“‘’–—…•·®™°ºª»«›‹\xa0×\xad")
_MUST_OPEN = frozenset("“„‘‚¡¿")
_JOINS = frozenset("’–—…\xad·\xa0/")
_WINDOWS = ("cp1252", "cp1250", "cp1254", "cp1257")
_ENDING_WORTH = 0.5
_CLEARER = 2.0
_MANY_LETTERS = 3
_FEWEST_LETTERS = 25
_COMMON_SHARE = 0.55
_WITHOUT_CAPITALS = frozenset({"he", "ar"})

_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3041-\u30ff]")
_GERMAN_END = re.compile(r"[^\W\d_]“(?![^\W\d_])")
_LETTER_AT_DASH = re.compile(r"(?<![^\W\d_])[^\W\d_]—[^\W\d_]|[^\W\d_]—[^\W\d_](?![^\W\d_])")
_LATIN = re.compile(r"[A-Za-z]")
_MIXED = re.compile(r"[A-Za-z](?=[\u3041-\u9fff\uac00-\ud7a3])|[\u3041-\u9fff\uac00-\ud7a3](?=[A-Za-z])")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_EAST_ASIAN_SIGNS = re.compile(r"[\u3000-\u303f\uff00-\uffef\u2010-\u2026\u00b7\x00-\x7f\xa0]")
_COMMON_HAN = frozenset(
    "的一是不了在人有我他这這个個们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于於着著下自之年过過"
    "发發后後作里裡用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣理"
    "日月号號元每点點开開放关關费費天船港"
)
_EAST_ASIAN = ("cp932", "euc_jp", "gb18030", "big5hkscs", "cp949")


@dataclass(frozen=True, slots=True)
class _Reading:
    """A way to read the bytes: the words beyond ASCII in the encoding, and how clearly they are of a language."""

    encoding: str
    language: str
    text: tuple[str, ...]
    clarity: float


def legacy_encoding(sample: bytes) -> str | None:
    """The encoding of a sample of text that is not Unicode; None if more than one is possible, or none."""
    if not sample.isascii():
        east_asian = _east_asian_encoding(sample)
        alphabetic = _alphabetic_encoding(sample)
        return alphabetic if east_asian is None else east_asian if alphabetic is None else None
    return None


def _alphabetic_encoding(sample: bytes) -> str | None:
    words = Counter(_WORD_OF_BYTES.findall(sample)[:_MAX_WORDS])
    ascii_words: Counter[str] = Counter()
    others: list[bytes] = []
    for word, count in words.items():
        if word.isascii():
            ascii_words.update(dict.fromkeys(_PIECES.findall(word.decode().lower()), count))
        else:
            others.append(word)
    total = sum(words.values())
    readings = [reading for reading in _readings(others, words, ascii_words) if reading.clarity > 0]
    clear = [reading for reading in readings if reading.clarity >= max(1.0, total / 8)]
    if not clear:
        return _same_everywhere(others)
    best = clear[0]
    for reading in clear[1:]:
        if reading.clarity > best.clarity or (reading.language == best.language and _is_better(reading, best)):
            best = reading
    rivals = [reading for reading in readings if reading.text != best.text]
    rivals = [reading for reading in rivals if reading.language != best.language or not _is_better(best, reading)]
    if any(_CLEARER * rival.clarity > best.clarity for rival in rivals):
        return None
    return best.encoding


def _is_better(one: _Reading, other: _Reading) -> bool:
    """Whether of two readings in one language the first is right: it has more of its words, and no letters become signs."""
    if one.language == "en":  # its few accented letters could nearly as well be signs of an older encoding
        return one.encoding == "cp1252" and one.clarity >= other.clarity
    letters, fewer = (sum(map(str.isalpha, "".join(reading.text))) for reading in (one, other))
    encodings = LANGUAGES[one.language].encodings
    is_likelier = encodings in (CYRILLIC, GREEK) and encodings.index(one.encoding) < encodings.index(other.encoding)
    if one.clarity > other.clarity:
        return letters >= fewer
    return one.clarity == other.clarity and letters > fewer and is_likelier


def _readings(
    others: Iterable[bytes], words: Mapping[bytes, int], ascii_words: Mapping[str, int]
) -> Iterator[_Reading]:
    others = list(others)
    for encoding in dict.fromkeys(name for language in LANGUAGES.values() for name in language.encodings):
        text = _decoded(others, encoding)
        if text is None or not _is_plausible(text):
            continue
        pieces = [_PIECES.findall(word) for word in text]
        counted: Counter[str] = Counter(ascii_words)
        for word, found in zip(others, pieces, strict=True):
            counted.update({_lower(piece): words[word] for piece in found})
        beyond = Counter(_lower(piece) for found in pieces for piece in found if not piece.isascii())
        for name, language in LANGUAGES.items():
            if encoding in language.encodings and _fits(language, name, beyond):
                clarity = _clarity(language, counted, beyond)
                if _has_common_letters(name, [piece for found in pieces for piece in found]):
                    clarity += max(1.0, sum(counted.values()) / 6)
                yield _Reading(encoding, name, text, clarity)


def _fits(language: Language, name: str, beyond: Mapping[str, int]) -> bool:
    """Whether the words beyond ASCII have only letters of the language; in a Western one, a tenth may be foreign words."""
    foreign = 0
    for word in beyond:
        if len(word) == 1 and word not in language.words:
            return False
        letters = {letter for letter in word if letter > "\x7f"}
        if letters <= language.letters:
            if _is_latin(name) and len(word) > 2 and all(letter > "\x7f" for letter in word):
                return False
            if not _is_latin(name) and any("a" <= letter <= "z" for letter in word):
                return False
        elif name in _WESTERN_LANGUAGES and any(letters <= LANGUAGES[other].letters for other in _WESTERN_LANGUAGES):
            foreign += 1
        else:
            return False
    return 10 * foreign <= len(beyond)


def _clarity(language: Language, counted: Mapping[str, int], beyond: Iterable[str]) -> float:
    """How clearly the words are of the language: its function words, and half as much for endings and for several letters."""
    clarity = 0.0
    for word, count in counted.items():
        if word in language.words:
            clarity += count if len(word) > 1 else count / 2
        elif len(word) > 4 and word.endswith(language.endings):
            clarity += _ENDING_WORTH * count
    special = {letter for word in beyond for letter in word if letter > "\x7f"}
    return clarity + (_ENDING_WORTH if clarity and len(special) >= _MANY_LETTERS else 0.0)


def _has_common_letters(name: str, words: Sequence[str]) -> bool:
    """Whether a language of another script shows in how often its letters come, and in capitals if it has them."""
    common = COMMON_LETTERS.get(name)
    letters = "".join(words).lower()
    if common is None or len(letters) < _FEWEST_LETTERS:
        return False
    has_capital = name in _WITHOUT_CAPITALS or any(word[0].isupper() and word[1:].islower() for word in words)
    return has_capital and sum(letter in common for letter in letters) >= _COMMON_SHARE * len(letters)


def _same_everywhere(others: list[bytes]) -> str | None:
    """cp1252 if the few words beyond ASCII are Western, and no other old encoding of Windows for Latin letters fits them."""
    texts = {encoding: _decoded(others, encoding) for encoding in _WINDOWS}
    fitting = {encoding: text for encoding, text in texts.items() if text is not None and _is_plausible(text)}
    if "cp1252" not in fitting or len(set(fitting.values())) > 1:
        return None
    pieces = [piece for word in fitting["cp1252"] for piece in _PIECES.findall(word.lower())]
    is_western = all(
        any({letter for letter in piece if letter > "\x7f"} <= LANGUAGES[name].letters for name in ("de", "es", "fr"))
        and (len(piece) < 3 or any(letter < "\x7f" for letter in piece))
        for piece in pieces
    )
    return "cp1252" if is_western else None


def _is_plausible(words: Sequence[str]) -> bool:
    if any(map(_GERMAN_END.search, words)) and not any("„" in word for word in words):
        return False
    return all(_has_signs_in_place(word) and all(map(_is_cased, _PIECES.findall(word))) for word in words)


def _decoded(words: Iterable[bytes], encoding: str) -> tuple[str, ...] | None:
    try:
        return tuple(word.decode(encoding) for word in words)
    except UnicodeDecodeError:
        return None


def _has_signs_in_place(word: str) -> bool:
    """Whether every sign beyond ASCII is one that texts have, and stands where it may: not inside a word, for example."""
    if (len(word) == 1 and word in _MUST_OPEN) or _LETTER_AT_DASH.search(word):
        return False
    return all(
        _is_in_place(_at(word, place - 1), sign, _at(word, place + 1))
        for place, sign in enumerate(word)
        if sign > "\x7f" and not _is_mark(sign)
    )


def _is_in_place(before: str, sign: str, after: str) -> bool:
    if sign == "µ":
        return not before.isalpha()
    if sign.isalpha() and sign not in "ªº":
        return not (before.isdigit() or after.isdigit())
    if sign not in _SIGNS or (sign == "–" and before.islower() and after.islower()):
        return False
    if sign in "–—" and before.isalpha() != after.isalpha() and not after.isupper():
        return False
    if before.isalpha() and after.isalpha():
        return sign in _JOINS
    closes = sign in _CLOSES or (sign in "²³" and before == "m")
    opens = sign in _OPENS or (sign == "°" and after in "CF")
    return (not after.isalpha() or opens) and (not before.isalpha() or closes)


def _is_mark(sign: str) -> bool:
    return "\u0591" <= sign <= "\u05c7" or "\u064b" <= sign <= "\u0652" or sign in "،؟؛ـ΄·"


def _is_cased(piece: str) -> bool:
    """Whether a word is in lower case, begins with a capital, or is in capitals."""
    if piece.isascii():
        return True
    rest = piece[1:]
    return rest == _lower(rest) or piece == piece.upper() or piece.replace("ß", "SS") == piece.upper()


def _lower(piece: str) -> str:
    """The word in lower case, one letter for each: Python makes two of the Turkish capital I with a dot."""
    return piece.replace("İ", "i").lower()


def _at(word: str, place: int) -> str:
    return word[place] if 0 <= place < len(word) else " "


@cache
def _is_latin(name: str) -> bool:
    return name not in ("ru", "uk", "bg", "sr", "el", "he", "ar")


_WESTERN_LANGUAGES = tuple(name for name, language in LANGUAGES.items() if language.encodings == WESTERN)


def _east_asian_encoding(sample: bytes) -> str | None:
    """The encoding of a Chinese, Japanese or Korean text; None if none fits, or two fit with different texts."""
    fitting: dict[str, str] = {}
    for encoding in _EAST_ASIAN:
        text = _decoded_beginning(sample, encoding)
        if text is not None and _is_east_asian(text, encoding):
            fitting.setdefault(text, encoding)
    return next(iter(fitting.values())) if len(fitting) == 1 else None


def _decoded_beginning(sample: bytes, encoding: str) -> str | None:
    """The sample as text; its last character may be cut."""
    for cut in range(4):
        try:
            return sample[: len(sample) - cut].decode(encoding)
        except UnicodeDecodeError as error:
            if error.end < len(sample) - cut - 1:
                return None
    return None


def _is_east_asian(text: str, encoding: str) -> bool:
    han, kana, hangul = (len(pattern.findall(text)) for pattern in (_HAN, _KANA, _HANGUL))
    others = len(text) - han - kana - hangul - len(_EAST_ASIAN_SIGNS.findall(text))
    letters = han + kana + hangul
    latin = len(_LATIN.findall(text))
    if letters < 4 or 20 * others > letters or latin > letters or 10 * len(_MIXED.findall(text)) > letters:
        return False
    if encoding in ("cp932", "euc_jp"):
        half_width = sum("\uff61" <= letter <= "\uff9f" for letter in text)
        return 5 * kana >= letters and 5 * half_width < letters and not hangul
    if encoding == "cp949":
        return 10 * hangul >= 8 * letters
    common = sum(letter in _COMMON_HAN for letter in text)
    return 5 * common >= han and 20 * kana < letters and not hangul
