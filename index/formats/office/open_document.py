"""The parts of an OpenDocument file: its content, its styles, and what it states about itself. Pure."""

from typing import Any

from index.formats.office.office_package import NO_PASSWORD, SAVE_AGAIN, Package, local_name, stated_facts
from index.formats.parsed import Unreadable


class OpenDocument:
    """An OpenDocument file. `content` and `styles` are the root elements of those parts; the second may be missing."""

    def __init__(self, data: bytes) -> None:
        self._package = Package(data)
        manifest = self._package.tree("META-INF/manifest.xml")
        if manifest is not None and next(manifest.iter("{*}encryption-data"), None) is not None:
            raise Unreadable("it is encrypted", NO_PASSWORD)
        self.content: Any = self._package.tree("content.xml")
        if self.content is None:
            raise Unreadable("it is damaged or cut short (its content is missing)", SAVE_AGAIN)
        self.styles: Any = self._package.tree("styles.xml")

    def body(self, kind: str) -> Any:
        """Return the element that holds the text, the sheets or the slides."""
        body = self.content.find(f"{{*}}body/{{*}}{kind}")
        if body is None:
            raise Unreadable("it is damaged or cut short (its body is missing)", SAVE_AGAIN)
        return body

    def facts(self) -> tuple[str, dict[str, str]]:
        """Return the title and the facts that the file states about itself."""
        root = self._package.tree("meta.xml")
        stated = {
            local_name(item): item.text or "" for item in (root.iterfind("{*}meta/*") if root is not None else ())
        }
        return stated_facts(
            stated
            | {
                "creator": stated.get("initial-creator", "") or stated.get("creator", ""),
                "created": stated.get("creation-date", ""),
            }
        )


def attribute(element: Any, name: str, default: str = "") -> str:
    """Return the attribute of that local name."""
    found = element.get(name)
    if found is not None:
        return str(found)
    ending = f"}}{name}"
    return next((str(text) for key, text in element.attrib.items() if key.endswith(ending)), default)


def count(element: Any, name: str) -> int:
    """Return the attribute as a number of at least 1."""
    text = attribute(element, name)
    return max(1, int(text)) if text.isdecimal() and len(text) < 9 else 1
