"""Parses a language model's text as it streams into drafts: whole sentences and the passages that each cites. Pure.

It runs in linear time, and the result does not depend on how the text is cut into pieces.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from textwrap import dedent

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from service.generators.prose import require_prose
from service.generators.protocol import Draft
from service.text.markers import FENCE, LABEL, NUMBERS, OPEN_FOR, TAGS, markers, numbers_in
from service.text.structure import Line, Structure
from service.text.thoughts import without_thoughts

MAX_SENTENCE_CHARS = 800  # code points; longer sentences are cut, which limits the work for each character that arrives
_MAX_CODE_CHARS = 2_000
_LOOK_EVERY = 24  # code points between two searches for the end of a sentence
_MARK = "\x00"  # stands for a marker while a sentence is cleaned; removed from the model's own text beforehand

_MAX_REPEATED = 3
_QUESTION = re.compile(r"[?？؟]\W*\Z")
_HAS_WORD = re.compile(r"\w")
_FENCE_LINE = re.compile(
    r"^[ \t]*(?:(?:```|~~~)[\w+-]*|[-*_=]{3,}|\|?[ ]?:?-{3,}:?[ ]?(?:\|[ ]?:?-{3,}:?[ ]?)*\|?)[ \t]*$", re.MULTILINE
)
_CODE_BLOCK = re.compile(
    r"\s*(?P<fence>```|~~~)[^\n]*\n(?P<code>(?:(?!^[ \t]*(?:```|~~~)).*\n)+?)[ \t]*(?P=fence)\s*\Z", re.MULTILINE
)
_ITEM_NUMBER = re.compile(r"\(?\d{1,3}[.)]")
_STEP = re.compile(r"\s|\S+")
_WORD_BEGUN = re.compile(r"\w\S*\s")
_ENDED = re.compile(r"[.!?…。！？؟।]\W*\Z")
_OPEN_TAG = re.compile(rf"<(?:/?[a-z]*|/?(?:sup|{TAGS})\b[^<>]*(?:(?<!/)>[^<>]*(?:</?[a-z]*)?)?)\Z", re.IGNORECASE)
_REFERENCES = re.compile(
    r"\W*(?:sources?|references?|citations?|footnotes?|bibliography|works cited|passages?|quellen|références|fuentes|fonti)"
    r"(?: used| cited| list| consulted)?(?P<rest>\W*\Z|\W*:.*)",
    re.IGNORECASE | re.DOTALL,
)
_SOURCE_LINE = re.compile(
    r"[^.!?]*\Z|.*(?:\bpp?\.[ ]?\d|\bpages?[ ]\d|https?:|\.(?:pdf|md|html?|docx?|txt)\b)|[\"“„«'].*[\"”“»'][.]?\Z",
    re.IGNORECASE | re.DOTALL,
)
_LEAD_IN = re.compile(
    rf"""\W*(?:(?:according[ ]to|as[ ](?:stated|noted|described|reported|mentioned|shown|seen)[ ](?:in|by)|based[ ]on
        |as[ ]per|per|in|from)[ ]
        (?:the[ ])?(?:information[ ]|text[ ])?(?:in[ ]|from[ ])?(?:{LABEL}(?P<said>{NUMBERS})|{LABEL}?[ ]?{_MARK})[ ]?,[ ]?
      | (?:the[ ])?(?:{LABEL}(?P<says>{NUMBERS})|{LABEL}?[ ]?{_MARK})[ ]?
        (?:states?|says?|notes?|mentions?|reports?|explains?|indicates?|shows?|tells[ ]us|describes[ ]how)[ ]that[ ])""",
    re.VERBOSE | re.IGNORECASE,
)
_EMPTY_ROUND = re.compile(rf"[ \t]*\((?:see|cf\.?|from|source:?|per)?[ ]?{_MARK}[ ]?\)", re.IGNORECASE)
_MARKED_STRONG = re.compile(rf"(\*{{1,3}}|_{{1,3}})[ ]?{_MARK}[ ]?\1")
_STOP_TWICE = re.compile(rf"([.!?])[ \t]*{_MARK}[ \t]*\.")


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """One sentence of a model, without its markers.

    `cited` are the passage numbers that exist (1 to the count), `invented` those that do not; in order of use. `code` is a
    whole block of code, with its lines, if it is one.
    """

    text: str
    cited: tuple[int, ...] = ()
    invented: tuple[int, ...] = ()
    code: str = ""


def cited_sentences(
    pieces: Iterable[str], count: int, was_cut: Callable[[], bool] = lambda: False
) -> Iterator[CitedSentence]:
    """Yield each sentence of the text that arrives in `pieces` as soon as it is complete.

    `count` is the number of passages that may be cited. `was_cut` is called once, after the last piece: if it returns
    True (the model was stopped), an unfinished last sentence is left out. A list of sources at the end is left out too.
    """
    listing = cites = False
    for raw, fenced in _with_whole_code(_raw_sentences(pieces, count, was_cut)):
        sentence = read_sentence(raw, count, fenced=fenced)
        if attribution := _REFERENCES.match(sentence.text):
            # "Source: Briefing." names the source of one sentence; "Sources:" begins a list of them
            named = bool(_HAS_WORD.search(attribution["rest"]))
            listing = listing or not named or sentence.text.partition(":")[0][-1:].lower() == "s"
        elif sentence.text and not listing and not (cites and not fenced and _names_source(raw, sentence, count)):
            cites = cites or bool(sentence.cited)
            yield sentence


def _with_whole_code(raws: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """The same texts, each block of code as one text, up to _MAX_CODE_CHARS."""
    code = ""
    for raw, fenced in raws:
        open_after = fenced ^ _changes_fence(raw)
        if code and len(code) + len(raw) > _MAX_CODE_CHARS:
            yield code, False
            code = ""
        if code:
            code += raw
        elif open_after and not fenced:
            code = raw
        else:
            yield raw, fenced
        if code and not open_after:
            yield code, False
            code = ""
    if code:
        yield code, False


def _names_source(raw: str, sentence: CitedSentence, count: int) -> bool:
    """Whether a line after the sentences is that of a footnote: "[1] Briefing, page 3"."""
    opening = next(iter(markers(raw, count, fenced=False)), None)
    opens = opening is not None and opening.numbers and not raw[: opening.start].strip(" \t\n>")
    return bool(opens and _SOURCE_LINE.match(sentence.text))


def read_sentence(raw: str, count: int, *, fenced: bool = False) -> CitedSentence:
    """One sentence, its markers removed and their numbers read. In a `fenced` block of code nothing is a marker."""
    raw = raw.replace(_MARK, "")
    if not fenced and (block := _CODE_BLOCK.match(raw)):
        code = dedent(block["code"]).rstrip()
        return CitedSentence(" ".join(code.split()), code=code)
    numbers: list[int] = []
    shaped = []
    position = 0
    for marker in markers(raw, count, fenced=fenced):
        shaped += [raw[position : marker.start], _MARK]
        numbers += marker.numbers
        position = marker.end
    text = "".join([*shaped, raw[position:]])
    lead = _LEAD_IN.match(text)
    if lead:
        numbers = [*numbers_in(lead["said"] or lead["says"] or ""), *numbers]
        text = text[lead.end() :]
        text = text[:1].upper() + text[1:]
    numbers = list(dict.fromkeys(numbers))
    return CitedSentence(
        " ".join(_remove_marks(text).split()),
        tuple(number for number in numbers if 1 <= number <= count),
        tuple(number for number in numbers if not 1 <= number <= count),
    )


def _raw_sentences(pieces: Iterable[str], count: int, was_cut: Callable[[], bool]) -> Iterator[tuple[str, bool]]:
    """Yield each sentence with its markers, and whether it begins inside a fenced block of code."""
    buffer = ""
    looked = 0
    fenced = False
    for piece in pieces:
        for step in _STEP.findall(piece):
            rest = step
            while rest:
                room = MAX_SENTENCE_CHARS - len(buffer)
                buffer, rest = buffer + rest[:room], rest[room:]
                full = len(buffer) == MAX_SENTENCE_CHARS
                if full or (step.isspace() and len(buffer) >= looked + _LOOK_EVERY):
                    looked = len(buffer)
                    while cut := _first_end(buffer, count, fenced=fenced) or (full and len(buffer)):
                        yield buffer[:cut], fenced
                        fenced ^= _changes_fence(buffer[:cut])
                        buffer, looked, full = buffer[cut:], 0, False
    spans = _sentences(_mask_markers(buffer, count, fenced=fenced))
    cuts = [_cut_between(buffer, one, other) for one, other in pairwise(spans)]
    for start, end in zip([0, *cuts], [*cuts, len(buffer)], strict=True):
        raw = buffer[start:end]
        if end < len(buffer) or not was_cut() or _ENDED.search(_mask_markers(raw, count, fenced=fenced)):
            yield raw, fenced
        fenced ^= _changes_fence(raw)


def _changes_fence(raw: str) -> bool:
    """Whether a block of code begins or ends in this text, but not both."""
    return len(FENCE.findall(raw)) % 2 == 1


def _sentences(masked: str) -> list[Span]:
    """The spans of the sentences; the number of a list item belongs to the item's sentence."""
    spans: list[Span] = []
    for span in sentence_spans(masked):
        if spans and _ITEM_NUMBER.fullmatch(masked, *spans[-1]) and "\n" not in masked[spans[-1].end : span.start]:
            spans[-1] = Span(spans[-1].start, span.end)
        else:
            spans.append(span)
    return spans


def _first_end(buffer: str, count: int, *, fenced: bool) -> int:
    """Where the first sentence ends, including the markers after it; 0 while that may still change."""
    if not fenced and _has_open_marker(buffer):
        return 0
    masked = _mask_markers(buffer, count, fenced=fenced)
    spans = _sentences(masked)
    if len(spans) < 2 or not _WORD_BEGUN.search(masked, spans[1].start):
        return 0
    return _cut_between(buffer, spans[0], spans[1])


def _cut_between(buffer: str, one: Span, other: Span) -> int:
    """Where to cut between two sentences.

    Markers after a sentence belong to it; those that open a line, or a clause like "[1] says that ...", do not.
    """
    line = buffer.rfind("\n", one.end, other.start)
    if line >= 0:
        return line + 1
    return one.end if buffer[other.start].islower() else other.start


def _has_open_marker(buffer: str) -> bool:
    """Whether the end of the text could still become a marker, or code."""
    tail = buffer[-OPEN_FOR:]
    tail = tail[tail.rfind("\n", 0, len(tail) - 1) + 1 :]
    return (
        any(tail.rfind(left) > tail.rfind(right) for left, right in ("[]", "【】", "［］", "〔〕", "()", "（）", "{}"))
        or tail.count("`") % 2 == 1
        or _OPEN_TAG.search(tail) is not None
    )


def _mask_markers(text: str, count: int, *, fenced: bool) -> str:
    """The text with blanks in place of its markers, so that they do not change where sentences end."""
    parts = []
    position = 0
    for marker in markers(text, count, fenced=fenced):
        parts += [text[position : marker.start], " " * (marker.end - marker.start)]
        position = marker.end
    return "".join([*parts, text[position:]])


def _remove_marks(text: str) -> str:
    """Remove the marks without a gap, a doubled full stop or empty brackets; remove the fences of code blocks too."""
    text = _EMPTY_ROUND.sub("", _MARKED_STRONG.sub(_MARK, text))
    text = _STOP_TWICE.sub(r"\1", text)
    text = re.sub(rf"\A\s*{_MARK}[ \t:]*", "", text)
    text = re.sub(rf"(?<=\w)[ \t]*{_MARK}(?=\w)|(?<=[.!?]){_MARK}(?=\w)|[ \t]*{_MARK}[ \t]+(?=[\w(\"“])", " ", text)
    return _FENCE_LINE.sub("", re.sub(rf"[ \t]*{_MARK}", "", text))


def parse_drafts(pieces: Iterable[str], count: int, was_cut: Callable[[], bool]) -> Iterator[Draft]:
    """Yield a draft for each sentence in the text that arrives in `pieces`, as soon as it is complete.

    `count` is the number of passages that the model saw. `was_cut` is called after the last piece: whether the model was
    stopped before it had finished. Reasoning, headings, questions and repeated sentences are left out; a model that keeps
    repeating itself is stopped. Raises GeneratorUnavailable if the text is JSON or the call of a tool.
    """
    said: set[str] = set()
    repeated = 0
    structure = Structure()
    for sentence in cited_sentences(require_prose(without_thoughts(pieces, was_cut)), count, was_cut):
        line = Line(sentence.text) if sentence.code else structure.read(sentence.text, cites=bool(sentence.cited))
        if line is None or not _HAS_WORD.search(line.text) or (_QUESTION.search(line.text) and not sentence.code):
            continue
        key = f"{line.under}\n{line.text}"
        if key in said:
            repeated += 1
            if repeated == _MAX_REPEATED:
                return
            continue
        said.add(key)
        passages = tuple(number - 1 for number in sentence.cited)
        yield Draft(
            line.text,
            passages=passages,
            invented=sentence.invented,
            under=line.under,
            listed=line.listed,
            ordinal=line.ordinal,
            cells=line.cells,
            code=sentence.code,
        )
