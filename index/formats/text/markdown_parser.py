"""The parser of Markdown: CommonMark with tables, strikethrough, footnotes and definition lists."""

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from index.formats.text.inline_marks import note_marks

LINK_LINES = "hidden"
"""The key of the parser's notes under which the lines of the definitions of links stand, as (first, last + 1)."""

_MAX_NESTING = 40


def markdown_parser() -> MarkdownIt:
    """Return a new parser."""
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable(["table", "strikethrough"])
    parser.use(footnote_plugin, inline=False, move_to_end=False).use(deflist_plugin)
    parser.block.ruler.at("reference", _reference)
    note_marks(parser)
    return parser


def _reference(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """A definition of a link, whose lines are noted."""
    found = reference(state, start_line, end_line, silent)
    if found and not silent:
        state.env.setdefault(LINK_LINES, []).append((start_line, state.line))
    return found
