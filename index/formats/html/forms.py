"""The fields of forms: their values as they are filled in, and the labels that name them. Pure."""

from index.formats.html.element import Element

_TYPED = frozenset("text search tel url email number date month week time datetime-local color range".split())
_MARKS = {("checkbox", True): "☑", ("checkbox", False): "☐", ("radio", True): "◉", ("radio", False): "○"}
_FIELDS = frozenset(("input", "select", "textarea"))


class Labels:
    """Which label names which field of a page: by its `for`, or because it holds the field."""

    def __init__(self, page: Element) -> None:
        self._labels: dict[Element, Element] = {}
        self._fields: dict[Element, Element] = {}
        labels = [element for element in page.elements() if element.tag == "label"]
        if not labels:
            return
        by_id = {element.get("id"): element for element in page.elements() if element.tag in _FIELDS}
        for label in labels:
            inner = next((part for part in label.content if isinstance(part, Element) and part.tag in _FIELDS), None)
            named = inner or by_id.get(label.get("for") or "\0")
            if named is not None and named not in self._labels:
                self._labels[named] = label
                self._fields[label] = named

    def of(self, field: Element) -> Element | None:
        """Return the label of a field."""
        return self._labels.get(field)

    def field_of(self, label: Element) -> Element | None:
        """Return the field of a label."""
        return self._fields.get(label)


def field_value(element: Element) -> str:
    """Return what stands in a field; empty for buttons and the like, and where nothing is chosen."""
    if element.tag == "textarea":
        return element.text().strip()
    if element.tag == "select":
        chosen = [part.text() for part in element.elements() if part.tag == "option" and "selected" in part.attributes]
        return ", ".join(" ".join(text.split()) for text in chosen)
    is_typed = (element.get("type").lower() or "text") in _TYPED
    return element.get("value").strip() if is_typed else ""


def checked_mark(element: Element) -> str:
    """Return the box or circle of a field that can be ticked; empty for another."""
    if element.tag != "input":
        return ""
    return _MARKS.get((element.get("type").lower(), "checked" in element.attributes), "")
