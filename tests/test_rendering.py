"""Terminal output is exactly as in design.md, in a pipe and in a terminal, and no document can control the terminal."""

import io
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from index.ledger.rows import Inherited, Root
from index.records import Chunk, Hit
from index.sync.listing import Rejection
from index.sync.retention import Kept, Reason
from index.sync.sync import SyncProgress, SyncReport
from service.cli import rendering
from service.cli.doctor import Check
from service.cli.progress import ProgressLines
from service.records import Answer, Cell, Citation, Excerpt, Sentence

QUOTE = "Seoul holds the North responsible for at least six notable cyberattacks since 2007."
CHUNK = Chunk("c1", "d1", "v1", 0, 800, 800 + len(QUOTE), QUOTE, ("Cyber cooperation briefing", "Attacks"))
BEGIN = 812 + QUOTE.index("at least six")
CITATION = Citation(
    number=1,
    document_id="d1",
    version="v1",
    title="Cyber cooperation briefing",
    uri="file:///briefing.md",
    page=None,
    start=812,
    end=812 + len(QUOTE),
    quote=QUOTE,
    chunk_id="c1",
    score=3.2,
    trail=("Cyber cooperation briefing", "Attacks"),
    highlight=(BEGIN, BEGIN + len("at least six")),
)
ANSWER = Answer(
    id="a1",
    conversation_id="k1",
    question="How many?",
    rewritten_question="How many?",
    text=f"{QUOTE} [1]",
    refused=False,
    confidence=0.94,
    sentences=(Sentence(QUOTE, (1,), True, 1.0),),
    citations=(CITATION,),
    passages=(Hit(CHUNK, "Cyber cooperation briefing", "file:///briefing.md", None, 3.2),),
    generator="extractive",
    prompt_hash=None,
    timings_ms={"total": 118.2},
)
REFUSAL = replace(ANSWER, refused=True, confidence=0.08, text="The documents do not say.", sentences=(), citations=())


def render(lines: object, *, terminal: bool = False, width: int = 80) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, color_system="standard" if terminal else None)
    rendering.show(console, lines)  # type: ignore[arg-type]
    return out.getvalue()


def test_an_answer_in_a_pipe_reads_as_designed() -> None:
    assert render(rendering.answer_lines(ANSWER, plain=True)) == (
        "\n"
        "  Seoul holds the North responsible for at least six notable cyberattacks since 2007. [1]\n"
        "\n"
        "  [1] Cyber cooperation briefing · Attacks · characters 812-895\n"
        '      "Seoul holds the North responsible for >at least six< notable cyberattacks since 2007."\n'
        "\n"
        "  confidence 0.94 · extractive · 118 ms\n"
        "\n"
    )


def test_what_a_quote_is_read_with_stands_above_it() -> None:
    context = (Excerpt(700, 707, "Article"), Excerpt(710, 721, "\x1b[1mOslo\n:"))
    shown = render(rendering.answer_lines(replace(ANSWER, citations=(replace(CITATION, context=context),)), plain=True))
    assert (
        '  [1] Cyber cooperation briefing · Attacks · characters 812-895\n      Article · [1mOslo:\n      "Seoul holds'
    ) in shown


def test_a_refusal_in_a_pipe_reads_as_designed() -> None:
    assert render(rendering.answer_lines(REFUSAL, plain=True)) == (
        "\n"
        "  The documents do not say. (confidence that they do: 0.08)\n"
        f'  Nearest: Cyber cooperation briefing · Attacks · "{QUOTE}"\n'
        "\n"
        "  extractive · 118 ms\n"
        "\n"
    )


def test_the_nearest_passages_are_listed_without_their_headings() -> None:
    hit = ANSWER.passages[0]
    long = replace(hit.chunk, text="## Attacks\n\n" + "word " * 100)
    lines = render(
        rendering.answer_lines(replace(REFUSAL, passages=(hit, replace(hit, chunk=long))), plain=True)
    ).splitlines()
    assert lines[2].startswith("  Nearest: Cyber cooperation briefing · Attacks · ")
    assert lines[3].startswith('           Cyber cooperation briefing · Attacks · "word word')
    assert lines[3].endswith(' word ..."')


def test_in_a_terminal_lines_are_wrapped_indented_and_coloured() -> None:
    text = render(rendering.answer_lines(ANSWER, plain=False), terminal=True, width=40)
    assert "\x1b[" in text
    assert ">at least six<" not in text
    bare = render(rendering.answer_lines(ANSWER, plain=False), terminal=False, width=40)
    assert "\x1b[" not in bare
    plain_lines = [rendering.clean(line) for line in _uncoloured(text).splitlines()]
    assert max(len(line) for line in _uncoloured(text).splitlines()) <= 40
    assert rendering.clean(" ".join(plain_lines)) == rendering.clean(bare)


def test_the_page_is_shown_where_known_and_a_follow_up_shows_how_it_was_understood() -> None:
    paged = replace(CITATION, page=7)
    answer = replace(
        ANSWER, citations=(paged,), rewritten_question="How many attacks?", notes=("Vectors are filling.",)
    )
    text = render(rendering.answer_lines(answer, plain=True))
    assert "· Attacks · page 7 · characters 812-895" in text
    assert "  Read as: How many attacks?\n" in text
    assert "  note: Vectors are filling.\n" in text


def test_an_unsupported_sentence_is_marked() -> None:
    answer = replace(ANSWER, sentences=(Sentence("It was nine.", (1,), False, 0.1),))
    assert "  It was nine. (not supported) [1]\n" in render(rendering.answer_lines(answer, plain=True))


@pytest.mark.parametrize(
    ("quote", "inside", "expected"),
    [
        ("Founded\nin 1998 by two.", "1998", '"Founded in >1998< by two."'),
        ("(1998)", "1998", '"(>1998<)"'),
        ("1998", "1998", '">1998<"'),
        ("a  \t b\n c", "b", '"a >b< c"'),
    ],
)
def test_the_answer_inside_a_quote_keeps_the_spaces_around_it(quote: str, inside: str, expected: str) -> None:
    at = quote.index(inside)
    citation = replace(CITATION, start=0, end=len(quote), quote=quote, highlight=(at, at + len(inside)))
    assert f"      {expected}\n" in render(rendering.answer_lines(replace(ANSWER, citations=(citation,)), plain=True))


@given(st.text())
def test_no_text_can_control_the_terminal(text: str) -> None:
    cleaned = rendering.clean(text)
    assert not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in cleaned)
    assert not set(cleaned) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")


def test_escape_sequences_in_a_document_stay_harmless() -> None:
    evil = "Pay \x1b[2J\x1b]0;owned\x07 now\u202e.\r"
    citation = replace(
        CITATION, start=0, end=len(evil), quote=evil, highlight=None, title="\x1b[31mred", trail=("\x9b5m",)
    )
    answer = replace(ANSWER, sentences=(Sentence(evil, (1,), True, 1.0),), citations=(citation,))
    assert not set(render(rendering.answer_lines(answer, plain=True))) & set("\x1b\x07\x9b\r\u202e")


def test_rich_markup_in_a_document_is_shown_as_it_is() -> None:
    answer = replace(ANSWER, sentences=(Sentence("Use [bold]this[/bold] [link=x]y.", (1,), True, 1.0),))
    assert "Use [bold]this[/bold] [link=x]y. [1]" in render(rendering.answer_lines(answer, plain=True))


def test_search_results_are_ranked_with_their_location() -> None:
    text = render(rendering.hit_lines(ANSWER.passages))
    assert (
        f"  1. Cyber cooperation briefing · Attacks · characters 800-{800 + len(QUOTE)} · 3.200\n     {QUOTE}\n" in text
    )
    assert "Nothing was found." in render(rendering.hit_lines(()))


def test_a_report_counts_changes_and_lists_rejected_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inside = Rejection(tmp_path.joinpath("my file.pdf").as_uri(), "it is encrypted", "Save it without a password.")
    report = SyncReport(added=("a", "b"), unchanged=tuple("c" * 1200), rejected=(inside,), seconds=1.25)
    assert render(rendering.report_lines(report, "papers")) == "papers: 2 added, 1,200 unchanged, 1 rejected (1.2 s)\n"
    assert render(rendering.rejection_lines(report)) == "my file.pdf: it is encrypted. Save it without a password.\n"
    assert render(rendering.report_lines(SyncReport(), "papers")) == "papers: nothing to index (0.0 s)\n"


def test_each_change_is_listed_with_a_sign() -> None:
    report = SyncReport(added=("file:///x/a.md",), changed=("file:///x/b.md",), removed=("file:///x/d%0A.md",))
    report = replace(report, renamed=("file:///x/c.md",), unchanged=("file:///x/e.md",))
    assert render(rendering.change_lines(report)) == "+ /x/a.md\n~ /x/b.md\n> /x/c.md\n- /x/d .md\n"


def test_new_documents_with_restricted_readers_are_reported() -> None:
    root = Root("file:///x/board", frozenset({"hr", "ann"}))
    text = render(rendering.report_lines(SyncReport(added=("a", "b"), inherited=(Inherited(root, 2),)), "papers"))
    assert text.splitlines()[1] == (
        "2 new documents are for ann, hr only, as was said of /x/board before. "
        "Name others with --principal, or let everybody read with --public."
    )


def test_skipped_files_are_summarised_by_suffix_and_listed_on_request() -> None:
    names = ("a.jpg", "b.JPG", "c.jsonl", "d%0A.jpg", "blob")
    report = SyncReport(skipped=tuple(Rejection(f"file:///x/{name}", "it holds no text", "Leave it") for name in names))
    assert render(rendering.report_lines(report, "papers")).splitlines()[1:] == [
        "5 files skipped as no documents: 3 .jpg, 1 .jsonl, 1 other (--verbose lists them)"
    ]
    listed = render(rendering.skipped_lines(report)).splitlines()
    assert len(listed) == 5
    assert listed[2] == "skipped /x/c.jsonl: it holds no text"


def test_every_rejected_file_is_named() -> None:
    rejected = tuple(Rejection(f"file:///{n}.pdf", "it is empty", "Remove it.") for n in range(25))
    lines = render(rendering.rejection_lines(SyncReport(rejected=rejected))).splitlines()
    assert lines == [f"/{n}.pdf: it is empty. Remove it." for n in range(25)]


def test_documents_that_are_kept_are_counted_and_explained() -> None:
    report = SyncReport(
        kept=(
            Kept("file:///x/share", Reason.EMPTY, 2, 2, ("file:///x/share/a.txt", "file:///x/share/b.txt")),
            Kept("https://example.org/sitemap.xml", Reason.MOST_UNLISTED, 11, 20, ("https://example.org/a",)),
        )
    )
    assert render(rendering.report_lines(report, "papers")).splitlines() == [
        "papers: 3 kept (0.0 s)",
        "/x/share: it is empty, 2 of 2 files cannot be found, and 2 documents are kept. Check that its disk is mounted. "
        "If they were deleted on purpose, confirm it: run this again with --prune.",
        "https://example.org/sitemap.xml: most of its pages are gone at once, 11 of 20 pages cannot be found, and 1 document "
        "is kept. Check that the site works. If they were deleted on purpose, confirm it: run this again with --prune.",
    ]


def test_progress_in_a_log_is_a_line_when_a_stage_begins_and_ends_and_some_seconds_apart() -> None:
    lines: list[str] = []
    now = [0.0]
    show = ProgressLines(lines.append, clock=lambda: now[0])
    for done in range(1, 1201):
        now[0] += 0.015625  # a sum of these is exact
        show(SyncProgress(done, 1200))
    for done in (256, 512, 600):
        now[0] += 6
        show(SyncProgress(1200, 1200, done, 600))
    assert lines == [
        "Reading: 1 of 1,200 files",
        "Reading: 641 of 1,200 files",
        "Reading: 1,200 of 1,200 files",
        "Making vectors: 256 of 600 passages",
        "Making vectors: 600 of 600 passages",
    ]


def test_a_problem_is_followed_by_its_fix() -> None:
    text = render(
        rendering.check_lines([Check("Disk", "ok", "9 GB free"), Check("Home", "broken", "read-only", "Set it.")])
    )
    assert text == "✓ Disk: 9 GB free\n✗ Home: read-only\n  → Set it.\n"


def _uncoloured(text: str) -> str:
    out = io.StringIO()
    at = 0
    while at < len(text):
        if text[at] == "\x1b":
            at = text.index("m", at) + 1
        else:
            out.write(text[at])
            at += 1
    return out.getvalue()


def test_items_rows_and_code_of_a_language_model_stand_on_lines_of_their_own() -> None:
    sentences = (
        Sentence("You need two things.", (1,), True, 1.0),
        Sentence("A passport", (1,), True, 1.0, "item", ordinal=1),
        Sentence("A deposit", (), False, 0.1, "item"),
        Sentence("Large: 2024: 50", (1,), True, 1.0, "row", cells=(Cell("", "Large"), Cell("2024", "50"))),
        Sentence("if x: go", (1,), True, 1.0, "code", code="if x:\n\tgo\x1b"),
        Sentence("It is quick.", (1,), True, 1.0),
    )
    lines = [
        f"{' ' * line.indent}{line.text.plain}"
        for line in rendering.answer_lines(replace(ANSWER, sentences=sentences), plain=True)
    ]
    assert lines[1:8] == [
        "  You need two things. [1]", "  1. A passport [1]", "  - A deposit (not supported)", "  - Large: 2024: 50 [1]",
        "    if x:", "        go ", "     [1]",
    ]  # fmt: skip
    assert lines[8] == "  It is quick. [1]"
