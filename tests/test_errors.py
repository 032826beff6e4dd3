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
