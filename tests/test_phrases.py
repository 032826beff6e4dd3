"""The page's words: every language has the same phrases with the same fields, and each of them is used."""

import re
from pathlib import Path

import pytest

from service.api.routes.pages import FOLDER
from service.slack.render.phrases import LANGUAGES as SLACK

ENTRY = re.compile(r'^  (\w+): (?:"((?:[^"\\]|\\.)*)"|\{ (.*) \}),$', re.MULTILINE)
CALL = re.compile(r"\bt\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
FORM = re.compile(r'(\w+): "((?:[^"\\]|\\.)*)"')
LANGUAGES = sorted(path.stem.removeprefix("phrases_") for path in FOLDER.glob("assets/phrases_*.js"))


def table(language: str) -> dict[str, dict[str, str]]:
    """The phrases of a language: for each name its forms, one called `other` where the phrase has no forms."""
    text = (FOLDER / "assets" / f"phrases_{language}.js").read_text("utf-8")
    found = {
        name: dict(FORM.findall(forms)) if forms else {"other": plain} for name, plain, forms in ENTRY.findall(text)
    }
    assert len(found) == len(re.findall(r"^  \w+: ", text, re.MULTILINE))
    return found


def fields(phrase: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", phrase))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_phrases_with_the_same_fields(language: str) -> None:
    english, other = table("en"), table(language)
    assert list(other) == list(english)
    for name, forms in other.items():
        assert fields(forms["other"]) == fields(english[name]["other"]), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_and_slack_have_one_word_for_one_thing(language: str) -> None:
    page, slack = table(language), SLACK[language]
    said = [page[name]["other"] for name in ("sources", "delete", "close")]
    assert said == [slack.sources, slack.delete, slack.close]


def test_the_page_uses_every_phrase_and_no_other() -> None:
    sources = [
        path for path in Path(FOLDER).rglob("*") if path.suffix in (".js", ".html") and "phrases_" not in path.name
    ]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    calls = " ".join(CALL.findall(text) + re.findall(r"PHRASES = \{([^}]*)\}", text))
    used = set(re.findall(r'"(\w+)"', calls)) & set(table("en"))
    used |= set(re.findall(r'data-t(?:-label|-placeholder)?="(\w+)"', text))
    used |= set(re.findall(r"this\.words\.(\w+)", text))  # the question box on other pages
    used |= set(re.findall(r"^  (by_\w+): \(", text, re.MULTILINE))  # the orders of the documents
    begins = tuple(re.findall(r"`(\w+_)\$\{", text))  # t(`kind_${kind}`)
    used |= {name for name in table("en") if name.startswith(begins)}
    used |= set(re.findall(r'\bt\("(\w+)"', text))
    assert used == set(table("en"))
