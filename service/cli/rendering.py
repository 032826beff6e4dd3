"""Styled lines for the terminal: answers, passages, results of indexing, and checks of `doctor`. Pure.

A terminal gets wrapped and coloured lines; a pipe gets one line a paragraph and no colour, with the answer inside a quote
marked >like this<. Control characters are shown as spaces, so text from documents cannot move the cursor or change colours.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.text import Text

from index.records import Hit
from index.storage.buckets import is_object_url
from service.cli.earlier import earlier_finding, earlier_fix
from service.records import Answer, Citation, Sentence
from service.text.plain import context_line

if TYPE_CHECKING:
    from index.sync.earlier import EarlierReadings
    from index.sync.retention import Kept
    from index.sync.sync import SyncReport
    from service.cli.doctor import Check

MAX_NEAREST = 3
MAX_NEAREST_CHARACTERS = 160
MAX_SUFFIXES = 6
_HEADING_LINES = re.compile(r"^#{1,6} .*$", re.MULTILINE)  # the headings stand before the excerpt already
_INVISIBLE = {"Cc", "Cf", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # needed in Persian, Indic scripts and emoji, and harmless
_STYLES = {"stated": "bold", "derived": "italic", "missing": "yellow"}
_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "broken": ("✗", "bold red")}


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph and its indentation in columns."""

    indent: int
    text: Text


def show(console: Console, lines: Iterable[Line]) -> None:
    """Print the lines: wrapped to the terminal's width, or unwrapped into a pipe."""
    for line in lines:
        margin = Text(" " * line.indent)
        width = max(console.width - line.indent - 1, 20)
        parts = line.text.wrap(console, width) if console.is_terminal else [line.text]
        for part in parts or [line.text]:
            part.rstrip()
            console.print(margin + part if part.plain else part, soft_wrap=True, highlight=False)


def answer_lines(answer: Answer, *, plain: bool) -> Iterator[Line]:
    """The answer with its numbered sources beneath, or the refusal with the nearest passages."""
    yield blank()
    if answer.rewritten_question != answer.question:
        yield Line(2, Text(f"Read as: {clean(answer.rewritten_question)}", "dim"))
        yield blank()
    if answer.refused:
        yield from _refusal(answer)
    else:
        yield from [Line(2, Text(answer.text))] if answer.kind == "talk" else _sentence_lines(answer)
        for citation in answer.citations:
            yield blank()
            yield from _source(citation, plain)
    yield blank()
    for note in answer.notes:
        yield Line(2, Text(f"note: {clean(note)}", "yellow"))
    yield Line(2, Text(_closing(answer), "dim"))
    yield blank()


def hit_lines(hits: Sequence[Hit]) -> Iterator[Line]:
    """Search results, best first."""
    if not hits:
        yield Line(2, Text("Nothing was found.", "yellow"))
    for rank, hit in enumerate(hits, start=1):
        chunk = hit.chunk
        yield blank()
        place = _place(hit.title, chunk.trail, hit.page, chunk.start, chunk.end)
        yield Line(2, Text(f"{rank}. ", "bold cyan") + place + Text(f" · {hit.score:.3f}", "dim"))
        yield Line(5, Text(clean(chunk.text)))
    yield blank()


def report_lines(report: SyncReport, collection: str) -> Iterator[Line]:
    """What a sync changed."""
    counts = [
        (len(group), name)
        for group, name in (
            (report.added, "added"),
            (report.changed, "changed"),
            (report.renamed, "renamed"),
            (report.removed, "removed"),
            (report.unchanged, "unchanged"),
            ([uri for place in report.kept for uri in place.documents], "kept"),
            (report.rejected, "rejected"),
        )
        if group
    ]
    changes = ", ".join(f"{count:,} {name}" for count, name in counts) or "nothing to index"
    yield Line(0, Text(f"{collection}: {changes} ({report.seconds:.1f} s)"))
    for place in report.kept:
        yield Line(0, Text(clean(_kept(place)), "yellow"))
    for root, count in report.inherited:
        documents, verb = ("new document", "is") if count == 1 else ("new documents", "are")
        restriction = f"{count:,} {documents} {verb} for {', '.join(sorted(root.principals))} only, as was said of "
        fix = "Name others with --principal, or let everybody read with --public."
        yield Line(0, Text(clean(f"{restriction}{readable(root.uri)} before. {fix}"), "yellow"))
    if report.skipped:
        yield Line(0, Text(_skipped_count(report), "dim"))


def change_lines(report: SyncReport) -> Iterator[Line]:
    """The files of a report that changed: + added, ~ changed, > renamed, - removed."""
    for group, sign, style in (
        (report.added, "+", "green"),
        (report.changed, "~", "yellow"),
        (report.renamed, ">", "cyan"),
        (report.removed, "-", "red"),
    ):
        for uri in group:
            yield Line(0, Text(f"{sign} ", style) + Text(clean(readable(uri))))


def rejection_lines(report: SyncReport) -> Iterator[Line]:
    """Each file that could not be indexed, with the reason and the fix."""
    for rejection in report.rejected:
        name = Text(clean(readable(rejection.uri)), "bold")
        yield Line(0, name + Text(clean(f": {rejection.reason}. {rejection.fix}")))


def warning_lines(report: SyncReport) -> Iterator[Line]:
    """What was not read of documents that were indexed, or may be wrong in them."""
    for warning in report.warnings:
        name = Text(clean(readable(warning.uri)), "bold")
        yield Line(0, name + Text(clean(f": {warning.text}"), "yellow"))


def skipped_lines(report: SyncReport) -> Iterator[Line]:
    """Each file that was skipped because it is no document, with the reason."""
    for skipped in report.skipped:
        yield Line(0, Text(clean(f"skipped {readable(skipped.uri)}: {skipped.reason}"), "dim"))


def earlier_lines(earlier: EarlierReadings) -> Iterator[Line]:
    """How many documents an earlier version of Quoth read, and what to do; nothing if there are none."""
    if earlier.total:
        yield Line(0, Text(f"{earlier_finding(earlier)}. {earlier_fix(earlier)}", "yellow"))


def check_lines(checks: Iterable[Check]) -> Iterator[Line]:
    """The checks of `doctor`, each with its fix."""
    for check in checks:
        sign, style = _SIGNS[check.state]
        yield Line(0, Text(f"{sign} ", style) + Text(f"{check.name}: ", "bold") + Text(clean(check.finding)))
        if check.fix:
            yield Line(2, Text(f"→ {check.fix}", style))


def clean(text: str) -> str:
    """One paragraph without control or direction-changing characters, runs of white space folded."""
    visible = (c if c in _JOINERS or unicodedata.category(c) not in _INVISIBLE else " " for c in text)
    return " ".join("".join(visible).split())


def readable(uri: str) -> str:
    """A file URI as a path, relative if it is below the working directory; that of an object as it was given.

    Any other URI is unchanged.
    """
    if is_object_url(uri):
        return unquote(uri)
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return uri
    path = Path(unquote(parts.path))
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _kept(place: Kept) -> str:
    """Why the documents of a folder or sitemap are kept, and what to do about it."""
    is_object = is_object_url(place.uri)
    is_page = not is_object and urlsplit(place.uri).scheme != "file"
    files = "page" if is_page else "file"
    counted = f"{place.gone:,} of {place.known:,} {files}s" if place.known > 1 else f"its {files}"
    check = "Check that the site works" if is_page else "Check that its disk is mounted"
    if is_object:
        check = "Check the names of bucket and prefix"
    documents = "1 document is" if len(place.documents) == 1 else f"{len(place.documents):,} documents are"
    return (
        f"{readable(place.uri)}: {place.reason.value}, {counted} cannot be found, and {documents} kept. {check}. "
        "If they were deleted on purpose, confirm it: run this again with --prune."
    )


def _skipped_count(report: SyncReport) -> str:
    """The number of skipped files by suffix, the most frequent first."""
    suffixes = Counter(Path(urlsplit(skipped.uri).path).suffix.lower() for skipped in report.skipped)
    named = [(suffix, count) for suffix, count in suffixes.most_common() if suffix][:MAX_SUFFIXES]
    others = len(report.skipped) - sum(count for _, count in named)
    parts = [f"{count:,} {clean(unquote(suffix))}" for suffix, count in named] + (
        [f"{others:,} other"] if others else []
    )
    files = "file" if len(report.skipped) == 1 else "files"
    return f"{len(report.skipped):,} {files} skipped as no documents: {', '.join(parts)} (--verbose lists them)"


def blank() -> Line:
    """An empty line."""
    return Line(0, Text(""))


def _sentence_lines(answer: Answer) -> Iterator[Line]:
    """The sentences: prose as one paragraph, an item or a row of a table on a line of its own, code with its lines."""
    paragraph = Text()
    for sentence in answer.sentences:
        if sentence.form in ("prose", "units"):
            paragraph.append(" " if paragraph.plain else "").append(_sentence_text(sentence))
            continue
        if paragraph.plain:
            yield Line(2, paragraph)
            paragraph = Text()
        if sentence.form == "code":
            yield from (Line(4, Text(line, "bold")) for line in _code_lines(sentence.code))
            yield Line(4, _after(sentence))
        else:
            sign = "-" if sentence.ordinal is None else f"{sentence.ordinal}."
            yield Line(2, Text(f"{sign} ") + _sentence_text(sentence))
    if paragraph.plain:
        yield Line(2, paragraph)


def _sentence_text(sentence: Sentence) -> Text:
    return Text(clean(sentence.text), _STYLES[sentence.kind]) + _after(sentence)


def _after(sentence: Sentence) -> Text:
    """What stands behind a sentence: that nothing supports it, and its markers."""
    text = Text()
    if not sentence.supported:
        text.append(" (not supported)", "red")
    if sentence.citations:
        text.append(f" {''.join(f'[{number}]' for number in sentence.citations)}", "cyan")
    return text


def _code_lines(code: str) -> Iterator[str]:
    """The lines of code with their spaces, without control characters."""
    for line in code.expandtabs(4).split("\n"):
        yield "".join(" " if unicodedata.category(sign) in _INVISIBLE else sign for sign in line)


def _source(citation: Citation, plain: bool) -> Iterator[Line]:
    place = _place(citation.title, citation.trail, citation.page, citation.start, citation.end)
    yield Line(2, Text(f"[{citation.number}] ", "cyan") + place)
    indent = len(f"  [{citation.number}] ")
    if context := clean(context_line(citation)):
        yield Line(indent, Text(f"{context}:", "dim"))
    yield Line(indent, _quote(citation, plain))


def _quote(citation: Citation, plain: bool) -> Text:
    begin, end = citation.highlight or (citation.start, citation.start)
    before, inside, after = (
        clean(part)
        for part in (
            citation.quote[: begin - citation.start],
            citation.quote[begin - citation.start : end - citation.start],
            citation.quote[end - citation.start :],
        )
    )
    text = Text('"')
    text.append(before)
    if inside:
        glue = citation.quote[: begin - citation.start]
        text.append(" " if glue[-1:].isspace() and before else "")
        text.append(f">{inside}<" if plain else inside, "bold black on yellow")
        text.append(" " if after and citation.quote[end - citation.start].isspace() else "")
    text.append(after)
    text.append('"')
    return text


def _refusal(answer: Answer) -> Iterator[Line]:
    refusal = Text(clean(answer.text), "bold yellow")
    yield Line(2, refusal + Text(f" (confidence that they do: {answer.confidence:.2f})", "not bold dim"))
    for rank, hit in enumerate(answer.passages[:MAX_NEAREST]):
        label = Text("Nearest: " if rank == 0 else " " * len("Nearest: "), "dim")
        place = label + Text(" · ").join([Text(clean(hit.title), "bold"), *_trail(hit.chunk.trail, hit.title)])
        text = clean(_HEADING_LINES.sub("", hit.chunk.text))
        excerpt = (
            text if len(text) <= MAX_NEAREST_CHARACTERS else text[:MAX_NEAREST_CHARACTERS].rsplit(" ", 1)[0] + " ..."
        )
        yield Line(2, place + Text(f' · "{excerpt}"'))


def _place(title: str, trail: Sequence[str], page: int | None, start: int, end: int) -> Text:
    parts = [Text(clean(title), "bold"), *_trail(trail, title)]
    if page is not None:
        parts.append(Text(f"page {page}"))
    parts.append(Text(f"characters {start}-{end}", "dim"))
    return Text(" · ").join(parts)


def _trail(trail: Sequence[str], title: str) -> list[Text]:
    """The headings above, without one that repeats the title."""
    below = trail[1:] if trail and clean(trail[0]) == clean(title) else trail
    return [Text(" › ".join(clean(heading) for heading in below))] if below else []


def _closing(answer: Answer) -> str:
    parts = [] if answer.refused or answer.kind == "talk" else [f"confidence {answer.confidence:.2f}"]
    parts.append(answer.generator)
    if "total" in answer.timings_ms:
        parts.append(f"{answer.timings_ms['total']:.0f} ms")
    return " · ".join(parts)
