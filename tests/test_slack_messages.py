"""Every answer becomes messages that Slack takes, that lose nothing, and that no document can make mention or link anything."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.records import Chunk, Hit
from service.answering.citations import with_markers
from service.records import Answer, Citation, Excerpt, Sentence
from service.slack.render import messages
from service.slack.render.messages import Viewer
from service.slack.render.phrases import LANGUAGES
from service.slack.render.richtext import literal
from service.slack.render.text import BLOCKS_IN_MESSAGE
from service.text.refusals import REFUSAL
from tests import slack_rules

ENGLISH = LANGUAGES["en"]
LINKED = Viewer("https://quoth.example.org/base/", "default")
UNLINKED = Viewer(None, "default")
NASTY = [
    "<!channel> look here", "<@U123> and <#C1|general>", "<https://evil.example|click>", "&lt;b&gt; &amp; co",
    "كم عدد الهجمات؟ ستة.", "\u202eright to left\u202c", "\u2066open isolate", "| a | b |\n|---|---|\n| 1 | 2 |",
    "```python\nprint('*bold* _it_ ~s~ `c`')\n```", "👩‍👩‍👧‍👦🇩🇪👍🏽 emoji :smile:", "\x00\x07\x1b[31mcontrol",
    "\ud800half", "@channel @here", "[x](https://evil.example) ![y](z)", " ", "\n\n",
]  # fmt: skip
LONG = ["a" * 9000, "word " * 6000, "e\u0301" * 2000, "🧑🏽‍🚀" * 1500, "<&>" * 2000, '\\"\n' * 2000]
TEXT = st.one_of(st.sampled_from(NASTY), st.text(min_size=1, max_size=200), st.text("<>&!@#|*_~`\n ", min_size=1))


def citation(number: int, quote: str, title: str = "A report", trail: tuple[str, ...] = ()) -> Citation:
    highlight = (10, 10 + len(quote) // 2) if len(quote) > 3 else None
    return Citation(
        number, f"d{number}", "v1", title, "file:///a.txt", number, 10, 10 + len(quote), quote, f"c{number}", 0.9, trail,
        highlight, tuple(Excerpt(0, len(heading), heading) for heading in trail),
    )  # fmt: skip


def hit(text: str, title: str) -> Hit:
    return Hit(Chunk("c", "d", "v", 0, 0, len(text), text, (title, "Part")), title, "file:///a.txt", 3, 0.5)


def answer(
    sentences: tuple[Sentence, ...], citations: tuple[Citation, ...] = (), passages: tuple[Hit, ...] = (), **more: Any
) -> Answer:
    text = " ".join(with_markers(sentence.text, sentence.citations) for sentence in sentences) or REFUSAL
    return Answer(
        "a" * 32, "b" * 32, "Why?", "Why?", text, not sentences, 0.9, sentences, citations, passages, "extractive", None,
        **more,
    )  # fmt: skip


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    citations = tuple(
        citation(number, draw(TEXT), draw(TEXT), tuple(draw(st.lists(TEXT, max_size=2))))
        for number in range(1, draw(st.sampled_from([0, 1, 3, 40])) + 1)
    )
    numbers = st.lists(st.integers(1, max(len(citations), 1)), max_size=5, unique=True) if citations else st.just([])
    sentences = tuple(
        replace(
            Sentence(text := draw(TEXT | st.sampled_from(LONG)), tuple(draw(numbers)), draw(st.booleans()), 0.5),
            **draw(
                st.sampled_from([{}, {"form": "item"}, {"form": "item", "ordinal": 7}, {"form": "code", "code": text}])
            ),
        )
        for _ in range(draw(st.integers(0, 5)))
    )
    passages = tuple(hit(draw(TEXT), draw(TEXT)) for _ in range(draw(st.integers(0, 4))))
    return answer(sentences, citations, passages, notes=tuple(draw(st.lists(TEXT, max_size=2))))


def payloads(given_answer: Answer, viewer: Viewer = LINKED, private: bool = False) -> list[Any]:
    """The blocks of every message, as they are sent."""
    made = messages.answer_messages(given_answer, viewer, ENGLISH, private=private)
    travelled = [json.loads(json.dumps(list(message.blocks))) for message in made]
    for message, blocks in zip(made, travelled, strict=True):
        slack_rules.message(blocks, message.text)
    return travelled


def sendable(text: str) -> str:
    """The text without characters that close directions, which may be added at each cut."""
    return re.sub("[\u202c\u2069]", "", literal(text))


def shown(value: Any) -> str:
    return "".join(slack_rules.texts(value))


@settings(max_examples=60, deadline=None)
@given(answers(), st.sampled_from([LINKED, UNLINKED]), st.sampled_from(sorted(LANGUAGES)), st.booleans())
def test_whatever_is_answered_slack_takes_it_and_everything_is_there(
    made: Answer, viewer: Viewer, language: str, private: bool
) -> None:
    said = messages.answer_messages(made, viewer, LANGUAGES[language], private=private)
    whole = ""
    for message in said:
        blocks = json.loads(json.dumps(list(message.blocks)))
        slack_rules.message(blocks, message.text)
        whole += shown(blocks)
    for sentence in made.sentences:
        assert sendable(sentence.text) in sendable(whole)
    for cited in made.citations if made.sentences else ():
        assert f"[{cited.number}] " in whole
    assert sum(block["type"] == "actions" for message in said for block in message.blocks) == 1
    assert said[-1].blocks[-1]["type"] == "actions"


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_no_document_and_no_question_makes_a_mention_or_a_link(texts: list[str]) -> None:
    cited = tuple(citation(number, text, text) for number, text in enumerate(texts, start=1))
    made = answer(tuple(Sentence(text, (1,), True, 1.0) for text in texts), cited, (hit(texts[0], texts[0]),))
    for blocks in [*payloads(made), *payloads(replace(made, refused=True, sentences=()))]:
        addresses = re.findall(r'"url": "([^"]+)"', json.dumps(blocks))
        assert all(address.startswith("https://quoth.example.org/base/view?") for address in addresses)
        kinds = set(re.findall(r'"type": "([a-z_]+)"', json.dumps(blocks)))
        assert kinds <= {
            "rich_text", "rich_text_section", "rich_text_quote", "text", "link", "divider", "actions", "button", "plain_text"
        }  # fmt: skip


def test_the_sentences_read_as_the_text_of_the_answer() -> None:
    sentences = (Sentence("Seoul counts six.", (1, 2), True, 1.0), Sentence("It says so in May.", (2,), True, 1.0))
    made = answer(sentences, (citation(1, "six attacks"), citation(2, "in May")))
    (blocks,) = payloads(made, UNLINKED)
    assert (
        " ".join(shown(block) for block in blocks[:2]) == made.text == "Seoul counts six. [1][2] It says so in May. [2]"
    )


def test_what_a_quote_is_read_with_stands_above_it() -> None:
    row = replace(citation(1, "| Rope | 75 |"), context=(Excerpt(0, 7, "Article"), Excerpt(8, 14, "Oslo\n:")))
    (blocks,) = payloads(answer((Sentence("Article: Rope; Oslo: 75.", (1,), True, 1.0),), (row,)), UNLINKED)
    assert "A report · page 1\nArticle · Oslo| Rope | 75 |" in shown(blocks)


def test_a_number_links_to_the_quote_and_the_quote_shows_the_answer_in_bold() -> None:
    made = answer((Sentence("Six.", (1,), True, 1.0),), (citation(1, "at least six"),))
    (blocks,) = payloads(made)
    text, _, link = blocks[0]["elements"][0]["elements"]
    assert (text["text"], link["text"]) == ("Six.", "[1]")
    assert link["url"] == (
        "https://quoth.example.org/base/view?collection=default&document=d1&version=v1&start=10&end=22&mark=10-16"
    )
    quote = blocks[2]["elements"][2]
    assert quote["type"] == "rich_text_quote"
    assert [(part["text"], part.get("style")) for part in quote["elements"]] == [
        ("at lea", {"bold": True}),
        ("st six", None),
    ]


def test_an_answer_of_30_000_characters_is_split_and_never_cut() -> None:
    text = "".join(f"Clause {number} says that the parties agree. " for number in range(800))
    assert len(text) > 30_000
    made = payloads(answer((Sentence(text, (1,), True, 1.0),), (citation(1, "agree"),)))
    assert len(made) > 2
    assert text in "".join(shown(blocks) for blocks in made)


def test_forty_sources_stay_in_order_within_the_blocks_of_a_message() -> None:
    cited = tuple(citation(number, f"Quote {number} stands here. " * 12) for number in range(1, 41))
    made = payloads(answer((Sentence("All agree.", tuple(range(1, 41)), True, 1.0),), cited))
    whole = "".join(shown(blocks) for blocks in made)
    places = [whole.index(f"Quote {number} stands") for number in range(1, 41)]
    assert places == sorted(places)
    assert max(len(blocks) for blocks in made) <= BLOCKS_IN_MESSAGE


def test_a_refusal_says_so_and_shows_the_nearest_documents() -> None:
    passages = tuple(hit("# Heading\n" + f"Near text {number}. " * 30, f"Document {number}") for number in range(5))
    (blocks,) = payloads(answer((), (), passages))
    assert shown(blocks[0]) == REFUSAL
    whole = shown(blocks)
    assert [name in whole for name in ("Document 0", "Document 2", "Document 3")] == [True, True, False]
    assert "#" not in whole
    assert "Share here" not in shown(payloads(answer((), (), passages), private=True)[0])


def test_only_a_private_answer_offers_to_be_shared() -> None:
    made = answer((Sentence("Six.", (1,), True, 1.0),), (citation(1, "six"),))
    assert [messages.SHARE in json.dumps(payloads(made, private=private)) for private in (True, False)] == [True, False]


def test_an_unsupported_sentence_is_marked() -> None:
    (blocks,) = payloads(answer((Sentence("Perhaps.", (), False, 0.1),)))
    assert shown(blocks[0]) == "Perhaps. (not supported by the sources)"


def test_a_direction_override_in_a_document_ends_with_its_text() -> None:
    assert literal("\u202eabc") == "\u202eabc\u202c"
    assert literal("\u2067\u202eabc\u2069") == "\u2067\u202eabc\u2069"
    assert literal("\u202a\u2066\u202c") == "\u202a\u2066\u202c\u2069\u202c"
    assert literal("שלום") == "שלום"


@pytest.mark.parametrize("text", ["<!channel>", "<@U1>", "<https://x|y>", "&lt;!here&gt;"])
def test_the_fallback_text_is_escaped(text: str) -> None:
    made = messages.fallback(text)
    assert "<" not in made
    assert made.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text
    assert len(messages.fallback("&" * 5000)) <= 3000


def test_the_judge_of_payloads_is_strict() -> None:
    """The rules that the other tests rely on do reject payloads."""
    text = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}]}],
    }
    slack_rules.message([text], "a")
    for broken in (
        {"type": "rich_text", "elements": []},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": ""}]}]},
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U"}]}],
        },
        {"type": "section", "text": {"type": "mrkdwn", "text": "a" * 3001}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "<!channel>"}},
        {"type": "divider", "colour": "red"},
        {"type": "unknown"},
    ):
        with pytest.raises(slack_rules.Broken):
            slack_rules.message([broken], None)
    with pytest.raises(slack_rules.Broken, match="blocks"):
        slack_rules.message([text] * 51, "a")
    with pytest.raises(slack_rules.Broken, match="too_long"):
        slack_rules.message([{"type": "section", "text": {"type": "mrkdwn", "text": "a" * 2900}}] * 4, "a")


def test_items_have_bullets_or_their_numbers_and_code_keeps_its_lines() -> None:
    sentences = (
        Sentence("A passport", (1,), True, 1.0, "item", ordinal=3),
        Sentence("A deposit", (1,), False, 0.1, "item"),
        Sentence("Large: 2024: 50", (1,), True, 1.0, "row"),
        Sentence("if x: go", (1,), True, 1.0, "code", code="if x:\n    go"),
    )
    (blocks,) = payloads(answer(sentences, (citation(1, "quote"),)))
    drawn = [block["elements"][0] for block in blocks[:5]]
    assert [one["type"] for one in drawn] == [
        "rich_text_list", "rich_text_list", "rich_text_list", "rich_text_preformatted", "rich_text_section",
    ]  # fmt: skip
    assert [(one["style"], one.get("offset")) for one in drawn[:3]] == [
        ("ordered", 2),
        ("bullet", None),
        ("bullet", None),
    ]
    assert [shown(one) for one in drawn] == [
        "A passport [1]", "A deposit [1] (not supported by the sources)", "Large: 2024: 50 [1]", "if x:\n    go", " [1]",
    ]  # fmt: skip
