"""The Slack messages that show an Answer, within Slack's limits. Pure.

The layout is append-only: sentences, then sources, then notes, then buttons, packed into messages in that order. What is
streamed sentence by sentence is therefore the same as what is sent at once.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from index.records import Hit
from service.records import Answer, Citation, Sentence
from service.slack.render.phrases import Phrases
from service.slack.render.richtext import (
    Element,
    TextRun,
    block,
    cost,
    item,
    literal,
    paragraphs,
    preformatted,
    quote,
    section,
)
from service.slack.render.text import (
    BLOCK_TEXT,
    BLOCKS_IN_MESSAGE,
    FALLBACK_TEXT,
    MESSAGE_SIZE,
    escape,
    shorten,
    size,
    split_text,
)
from service.text.plain import context_line
from service.text.refusals import REFUSALS

Block = dict[str, Any]

HELPFUL, UNHELPFUL, PASSAGES, SHARE, DELETE = "helpful", "unhelpful", "passages", "share", "delete"
ASK_AS_TYPED = "as-typed"
NEAREST = 3
EXCERPT = 240
_ESCAPED_GROWTH = 5  # `&` becomes `&amp;`
_HEADING_LINES = re.compile(r"^#{1,6} .*$", re.MULTILINE)  # an excerpt already shows its headings above it


@dataclass(frozen=True, slots=True)
class Viewer:
    """Makes links to the page that shows a document with the quoted words marked.

    `base` is the server's public address; without one (None) there are no links.
    """

    base: str | None
    collection: str

    def of_citation(self, citation: Citation) -> str | None:
        """The link for a citation; None without a public address."""
        mark = {} if citation.highlight is None else {"mark": "-".join(map(str, citation.highlight))}
        return self._address(citation.document_id, citation.version, citation.start, citation.end, mark)

    def of_hit(self, hit: Hit) -> str | None:
        """The link for a passage; None without a public address."""
        return self._address(hit.chunk.document_id, hit.chunk.version, hit.chunk.start, hit.chunk.end, {})

    def _address(self, document: str, version: str, start: int, end: int, more: dict[str, str]) -> str | None:
        if self.base is None:
            return None
        place = {"collection": self.collection, "document": document, "version": version, "start": start, "end": end}
        return f"{self.base.rstrip('/')}/view?{urlencode(place | more)}"


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """One message: its blocks, and the text for notifications and screen readers."""

    blocks: tuple[Block, ...]
    text: str


@dataclass(slots=True)
class MessageBlocks:
    """The blocks of one message, filled until the next one does not fit."""

    blocks: list[Block] = field(default_factory=list)
    used: int = 0

    def fits(self, made: Block) -> bool:
        """Whether the block still fits into the message; an empty message takes any block."""
        return not self.blocks or (len(self.blocks) < BLOCKS_IN_MESSAGE and self.used + size(made) <= MESSAGE_SIZE)

    def add(self, made: Block) -> None:
        """Append the block."""
        self.blocks.append(made)
        self.used += size(made)


def answer_messages(answer: Answer, viewer: Viewer, phrases: Phrases, *, private: bool) -> tuple[SlackMessage, ...]:
    """The messages of an answer or a refusal, with its buttons at the end; `private` ones can be shared."""
    body = [
        made for sentence in answer.sentences for made in sentence_blocks(sentence, answer.citations, viewer, phrases)
    ]
    return pack_messages(
        [*body, *closing_blocks(answer, viewer, phrases, private=private)], answer_text(answer, phrases)
    )


def pack_messages(blocks: Iterable[Block], text: str) -> tuple[SlackMessage, ...]:
    """Spread the blocks over as few messages as hold them in order; `text` is the fallback of each."""
    messages = [MessageBlocks()]
    for made in blocks:
        if not messages[-1].fits(made):
            messages.append(MessageBlocks())
        messages[-1].add(made)
    return tuple(SlackMessage(tuple(message.blocks), fallback(text)) for message in messages if message.blocks)


def fallback(text: str) -> str:
    """The text that accompanies the blocks: the beginning of what they say, escaped."""
    return escape(shorten(literal(text).strip() or "…", FALLBACK_TEXT // _ESCAPED_GROWTH))


def sentence_blocks(
    sentence: Sentence, citations: Iterable[Citation], viewer: Viewer, phrases: Phrases
) -> Iterator[Block]:
    """One sentence with its citation numbers, each a link to the quoted words: as prose, an item of a list, or code."""
    cited = {citation.number: citation for citation in citations}
    runs = [TextRun("" if sentence.form == "code" else sentence.text)]
    if sentence.citations:
        runs.append(TextRun(" "))
    for number in sentence.citations:
        url = viewer.of_citation(cited[number]) if number in cited else None
        runs.append(TextRun(f"[{number}]", url=url))
    if not sentence.supported:
        runs.append(TextRun(f" ({phrases.unsupported})", italic=True))
    for part in split_text(sentence.code, BLOCK_TEXT):
        yield block([preformatted(part)])
    is_listed = sentence.form in ("item", "row")
    for place, group in enumerate(paragraphs(runs)):
        yield block([item(group, sentence.ordinal) if is_listed and place == 0 else section(group)])


def closing_blocks(answer: Answer, viewer: Viewer, phrases: Phrases, *, private: bool) -> list[Block]:
    """The blocks after the sentences: sources (for a refusal the nearest passages), how it was read, notes, buttons."""
    made: list[Block] = []
    if answer.kind == "talk":
        return list(text_blocks(answer.text))
    if answer.refused:
        made += refusal_blocks(answer, viewer, phrases)
    elif answer.citations:
        made += [{"type": "divider"}, *_pack_elements(_sources(answer.citations, viewer, phrases))]
    for note in (*_how_read(answer, phrases), *answer.notes):
        made += [block([section(group)]) for group in paragraphs([TextRun(note, italic=True)])]
    return [*made, buttons(answer, phrases, private=private)]


def answer_text(answer: Answer, phrases: Phrases) -> str:
    """The text of an answer; that the documents do not say is said in the channel's language."""
    return phrases.refused if answer.text in REFUSALS.values() else answer.text


def refusal_blocks(answer: Answer, viewer: Viewer, phrases: Phrases) -> Iterator[Block]:
    """A refusal: that the documents do not say, what may help, and the nearest passages."""
    yield from text_blocks(answer_text(answer, phrases), bold=True)
    if not answer.passages:
        return
    yield from text_blocks(phrases.ask_differently)
    yield {"type": "divider"}
    yield from _pack_elements(
        _passages(answer.passages[:NEAREST], viewer, phrases, heading=phrases.nearest_passages, max_units=EXCERPT)
    )


def passage_blocks(passages: Sequence[Hit], viewer: Viewer, phrases: Phrases) -> list[Block]:
    """The whole passages, each with its title, headings and page."""
    return list(_pack_elements(_passages(passages, viewer, phrases)))


def text_blocks(text: str, *, bold: bool = False) -> Iterator[Block]:
    """A text of the bot or of a document, as paragraphs."""
    for group in paragraphs([TextRun(text, bold=bold)]):
        yield block([section(group)])


def short_message(text: str) -> SlackMessage:
    """A short message in the bot's own words."""
    return pack_messages(text_blocks(text), text)[0]


def buttons(answer: Answer, phrases: Phrases, *, private: bool) -> Block:
    """The buttons under an answer. Each carries the answer's id, so that it still works after a restart."""
    shown = [(HELPFUL, phrases.helpful), (UNHELPFUL, phrases.unhelpful)]
    if answer.passages:
        shown.append((PASSAGES, phrases.passages))
    if private and not answer.refused:
        shown.append((SHARE, phrases.share))
    if _how_read(answer, phrases):
        shown.append((ASK_AS_TYPED, phrases.as_typed))
    shown.append((DELETE, phrases.delete))
    return {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": action,
                "value": answer.id,
                "text": {"type": "plain_text", "text": label, "emoji": False},
            }
            for action, label in shown
        ],
    }


def _how_read(answer: Answer, phrases: Phrases) -> list[str]:
    """How the question was read otherwise than it is typed: in other words, or as several questions."""
    said = []
    if answer.rewritten_question != answer.question:
        said.append(phrases.read_as.format(question=answer.rewritten_question))
    if answer.parts:
        said.append(phrases.read_as_parts.format(count=len(answer.parts)))
    return said


def _sources(citations: Sequence[Citation], viewer: Viewer, phrases: Phrases) -> Iterator[tuple[Element, int]]:
    yield _paragraph([TextRun(phrases.sources, bold=True)])
    for citation in citations:
        place = _place(citation.title, citation.trail, citation.page, phrases)
        head = [
            TextRun(f"[{citation.number}] ", bold=True),
            TextRun(place[0] or citation.uri or "…", bold=True, url=viewer.of_citation(citation)),
            TextRun("".join(f" · {part}" for part in place[1:])),
        ]
        if context := context_line(citation):
            head.append(TextRun(f"\n{context}", italic=True))
        for group in paragraphs(head):
            yield _paragraph(group)
        for group in paragraphs(_quote_runs(citation)):
            yield quote(group), cost(group)


def _passages(
    passages: Sequence[Hit], viewer: Viewer, phrases: Phrases, heading: str = "", max_units: int | None = None
) -> Iterator[tuple[Element, int]]:
    if heading:
        yield _paragraph([TextRun(heading, bold=True)])
    for hit in passages:
        place = _place(hit.title, hit.chunk.trail, hit.page, phrases)
        head = [
            TextRun(place[0] or hit.uri or "…", bold=True, url=viewer.of_hit(hit)),
            TextRun("".join(f" · {part}" for part in place[1:])),
        ]
        for group in paragraphs(head):
            yield _paragraph(group)
        text = hit.chunk.text if max_units is None else _excerpt(hit.chunk.text, max_units)
        for group in paragraphs([TextRun(text)]):
            yield quote(group), cost(group)


def _pack_elements(elements: Iterable[tuple[Element, int]]) -> Iterator[Block]:
    """Put paragraphs and quotes, given with their costs, into as few rich text blocks as hold them in order."""
    group: list[Element] = []
    used = 0
    for element, needed in elements:
        if group and used + needed > BLOCK_TEXT:
            yield block(group)
            group, used = [], 0
        group.append(element)
        used += needed
    if group:
        yield block(group)


def _paragraph(runs: Sequence[TextRun]) -> tuple[Element, int]:
    return section(runs), cost(runs)


def _quote_runs(citation: Citation) -> list[TextRun]:
    """The quote, with the words that answer the question in bold."""
    begin, end = citation.highlight or (citation.start, citation.start)
    begin, end = begin - citation.start, end - citation.start
    text = citation.quote
    return [TextRun(text[:begin]), TextRun(text[begin:end], bold=True), TextRun(text[end:])]


def _place(title: str, trail: Sequence[str], page: int | None, phrases: Phrases) -> list[str]:
    """Title, the headings below it, and the page."""
    below = trail[1:] if trail and trail[0].strip() == title.strip() else trail
    parts = [title.strip(), " › ".join(heading.strip() for heading in below)]
    return [
        parts[0],
        *([parts[1]] if parts[1] else []),
        *([] if page is None else [phrases.page_number.format(number=page)]),
    ]


def _excerpt(text: str, max_units: int) -> str:
    """The beginning of a passage on one line, without its heading lines."""
    return shorten(" ".join(_HEADING_LINES.sub("", text).split()) or text.strip() or "…", max_units)
