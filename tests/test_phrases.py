"""Quoth's own words: every language has the same phrases with the same fields, and the page and Slack use each of them."""

import re
from pathlib import Path

import httpx
import pytest

from service.api.routes.pages import FOLDER
from service.phrases import table
from service.phrases.table import ANSWER_LANGUAGES, LANGUAGES, Phrase, page_phrases, texts
from service.slack import handlers
from service.slack.render.phrases import Phrases

SECTIONS = ("answers", "notes", "derived", "both", "slack", "page")
CALL = re.compile(r"\bt\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
QUOTES = {"en": "“{}”", "de": "„{}“", "fr": "«\u00a0{}\u00a0»", "es": "«{}»", "it": "«{}»", "pt": "“{}”"}


def phrases(language: str) -> dict[str, Phrase]:
    """Each phrase of each section, in the order of the file."""
    file = table._file(language)
    return {f"{section}.{name}": phrase for section in SECTIONS for name, phrase in file.get(section, {}).items()}


def forms(phrase: Phrase) -> dict[str, str]:
    return {"": phrase} if isinstance(phrase, str) else dict(phrase)


def fields(phrase: Phrase) -> set[str]:
    return {field for text in forms(phrase).values() for field in re.findall(r"\{(\w+)\}", text)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_phrases_with_the_same_fields_and_forms(language: str) -> None:
    english, other = phrases("en"), phrases(language)
    assert list(other) == list(english)
    for name, phrase in other.items():
        assert fields(phrase) == fields(english[name]), name
        assert list(forms(phrase)) == list(forms(english[name])), name
        assert all(text == text.strip() and text for text in forms(phrase).values()), name


@pytest.mark.parametrize("language", ANSWER_LANGUAGES)
@pytest.mark.parametrize("section", ["answers", "notes"])
def test_what_is_said_in_an_answer_is_there_in_every_language(language: str, section: str) -> None:
    said, english = texts(language, section), texts("en", section)
    assert list(said) == list(english)
    assert "" not in said.values()
    assert [fields(text) for text in said.values()] == [fields(text) for text in english.values()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_phrases_have_the_quotation_marks_and_spaces_of_their_language(language: str) -> None:
    for name, phrase in phrases(language).items():
        for text in forms(phrase).values():
            assert not set("\"'`") & set(text), name
            quoted = re.findall(r"(?:[„“«]\s?)\{\w+\}(?:\s?[“”»])", text)
            assert all(QUOTES[language].format(one[one.index("{") : one.index("}") + 1]) == one for one in quoted), name
            if language == "fr":
                assert not re.search(r"(?<![\u00a0\u202f/])[:;?!»](?!//)", text), name
            else:
                assert not re.search(r"\s[:;?!.,]", text.replace(" …", "")), name


def test_no_two_sections_of_one_door_have_a_phrase_of_one_name() -> None:
    both, slack, page = (set(texts("en", "both")), set(texts("en", "slack")), set(page_phrases("en")))
    assert both & slack == set()
    assert len(page) == len(both) + sum(name.startswith("page.") for name in phrases("en"))


def test_slack_uses_every_phrase() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in Path(handlers.__file__).parent.rglob("*.py"))
    used = set(re.findall(r"phrases\.(\w+)", sources)) | {"name"}
    assert set(Phrases.__slots__) - used == set()


def test_the_page_uses_every_phrase_and_no_other() -> None:
    sources = [path for path in Path(FOLDER).rglob("*") if path.suffix in (".js", ".html")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    known = page_phrases("en")
    calls = " ".join(CALL.findall(text) + re.findall(r"PHRASES = \{([^}]*)\}", text))
    used = set(re.findall(r'"(\w+)"', calls)) & set(known)
    used |= set(re.findall(r'data-t(?:-label|-placeholder)?="(\w+)"', text))
    used |= set(re.findall(r"this\.words\.(\w+)", text))  # the question box on other pages
    used |= set(re.findall(r"^  (by_\w+): \(", text, re.MULTILINE))  # the orders of the documents
    begins = tuple(re.findall(r"`(\w+_)\$\{", text))  # t(`kind_${kind}`)
    used |= {name for name in known if name.startswith(begins)}
    used |= set(re.findall(r'\bt\("(\w+)"', text))
    assert used == set(known)


def test_the_page_says_nothing_but_phrases() -> None:
    """Names, signs and what is said without scripts stand in the files of the page; everything else comes from the table."""
    for path in FOLDER.glob("*.html"):
        body = path.read_text("utf-8").partition("<body")[2]
        body = re.sub(r"<(noscript|code|kbd)\b.*?</\1>", "", body, flags=re.DOTALL)
        said = re.findall(r">([^<>]*\w[^<>]*)<", body) + re.findall(
            r'\s(?:aria-label|placeholder|title)="([^"]*)"', body
        )
        assert set(said) <= {"Quoth"}, path.name


@pytest.mark.parametrize(("wanted", "spoken"), [("fr,en", "fr"), ("xx,pt", "pt"), ("nl,ja", "en"), ("", "en")])
def test_the_server_sends_the_phrases_of_the_first_wanted_language_alone(served: str, wanted: str, spoken: str) -> None:
    with httpx.Client(base_url=served) as client:
        sent = client.get("/assets/phrases.json", params={"wanted": wanted})
        again = client.get(
            "/assets/phrases.json", params={"wanted": wanted}, headers={"If-None-Match": sent.headers["etag"]}
        )
    assert sent.json()["language"] == spoken
    assert sent.json()["phrases"] == page_phrases(spoken)
    assert list(sent.json()["languages"]) == list(LANGUAGES)
    assert sent.headers["content-encoding"] == "gzip"
    assert (again.status_code, again.content) == (304, b"")
