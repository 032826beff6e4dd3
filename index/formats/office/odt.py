"""OpenDocument texts (ODT) -> text with its structure. Pure."""

from index.blocks.block import Kind
from index.formats.list_nodes import ListWriter
from index.formats.node_writer import write_nodes
from index.formats.nodes import Node
from index.formats.office.open_document import OpenDocument
from index.formats.office.open_document_styles import Style, Styles
from index.formats.office.open_document_text import TextReader
from index.formats.parsed import Parsed


def read_odt(data: bytes) -> Parsed:
    """Return the document: deletions and hidden text left out, running heads first, notes at the end."""
    file = OpenDocument(data)
    reader = TextReader(Styles(file))
    root = Node()
    _write_running(root, file, reader, "header")
    reader.write(root, file.body("text"))
    reader.write_notes(root)
    _write_running(root, file, reader, "footer")
    title, facts = file.facts()
    written = write_nodes(root)
    return Parsed(written.text, written.blocks, title, metadata=facts)


def _write_running(root: Node, file: OpenDocument, reader: TextReader, kind: str) -> None:
    """Append the running heads or feet, each text once."""
    seen: set[str] = set()
    for element in (
        file.styles.iterfind(f"{{*}}master-styles/{{*}}master-page/{{*}}{kind}") if file.styles is not None else ()
    ):
        lines = (reader.runs(line, Style()) for line in element.iter("{*}p"))
        text = " ".join(" ".join(Node(None, line).plain() for line in lines).split())
        if text and text not in seen:
            seen.add(text)
            ListWriter(root).block(Kind.FURNITURE, text)
