"""Flow: running text that becomes paragraphs, and the node that blocks are added to. Pure."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from index.blocks.block import Kind
from index.formats.nodes import LINE_BREAK, Node, Part

_BEFORE = 60


class Flow:
    """Collects text and blocks in `into`.

    `run` is the open paragraph, or with `is_plain` the block that holds running text only. `before` is the end of the running
    text so far. `language` is that of what is read, as two letters; a block states it where it differs from what holds it.
    """

    def __init__(self) -> None:
        self.root = Node()
        self.into = self.root
        self.run: Node | None = None
        self.is_plain = False
        self.is_struck = False
        self.before = ""
        self.language = ""
        self._written_language = ""

    def text(self, text: str) -> None:
        """Add running text; blank text opens no paragraph."""
        if self.run is None:
            if not text.strip(" \t\n\r\f"):
                return
            self.run = self.node(Kind.PARAGRAPH)
        content = self.run.content
        if self.is_struck and text.strip():
            last = content[-1] if content else None
            if isinstance(last, Node) and last.kind is Kind.STRUCK:
                last.write(text)
            else:
                content.append(Node(Kind.STRUCK, [text]))
        else:
            content.append(text)
        self.before = (self.before + text[-_BEFORE:])[-_BEFORE:]

    def parts(self, parts: Sequence[Part]) -> None:
        """Add running text with inline nodes."""
        for part in parts:
            if isinstance(part, str):
                self.text(part)
            elif isinstance(part, Node) and self.is_struck:
                self.text(part.plain())
            else:
                if self.run is None:
                    self.run = self.node(Kind.PARAGRAPH)
                self.run.content.append(part)
                self.before = (self.before + "\ufffc")[-_BEFORE:]

    def break_line(self) -> None:
        """End the line within running text."""
        if self.run is not None:
            self.run.write(LINE_BREAK)
        self.before = ""

    def end_line(self) -> None:
        """End the line where a block begins or ends."""
        if self.is_plain:
            self.break_line()
        else:
            self.close()

    def close(self) -> None:
        """End the open paragraph."""
        if self.is_plain:
            return
        run, self.run, self.before = self.run, None, ""
        if run is not None and run.plain().strip():
            self.finish_paragraph(run)
            self.into.content.append(run)

    def finish_paragraph(self, paragraph: Node) -> None:
        """Receive each paragraph before it is added."""

    def node(self, kind: Kind | None, **facts: object) -> Node:
        """Return a new node, which belongs nowhere yet."""
        if kind is not None and self.language != self._written_language:
            facts["language"] = self.language
        return Node(kind, [], facts)

    def add(self, kind: Kind | None, **facts: object) -> Node:
        """End the open paragraph, add a block and return it."""
        self.close()
        node = self.node(kind, **facts)
        self.into.content.append(node)
        return node

    @contextmanager
    def inside(self, node: Node, *, plain: bool = False) -> Iterator[None]:
        """Read into `node`; with `plain`, as its running text."""
        was = self.into, self.run, self.is_plain, self.before, self._written_language
        self.into, self.run, self.before = node, node if plain else None, ""
        self.is_plain = self.is_plain or plain
        self._written_language = node.facts.get("language", self._written_language)
        try:
            yield
        finally:
            self.into, self.run, self.is_plain, self.before, self._written_language = was
