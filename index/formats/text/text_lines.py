"""Lines of plain text and what each shows by itself: a list marker, a row of figures, a heading, a log entry. Pure."""

import re
from collections.abc import Sequence

from index.blocks.lines import Line

_BULLET = r"[-*+•▪◦‣·–●○■□►➢➤✓✔\uf0a7\uf0b7](?=[ \t])"
_NUMBER = r"\(?(?:[0-9]{1,3}|[a-zA-Z]|[ivxlcIVXLC]{2,5})[.)](?=[ \t])"
_SECTION = r"[0-9]{1,2}(?:\.[0-9]{1,2})+\.?(?=[ \t]+[A-Z])"
_NAMED = r"(?:Item|Note|Part|Section|Article|Chapter|Annex|Appendix)[ ][0-9]{1,3}[A-Z]?[.:](?=[ \t])"
_MARKER = re.compile(rf"(?:{_BULLET}|{_NUMBER}|{_SECTION}|{_NAMED})")
_FENCE = re.compile(r"(`{3,}|~{3,})[^`]*\Z")
_LEADERS = re.compile(r"(?:\.{4,}|(?:\.[ \u00a0]){4,}|…{2,}|_{5,})[ .]*\d{1,4}\Z")
_LOG = re.compile(
    r"""\[?(?:\d{4}[-/]\d\d[-/]\d\d[T ,]+\d\d:\d\d
        |\d\d?/(?:[A-Z][a-z]{2}|\d\d?)/\d{4}[: ]\d\d:\d\d
        |(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ ]{1,2}\d{1,2}[ ]\d\d:\d\d:\d\d[ ])
        |\S+[ ]\S+[ ]\S+[ ]\[\d\d/[A-Z][a-z]{2}/\d{4}:""",
    re.VERBOSE,
)
_SYNOPSIS = re.compile(r"\[(?:-{1,2}[\w?]|<[\w-]+>)|(?:\A|\s)-{1,2}\w[\w-]*[= ]<[\w-]+>")
_COMMAND = re.compile(r"(?:\$|[\w.-]+@[\w.-]+:\S*[$#])[ ](?=\S)|sudo[ ]\S")
_OPTION = re.compile(r"-{1,2}[\w?][\w-]*(?:[ ,=\[<].*)?\Z")
_FIELD = re.compile(r"([^\W\d_][\w /().'’#&-]{0,39}?)[ \t]*:[ \t]+(?=\S)")
_CODE = re.compile(
    r"""(?:(?:import|from|def|class|function|var|let|const|return|public|private|static|void|use|fn|pub|using|namespace)[ ]
        \S.*[;{):\w"']\Z|\#(?:include|define|!)|[\w.]+\(.*\)[;:{]?\Z|</?[a-zA-Z][^<>]*>|[\w.\[\]]+[ ]?[+-]?=[ ]?\S)
        |.*[;{}]\Z|[)\]}]+[;,]?\Z""",
    re.VERBOSE,
)
_SENTENCE_END = (".", "!", "?", ":", ",", ";", "。", "！", "？", "…")
_MAX_HEADING_CHARACTERS = 70
_MAX_HEADING_WORDS = 9


def marker_of(line: str) -> str:
    """Return the mark with which a list item begins, "3." or "•"; empty if the line begins with none."""
    match = _MARKER.match(line)
    return match.group() if match else ""


def is_bullet(marker: str) -> bool:
    """Whether the mark of an item does not count."""
    return bool(marker) and not any(map(str.isalnum, marker))


def fence_of(line: str) -> str:
    """Return the marks that open or close a fenced piece of code; empty if the line is none."""
    match = _FENCE.match(line)
    return match.group(1) if match else ""


def is_contents(line: str) -> bool:
    """Whether the line belongs to a table of contents: dots lead to a page number."""
    return _LEADERS.search(line[-60:]) is not None


def is_log(line: str) -> bool:
    """Whether the line is an entry of a log: it begins with a date and a time."""
    return _LOG.match(line) is not None


def is_command(line: str) -> bool:
    """Whether the line is a command, or says how one is written: `net-reset [--soft] <line>`."""
    return _COMMAND.match(line) is not None or (_SYNOPSIS.search(line) is not None and not line.endswith((".", ":")))


def is_option(line: str) -> bool:
    """Whether the line is nothing but an option of a command: `-n, --number <count>`."""
    return len(line) <= 60 and not line.endswith(".") and _OPTION.match(line) is not None


def field_of(line: str) -> tuple[int, int] | None:
    """Return where the label of a line `Label: value` ends and its value begins; None for a sentence with a colon."""
    match = _FIELD.match(line)
    if match is None or len(match.group(1).split()) > 4 or line[match.end(1) :].startswith("://"):
        return None
    return match.end(1), match.end()


def is_code(lines: Sequence[Line]) -> bool:
    """Whether most of the lines are written in a programming language."""
    return sum(_CODE.match(line.text) is not None for line in lines) > 0.6 * len(lines)


def is_sentence(line: str) -> bool:
    """Whether the line ends as a sentence does."""
    return line.rstrip("\"'”’)]").endswith((".", "!", "?", ":", "。", "！", "？"))


def is_capitals(line: str) -> bool:
    """Whether the line is a heading in capitals."""
    letters = sum(map(str.isalpha, line))
    return letters >= 3 and line.upper() == line and line.lower() != line and _is_short(line)


def is_heading(line: str) -> bool:
    """Whether the line may be a heading: short, it begins with a capital letter, and does not end as a sentence."""
    return line[:1].isupper() and _is_short(line) and ":" not in line and "\t" not in line and "   " not in line


def _is_short(line: str) -> bool:
    is_small = len(line) <= _MAX_HEADING_CHARACTERS and len(line.split()) <= _MAX_HEADING_WORDS
    return is_small and not line.endswith(_SENTENCE_END) and "@" not in line and "|" not in line
