"""Rich Text Format (RTF) -> text with its structure. Pure.

Read by an own small reader, since none of those that are kept marks raised text (`\\super`), which would join figures.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from index.formats.node_writer import write_nodes
from index.formats.nodes import LINE_BREAK, Node
from index.formats.office.office_package import stated_facts
from index.formats.office.rtf_characters import SIGN_ESCAPES, SIGNS, code_page, code_page_of_charset, decoded
from index.formats.office.rtf_paragraphs import Paragraph, Writer
from index.formats.office.rtf_tables import CellPlan
from index.formats.office.rtf_tokens import Token, tokens
from index.formats.office.stretches import Stretch
from index.formats.parsed import Parsed

_SKIPPED = frozenset(
    "colortbl pict objdata themedata datastore latentstyles listtable listoverridetable generator xmlnstbl rsidtbl fldinst sp "
    "nonshppict nonesttables annotation atnid atnauthor xe tc bkmkstart bkmkend filetbl revtbl ftnsep ftnsepc aftnsep aftnsepc "
    "private comment operator company keywords doccomm category manager subject pn pnseclvl background do".split()
)
_INFO = frozenset({"title", "author", "creatim"})
_RUNNING = frozenset("header headerl headerr headerf footer footerl footerr footerf".split())
_KEPT = frozenset({"shpinst", "shppict", "footnote", "listtext", "fldrslt", "shptxt"})
_MAX_SKIP = 10


@dataclass(slots=True)
class _State:
    """What a group changes and its end restores."""

    place: str = "text"  # where the text goes: "text", "skip", "font", "style", "info", "mark"
    page: str = ""
    align: str = ""
    is_struck: bool = False
    is_hidden: bool = False
    is_bold: bool = False
    skip: int = 1  # how many characters stand for a character that is given by number
    is_new: bool = False  # nothing but "{" or "{\\*" has been read of the group
    is_optional: bool = False
    ends: Callable[[], None] | None = field(default=None, compare=False)


def read_rtf(data: bytes) -> Parsed:
    """Return the document: hidden and deleted text left out, running heads first, notes at the end."""
    reader = _Reader()
    for token in tokens(data):
        reader.take(token)
    root = Node()
    reader.finish(root)
    title, facts = stated_facts(reader.info)
    written = write_nodes(root)
    return Parsed(written.text, written.blocks, title, metadata=facts)


class _Reader:
    def __init__(self) -> None:
        self.info: dict[str, str] = {}
        self._states: list[_State] = [_State()]
        self._page = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._style = 0
        self._styles: dict[int, str] = {}
        self._bytes = bytearray()
        self._to_skip = 0
        self._half = 0  # the first half of a character
        self._name: list[str] = []  # the text of a style, a fact or a mark
        self._plan: list[CellPlan] = []
        self._cell = CellPlan()
        self._main = Writer(self._styles)
        self._running = Writer(self._styles)
        self._notes: list[tuple[str, Writer]] = []
        self._writers: list[Writer] = [self._main]

    def take(self, token: Token) -> None:
        """Read one token."""
        if token.kind == "byte":
            if self._to_skip:
                self._to_skip -= 1
            else:
                self._bytes.append(int(token.text, 16))
            return
        self._flush()
        state = self._states[-1]
        if token.kind == "brace":
            self._to_skip = 0
            self._open() if token.text == "{" else self._close()
        elif token.kind == "text":
            state.is_new = False
            text = token.text[self._to_skip :]
            self._to_skip = max(0, self._to_skip - len(token.text))
            self._write(text)
        elif token.kind == "sign":
            if token.text == "*":
                state.is_optional = state.is_new
                return
            state.is_new = False
            self._write("\t" if token.text in "\r\n" else SIGN_ESCAPES.get(token.text, ""))
            if token.text in "\r\n" and state.place == "text":
                self._writers[-1].end_paragraph()
        elif token.kind == "word":
            self._word(token.text, token.number, state)

    def finish(self, root: Node) -> None:
        """Append all that was read."""
        self._flush()
        while len(self._states) > 1:
            self._close()
        self._running.write_running(root)
        self._main.finish(root)
        for mark, writer in self._notes:
            writer.write_note(root, mark)

    def _open(self) -> None:
        self._states.append(replace(self._states[-1], is_new=True, is_optional=False, ends=None))

    def _close(self) -> None:
        if len(self._states) > 1:
            state = self._states.pop()
            if state.ends is not None:
                state.ends()

    def _flush(self) -> None:
        if self._bytes:
            data, self._bytes = bytes(self._bytes), bytearray()
            self._states[-1].is_new = False
            self._write(decoded(data, self._states[-1].page or self._page))

    def _write(self, text: str) -> None:
        state = self._states[-1]
        if state.place in ("font", "skip") or not text:
            return
        if state.place in ("style", "info", "mark"):
            self._name.append(text)
        elif not state.is_hidden:
            self._writers[-1].write(Stretch(text, state.align, state.is_struck), is_bold=state.is_bold)

    def _word(self, word: str, number: int | None, state: _State) -> None:
        is_first, state.is_new = state.is_new, False
        if is_first and self._begins(word, state):
            return
        if word == "u" and number is not None:
            self._write(self._character(number))
            self._to_skip = state.skip
        elif word == "uc":
            state.skip = max(0, min(number or 0, _MAX_SKIP))
        elif word in SIGNS:
            self._write(SIGNS[word])
        elif state.place in ("font", "style", "info"):
            self._word_of_table(word, number, state)
        elif state.place != "skip" and not self._look(word, number, state) and state.place == "text":
            self._paragraph_word(word, number)

    def _character(self, number: int) -> str:
        """The character of that number: above U+7FFF numbers are negative, above U+FFFF a character comes in two halves."""
        code = number % 0x10000 if number < 0 else min(number, 0x10FFFF)
        half, self._half = self._half, 0
        if 0xD800 <= code < 0xDC00:
            self._half = code
            return ""
        if 0xDC00 <= code < 0xE000 and half:
            return chr(0x10000 + ((half - 0xD800) << 10) + code - 0xDC00)
        return chr(code)

    def _begins(self, word: str, state: _State) -> bool:
        """Whether the word opens a part of the file that is no text of its own."""
        if word in _SKIPPED or (state.is_optional and word not in _KEPT):
            state.place = "skip"
        elif state.place == "skip":
            return True
        elif word in ("fonttbl", "stylesheet", "info"):
            state.place = {"fonttbl": "font", "stylesheet": "style", "info": "skip"}[word]
            state.place = "info" if word == "info" else state.place
            if word == "stylesheet":
                self._style = 0
        elif word in _INFO and state.place == "info":
            self._collect(state, "info", lambda text: self.info.__setitem__(_FACT[word], text))
        elif word in ("listtext", "pntext"):
            self._collect(state, "mark", self._writers[-1].set_mark)
        elif word == "footnote":
            mark = str(len(self._notes) + 1)
            self._writers[-1].write(Stretch(mark, is_note=True), is_bold=False)
            self._notes.append((mark, Writer(self._styles)))
            self._redirect(state, self._notes[-1][1])
        elif word in _RUNNING:
            self._redirect(state, self._running)
        elif state.place == "style" and (word == "s" or word in ("cs", "ds", "ts")):
            return False
        else:
            return False
        return True

    def _collect(self, state: _State, place: str, use: Callable[[str], None]) -> None:
        self._name = []
        state.place = place

        def end() -> None:
            use("".join(self._name))
            self._name = []

        state.ends = end

    def _redirect(self, state: _State, writer: Writer) -> None:
        self._writers.append(writer)
        state.align, state.is_struck, state.is_hidden, state.is_bold = "", False, False, False

        def end() -> None:
            writer.end_paragraph()
            self._writers.pop()

        state.ends = end

    def _word_of_table(self, word: str, number: int | None, state: _State) -> None:
        """A word in the tables of fonts and styles, or in the facts about the file."""
        if state.place == "font":
            if word == "f":
                self._font = number or 0
            elif word == "fcharset" and number is not None:
                self._fonts[self._font] = code_page_of_charset(number)
            elif word == "cpg" and number:
                self._fonts[self._font] = code_page(number)
        elif state.place == "style" and word == "s" and state.ends is None:
            self._collect(state, "style", lambda text: self._styles.__setitem__(number or 0, text.strip(" ;").lower()))
        elif state.place == "info" and word in ("yr", "mo", "dy") and number is not None:
            self._name.append(f"{number:04d}" if word == "yr" else f"-{number:02d}")

    def _look(self, word: str, number: int | None, state: _State) -> bool:
        """Change how the text looks; whether the word does so."""
        is_on = number != 0
        if word in ("super", "sub", "nosupersub"):
            state.align = {"super": "up", "sub": "down"}.get(word, "") if is_on else ""
        elif word in ("up", "dn"):
            state.align = ("up" if word == "up" else "down") if number is None or number > 0 else ""
        elif word in ("strike", "striked"):
            state.is_struck = is_on
        elif word in ("v", "deleted"):
            state.is_hidden = is_on
        elif word == "b":
            state.is_bold = is_on
        elif word == "plain":
            state.align, state.is_struck, state.is_hidden, state.is_bold, state.page = "", False, False, False, ""
        elif word == "f":
            state.page = self._fonts.get(number or 0, "")
        elif word in ("ansicpg", "mac", "pc", "pca"):
            self._page = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}.get(word) or code_page(number or 1252)
        else:
            return False
        return True

    def _paragraph_word(self, word: str, number: int | None) -> None:
        writer = self._writers[-1]
        if word in ("par", "sect", "nestcell"):
            writer.end_paragraph()
        elif word in ("line", "lbr"):
            self._write(LINE_BREAK)
        elif word == "pard":
            writer.properties = Paragraph()
        elif word == "s":
            writer.properties = replace(writer.properties, style=number or 0)
        elif word == "outlinelevel":
            writer.properties = replace(writer.properties, outline=min(max(number or 0, 0), 9))
        elif word == "ilvl":
            writer.properties = replace(writer.properties, depth=min(max(number or 0, 0), 9))
        elif word == "intbl":
            writer.properties = replace(writer.properties, in_table=True)
        elif word == "cell":
            writer.end_cell()
        elif word in ("row", "trowd", "cellx", "trhdr") or word.startswith("cl"):
            self._row_word(writer, word, number)

    def _row_word(self, writer: Writer, word: str, number: int | None) -> None:
        if word == "trowd":
            self._plan, self._cell = [], CellPlan()
            writer.is_header_row = False
        elif word == "trhdr":
            writer.is_header_row = True
        elif word == "cellx":
            self._cell.edge = number or 0
            self._plan.append(self._cell)
            self._cell = CellPlan()
        elif word == "row":
            writer.end_row(list(self._plan))
        elif word == "clmrg":
            self._cell.joins_left = True
        elif word == "clvmgf":
            self._cell.begins_down = True
        elif word == "clvmrg":
            self._cell.joins_above = True


_FACT = {"title": "title", "author": "creator", "creatim": "created"}
