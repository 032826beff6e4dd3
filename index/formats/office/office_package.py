"""The parts of an Office or OpenDocument file, a zip archive: XML trees without entities or network, relations, facts. Pure."""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lxml import etree

from index.formats.canonical import canonical
from index.formats.containers.archive import ZIP_DAMAGE
from index.formats.messages.compound_file import MAGIC
from index.formats.parsed import Unreadable

SAVE_AGAIN = "Open it in its own program and save it again, or fetch it again"
NO_PASSWORD = "Save a copy without a password"

_MADE_BY_PROGRAM = re.compile(
    r"(?i)microsoft word - |untitled|powerpoint presentation|.*\.(?:docx?|odt|indd|rtf|tex|pdf|xlsx?|ods|pptx?|odp)\Z"
)
_CORE = "docProps/core.xml"
_RELATION_SPACES = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}",
)


class Relation(NamedTuple):
    """What a part refers to: the last word of its type, and the name of the other part, or an address outside."""

    kind: str
    target: str
    is_external: bool


class Package:
    """The parts of the file by name."""

    def __init__(self, data: bytes) -> None:
        if data.startswith(MAGIC):  # Office wraps an encrypted file in a compound file
            raise Unreadable("it is encrypted", NO_PASSWORD)
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except ZIP_DAMAGE as error:
            raise damaged(error) from error
        self._names = {name.lower(): name for name in self._archive.namelist()}

    def holds(self, name: str) -> bool:
        """Whether there is a part of that name."""
        return name.lower() in self._names

    def read(self, name: str) -> bytes:
        """Return the bytes of a part; none if there is no such part."""
        if not self.holds(name):
            return b""
        try:
            return self._archive.read(self._names[name.lower()])
        except ZIP_DAMAGE as error:
            raise damaged(error) from error

    def tree(self, name: str) -> Any:
        """Return the root element of a part that is XML, without comments; None if there is no such part."""
        data = self.read(name)
        return parse_xml(data) if data.strip() else None

    def relations(self, name: str) -> dict[str, Relation]:
        """Return what the part refers to, by the name of the reference."""
        folder, file = posixpath.split(name)
        root = self.tree(posixpath.join(folder, "_rels", f"{file}.rels"))
        found: dict[str, Relation] = {}
        for element in root if root is not None else ():
            target = element.get("Target", "")
            is_external = element.get("TargetMode") == "External"
            if not is_external:
                is_absolute = target.startswith("/")
                target = target.lstrip("/") if is_absolute else posixpath.normpath(posixpath.join(folder, target))
            kind = element.get("Type", "").rsplit("/", 1)[-1]
            found[element.get("Id", "")] = Relation(kind, target, is_external)
        return found

    def main_part(self) -> str:
        """Return the name of the part that an Office file begins with."""
        for relation in self.relations("").values():
            if relation.kind == "officeDocument" and self.holds(relation.target):
                return relation.target
        raise Unreadable("it is damaged or cut short (its main part is missing)", SAVE_AGAIN)

    def facts(self) -> tuple[str, dict[str, str]]:
        """Return the title and the facts that an Office file states about itself."""
        root = self.tree(_CORE)
        return stated_facts({local_name(item): item.text or "" for item in (root if root is not None else ())})


def parse_xml(data: bytes) -> Any:
    """Return the root element. Raises `Unreadable` for damaged XML and for XML with entities of its own."""
    try:
        root = etree.fromstring(data, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise damaged(error) from error
    refuse_entities(root)
    return root


def read_elements(data: bytes, *names: str) -> Iterator[Any]:
    """Yield the elements of these local names as they end, and forget each after its turn: for parts of any size."""
    tags = [f"{{*}}{name}" for name in names]
    context = etree.iterparse(
        io.BytesIO(data), tag=tags, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        is_first = True
        for _, element in context:
            if is_first:
                refuse_entities(element)
                is_first = False
            yield element
            element.clear(keep_tail=False)
            while element.getprevious() is not None:
                del element.getparent()[0]
    except (etree.XMLSyntaxError, ValueError) as error:
        raise damaged(error) from error


def refuse_entities(root: Any) -> None:
    """Raise `Unreadable` if the XML declares a document type, which may hold entities that multiply or read files."""
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("it declares entities of its own, as no office program does", SAVE_AGAIN)


def relation_id(element: Any, name: str = "id") -> str:
    """Return the name of the relation that an element refers to, in either of the two namespaces that Office writes."""
    return next((str(element.get(f"{space}{name}")) for space in _RELATION_SPACES if element.get(f"{space}{name}")), "")


def local_name(element: Any) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rsplit("}", 1)[-1]


def stated_facts(stated: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the title, empty unless a person wrote it, and the author and date of creation, from the Dublin Core names."""
    title = canonical(stated.get("title", "").strip() or stated.get("subject", "")).strip()
    if _MADE_BY_PROGRAM.match(title) or len(title.split()) < 2:
        title = ""
    facts: dict[str, str] = {}
    author = canonical(stated.get("creator", "")).strip()
    created = canonical(stated.get("created", "")).strip()
    if author:
        facts["author"] = author
    if created:
        facts["created"] = created
    return title, facts


def damaged(error: Exception) -> Unreadable:
    """Return the reason for a file whose parts are not what they should be."""
    return Unreadable(f"it is damaged or cut short ({' '.join(str(error).split())[:100]})", SAVE_AGAIN)


def _parser() -> Any:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True, load_dtd=False
    )
