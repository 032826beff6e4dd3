"""The error trees drawn in docstrings match the classes."""

import inspect
import re
from types import ModuleType

import pytest

import evaluation.errors
import index.errors
import service.errors


def drawn_parents(module: ModuleType) -> dict[str, str | None]:
    """Each class of the drawing, with its parent in the drawing."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in inspect.cleandoc(module.__doc__ or "").splitlines():
        match = re.match(r"    ((?:[│├└ ][─ ]{2} )*)([A-Z]\w+)(?:\s|$)", line)
        if match:
            depth = len(match[1]) // 4
            parents[match[2]] = path[depth - 1] if depth else None
            path[depth:] = [match[2]]
    return parents


@pytest.mark.parametrize("module", [index.errors, service.errors, evaluation.errors])
def test_the_drawing_shows_every_error_under_its_parent(module: ModuleType) -> None:
    classes = {
        name: kind for name, kind in inspect.getmembers(module, inspect.isclass) if kind.__module__ == module.__name__
    }
    assert len(classes) > 5
    expected = {
        name: parent if (parent := kind.__mro__[1].__name__) in classes else None for name, kind in classes.items()
    }
    assert drawn_parents(module) == expected


def test_what_a_caller_sent_is_cut_and_the_fix_stays() -> None:
    for text in ("x" * 60_000, "x y " * 15_000, "\ud800" * 60_000):
        for error in (
            index.errors.CollectionNameInvalid(f"{text!r} cannot name a collection. Use a-z"),
            service.errors.GeneratorUnknown(f"{text!r} cannot name a generator. Use a-z"),
        ):
            assert str(error).startswith("'")
            assert str(error).endswith(". Use a-z")
            assert len(str(error)) <= 4001
    whole = f"/{'folder/' * 100}file.txt: no such file. Check the spelling"
    assert str(index.errors.NotFound(whole)) == whole
