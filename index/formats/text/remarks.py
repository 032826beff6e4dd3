"""Comments of data files -> remarks: what they say, and whether they are settings that were switched off. Pure."""

import re
from collections.abc import Iterable

from index.blocks.block import Span
from index.formats.text.data_tree import Remark

_MARK = re.compile(r"[#;!/*]+[ \t]*")
_SWITCHED_OFF = re.compile(r"[A-Za-z_][\w.-]*\s*=|[a-z_][\w.-]*:(?:\s+[^\s]+)?\s*\Z|\[[\w.\- ]+\]\s*\Z")


def remarks_of(text: str, comments: Iterable[Span]) -> list[Remark]:
    """Return the comments, each of which begins with its mark, in order; those on lines that follow each other are one.

    One that stands beside a value is a remark of its own, and never a setting.
    """
    found: list[Remark] = []
    marks: list[Span] = []
    begin = stop = 0
    was_setting = was_beside = False
    for start, line_end in comments:
        end = start + len(text[start:line_end].rstrip())
        mark = _MARK.match(text, start, end)
        body = mark.end() if mark else start
        if body == end:
            continue
        is_beside = bool(text[text.rfind("\n", 0, start) + 1 : start].strip())
        is_setting = not is_beside and _SWITCHED_OFF.match(text, body, end) is not None
        if marks and (is_setting != was_setting or was_beside or is_beside or not _follows(text, stop, start)):
            found.append(Remark(begin, stop, tuple(marks), was_setting))
            marks = []
        begin = begin if marks else start
        marks.append(Span(start, body))
        stop, was_setting, was_beside = end, is_setting, is_beside
    if marks:
        found.append(Remark(begin, stop, tuple(marks), was_setting))
    return found


def _follows(text: str, end: int, start: int) -> bool:
    between = text[end:start]
    return not between.strip() and between.count("\n") == 1
