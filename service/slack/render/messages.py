"""An Answer -> the messages that show it, within Slack's limits. Pure.

The layout is append-only: sentences, then sources, then notes, then buttons, packed into messages in that order. What is
streamed sentence by sentence is therefore the same as what is sent at once.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from index.records import Hit
from service.records import Answer, Citation, Sentence
from service.slack.render.limits import BLOCK_TEXT, BLOCKS_IN_MESSAGE, FALLBACK_TEXT, MESSAGE_SIZE, size
from service.slack.render.links import Viewer
from service.slack.render.phrases import Phrases
from service.slack.render.richtext import Element, Words, block, cost, literal, paragraphs, quote, section
from service.slack.render.text import escaped, shortened

Block = dict[str, Any]

HELPFUL, UNHELPFUL, PASSAGES, SHARE, DELETE = "helpful", "unhelpful", "passages", "share", "delete"
NEAREST = 3
EXCERPT = 240
_ESCAPED_GROWTH = 5  # `&` becomes `&amp;`
_HEADING_LINES = re.compile(r"^#{1,6} .*$", re.MULTILINE)  # an excerpt shows its headings before it already


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its blocks, and the text for notifications and screen readers."""

    blocks: tuple[Block, ...]
    text: str


@dataclass(slots=True)
class Sheet:
    """The blocks of one message so far, and whether another still fits."""

    blocks: list[Block] = field(default_factory=list)
    taken: int = 0

    def takes(self, made: Block) -> bool:
        """Whether the block fits beside those that are here."""
        return not self.blocks or (len(self.blocks) < BLOCKS_IN_MESSAGE and self.taken + size(made) <= MESSAGE_SIZE)

    def add(self, made: Block) -> None:
        """Put the block at the end."""
        self.blocks.append(made)
        self.taken += size(made)


def answer_messages(answer: Answer, viewer: Viewer, phrases: Phrases, *, private: bool) -> tuple[Message, ...]:
    """The messages of an answer or a refusal, with its buttons at the end; `private` ones can be shared."""
    body = [
        made for sentence in answer.sentences for made in sentence_blocks(sentence, answer.citations, viewer, phrases)
    ]
    return packed([*body, *closing_blocks(answer, viewer, phrases, private=private)], worded(answer, phrases))


def packed(blocks: Iterable[Block], said: str) -> tuple[Message, ...]:
    """The blocks in as few messages as take them in order; each message carries `said` as its fallback."""
    sheets = [Sheet()]
    for made in blocks:
        if not sheets[-1].takes(made):
            sheets.append(Sheet())
        sheets[-1].add(made)
    return tuple(Message(tuple(sheet.blocks), fallback(said)) for sheet in sheets if sheet.blocks)


def fallback(said: str) -> str:
    """The text beside the blocks: the beginning of what they say, escaped."""
    return escaped(shortened(literal(said).strip() or "…", FALLBACK_TEXT // _ESCAPED_GROWTH))


def sentence_blocks(
    sentence: Sentence, citations: Iterable[Citation], viewer: Viewer, phrases: Phrases
) -> Iterator[Block]:
    """One sentence with its numbers, each a link to the page that it quotes."""
    cited = {citation.number: citation for citation in citations}
    runs = [Words(sentence.text)]
    if sentence.citations:
        runs.append(Words(" "))
    for number in sentence.citations:
        url = viewer.of_citation(cited[number]) if number in cited else None
        runs.append(Words(f"[{number}]", url=url))
    if not sentence.supported:
        runs.append(Words(f" ({phrases.unsupported})", italic=True))
    for group in paragraphs(runs):
        yield block([section(group)])


def closing_blocks(answer: Answer, viewer: Viewer, phrases: Phrases, *, private: bool) -> list[Block]:
    """What follows the sentences: the sources, or for a refusal the nearest passages; notes; the buttons."""
    made: list[Block] = []
    if answer.refused:
        made += refusal_blocks(answer, viewer, phrases)
    elif answer.citations:
        made += [{"type": "divider"}, *_joined(_sources(answer.citations, viewer, phrases))]
    for note in answer.notes:
        made += [block([section(group)]) for group in paragraphs([Words(note, italic=True)])]
    return [*made, buttons(answer, phrases, private=private)]


def worded(answer: Answer, phrases: Phrases) -> str:
    """The text of an answer; that the documents do not say is said in the channel's language."""
    return phrases.refused if answer.refused else answer.text


def refusal_blocks(answer: Answer, viewer: Viewer, phrases: Phrases) -> Iterator[Block]:
    """That the documents do not say, what may help, and the passages that come nearest."""
    yield from statement(worded(answer, phrases), bold=True)
    if not answer.passages:
        return
    yield from statement(phrases.ask_differently)
    yield {"type": "divider"}
    yield from _joined(_passages(answer.passages[:NEAREST], viewer, phrases, heading=phrases.nearest, most=EXCERPT))


def passage_blocks(passages: Sequence[Hit], viewer: Viewer, phrases: Phrases) -> list[Block]:
    """The passages that were read, whole, each with its place."""
    return list(_joined(_passages(passages, viewer, phrases)))


def statement(text: str, *, bold: bool = False) -> Iterator[Block]:
    """Plain words of the bot, or of a document, as paragraphs."""
    for group in paragraphs([Words(text, bold=bold)]):
        yield block([section(group)])


def said(text: str) -> Message:
    """A short message of the bot's own words."""
    return packed(statement(text), text)[0]


def buttons(answer: Answer, phrases: Phrases, *, private: bool) -> Block:
    """The buttons under an answer. Each carries the answer's id, so that it works after a restart."""
    wanted = [(HELPFUL, phrases.helpful), (UNHELPFUL, phrases.unhelpful)]
    if answer.passages:
        wanted.append((PASSAGES, phrases.passages))
    if private and not answer.refused:
        wanted.append((SHARE, phrases.share))
    wanted.append((DELETE, phrases.delete))
    return {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": action,
                "value": answer.id,
                "text": {"type": "plain_text", "text": label, "emoji": False},
            }
            for action, label in wanted
        ],
    }


def _sources(citations: Sequence[Citation], viewer: Viewer, phrases: Phrases) -> Iterator[tuple[Element, int]]:
    yield _paragraph([Words(phrases.sources, bold=True)])
    for citation in citations:
        place = _place(citation.title, citation.trail, citation.page, phrases)
        head = [
            Words(f"[{citation.number}] ", bold=True),
            Words(place[0] or citation.uri or "…", bold=True, url=viewer.of_citation(citation)),
            Words("".join(f" · {part}" for part in place[1:])),
        ]
        for group in paragraphs(head):
            yield _paragraph(group)
        for group in paragraphs(_highlighted(citation)):
            yield quote(group), cost(group)


def _passages(
    passages: Sequence[Hit], viewer: Viewer, phrases: Phrases, heading: str = "", most: int | None = None
) -> Iterator[tuple[Element, int]]:
    if heading:
        yield _paragraph([Words(heading, bold=True)])
    for hit in passages:
        place = _place(hit.title, hit.chunk.trail, hit.page, phrases)
        head = [
            Words(place[0] or hit.uri or "…", bold=True, url=viewer.of_hit(hit)),
            Words("".join(f" · {part}" for part in place[1:])),
        ]
        for group in paragraphs(head):
            yield _paragraph(group)
        text = hit.chunk.text if most is None else _excerpt(hit.chunk.text, most)
        for group in paragraphs([Words(text)]):
            yield quote(group), cost(group)


def _joined(elements: Iterable[tuple[Element, int]]) -> Iterator[Block]:
    """Paragraphs and quotes with their costs -> as few rich text blocks as hold them in order."""
    group: list[Element] = []
    taken = 0
    for element, needed in elements:
        if group and taken + needed > BLOCK_TEXT:
            yield block(group)
            group, taken = [], 0
        group.append(element)
        taken += needed
    if group:
        yield block(group)


def _paragraph(runs: Sequence[Words]) -> tuple[Element, int]:
    return section(runs), cost(runs)


def _highlighted(citation: Citation) -> list[Words]:
    """The quote, with the answer itself in bold."""
    begin, end = citation.highlight or (citation.start, citation.start)
    begin, end = begin - citation.start, end - citation.start
    text = citation.quote
    return [Words(text[:begin]), Words(text[begin:end], bold=True), Words(text[end:])]


def _place(title: str, trail: Sequence[str], page: int | None, phrases: Phrases) -> list[str]:
    """Title, the headings below it, and the page."""
    below = trail[1:] if trail and trail[0].strip() == title.strip() else trail
    parts = [title.strip(), " › ".join(heading.strip() for heading in below)]
    return [parts[0], *([parts[1]] if parts[1] else []), *([] if page is None else [f"{phrases.page} {page}"])]


def _excerpt(text: str, most: int) -> str:
    """The beginning of a passage on one line, without the headings that stand before it."""
    return shortened(" ".join(_HEADING_LINES.sub("", text).split()) or text.strip() or "…", most)
