"""Evidence on the page, in a real Chromium: pages with the quote boxed, text as blocks, answers as the units they state."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw, ImageFont

from index.library import Library
from index.sync.sync import sync
from service.access.caller import Scope
from service.access.keyring import Keyring
from service.answering.service import Service
from service.composition.http import create_app
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.chromium import PHONE, Visits, ask, expect, fits, launched, swipe, visiting
from tests.harbour_documents import HOSTILE, write_harbour, write_long_report

FERRIES = "How many ferries arrived in 2025?"
PERMIT = "What do I need to rent a berth?"
LOCK = "The lock at Glasson opens at six in the morning."
RELAY = "How do I start the relay of the north gate?"
LONG_PAGES = 500
COAST = """# السواحل

- المرسى القديم
- المرسى الجديد

> البحر هادئ اليوم.

| القارب | المرسى |
| --- | --- |
| نورس | 12 |
"""
AXE = Path(__file__).parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (320, 360, 390, 768, 1280)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def visit(browser: Any) -> Iterator[Visits]:
    with visiting(browser) as visits:
        yield visits


@pytest.fixture(scope="module")
def harbour(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The service, with its models, over the documents of the harbour and a report of 500 pages."""
    home = tmp_path_factory.mktemp("harbour")
    folder = write_harbour(home / "files")
    folder.joinpath("tides.md").write_text(HOSTILE, encoding="utf-8")
    photographed = Image.new("RGB", (900, 200), "ivory")
    ImageDraw.Draw(photographed).text((40, 70), LOCK, font=ImageFont.load_default(size=32), fill="black")
    photographed.save(folder / "lock.jpg")
    library = Library(home, service.library.encoder)
    sync(library.open_or_create("default"), sorted(folder.iterdir()))
    sync(library.open_or_create("log"), [write_long_report(home / "log.pdf", LONG_PAGES)])
    answerer = replace(service.answerer, library=library)
    return replace(service, library=library, answerer=answerer, settings=Settings(home=home))


@pytest.fixture(scope="module")
def served(harbour: Service, loopback: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = ConversationStore(Database(f"sqlite:///{tmp_path_factory.mktemp('store') / 'c.sqlite'}"))
    with loopback(create_app(harbour, store)) as url:
        yield url
    store.close()


def citation_of(served: str, question: str) -> dict[str, Any]:
    answer = httpx.post(f"{served}/v1/chat", json={"question": question}, timeout=60).raise_for_status().json()
    return dict(answer["citations"][0])


def place_of(served: str, ending: str, collection: str = "default") -> tuple[str, dict[str, str]]:
    """The route of the version of the document whose URI ends so, and the parameters for the viewer."""
    listed = httpx.get(f"{served}/v1/documents", params={"collection": collection}).json()["documents"]
    [found] = [one for one in listed if one["uri"].endswith(ending)]
    query = {"collection": collection, "document": found["id"], "version": found["version"]}
    return f"{served}/v1/documents/{found['id']}/versions/{found['version']}", query


def viewer(served: str, query: dict[str, Any]) -> str:
    return f"{served}/view?{httpx.QueryParams(query)}"


def marked(page: Any, within: str) -> str:
    """The text of all marks, shown or not, in order."""
    return "".join(page.locator(f"{within} mark").all_text_contents())


def direction(page: Any, selector: str) -> str:
    """The direction of the first element that the selector finds, once there is one."""
    return str(page.locator(selector).first.evaluate("element => getComputedStyle(element).direction"))


def open_panel(page: Any, view: str = "page") -> None:
    page.locator(".marker").first.click()
    page.wait_for_selector("#panel:not([hidden])")
    button = page.locator(f"#panel [data-view={view}]")
    button.click()
    page.wait_for_selector("#panel .page-sheet img" if view == "page" else "#panel mark.span")


def test_the_boxes_on_the_page_cover_the_words_of_the_quote_and_no_others(visit: Visits, served: str) -> None:
    page = visit(served, device_scale_factor=2, viewport={"width": 1280, "height": 900})
    ask(page, FERRIES)
    citation = citation_of(served, FERRIES)
    open_panel(page)
    page.wait_for_selector(".word-box.answer")
    sheet = page.locator(f".page-sheet[data-number='{citation['page']}']")
    expect(sheet.locator("img")).to_be_in_viewport()
    width = sheet.bounding_box()["width"]
    assert sheet.locator("img").evaluate("picture => picture.naturalWidth") == pytest.approx(2 * width, abs=2)
    route = f"{served}/v1/documents/{citation['document_id']}/versions/{citation['version']}"
    shown = httpx.get(f"{route}/pages/{citation['page']}").json()
    for selector, (start, end) in (
        (".word-box:not(.answer)", (citation["start"], citation["end"])),
        (".word-box.answer", citation["highlight"]),
    ):
        boxes = rectangles(sheet, selector)
        scale = width / shown["width"]
        for word in shown["words"]:
            covered = max(share_covered([edge * scale for edge in word["box"]], box) for box in boxes)
            is_quoted = word["start"] < end and word["end"] > start
            assert covered > 0.97 if is_quoted else covered < 0.1, (selector, word)


def rectangles(sheet: Any, selector: str) -> list[list[float]]:
    """Left, top, right and bottom of the elements, in pixels from the corner of the sheet."""
    corner = sheet.bounding_box()
    found = [box.bounding_box() for box in sheet.locator(selector).all()]
    return [
        [
            box["x"] - corner["x"],
            box["y"] - corner["y"],
            box["x"] + box["width"] - corner["x"],
            box["y"] + box["height"] - corner["y"],
        ]
        for box in found
    ]


def share_covered(word: list[float], box: list[float]) -> float:
    wide = max(0.0, min(word[2], box[2]) - max(word[0], box[0]))
    high = max(0.0, min(word[3], box[3]) - max(word[1], box[1]))
    return wide * high / ((word[2] - word[0]) * (word[3] - word[1]))


def test_the_text_shows_the_table_with_the_cited_row_and_the_choice_is_kept(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, FERRIES)
    citation = citation_of(served, FERRIES)
    open_panel(page, "text")
    assert marked(page, "#panel .source-text") == citation["quote"]
    begin, end = (at - citation["start"] for at in citation["highlight"])
    assert page.locator("#panel td.answer").all_inner_texts() == [citation["quote"][begin:end]] == ["1,344"]
    assert page.locator("#panel tr.head th").all_inner_texts() == ["Sort of vessel", "2024", "2025"]
    assert page.locator("#panel tr.cited td").all_inner_texts() == ["Ferries", "1,208", "1,344"]
    page.locator(".marker").first.click()
    page.wait_for_selector("#panel mark.span")
    assert page.locator("#panel [data-view=text]").get_attribute("aria-pressed") == "true"


def test_answers_and_cards_show_rows_lists_code_and_definitions_as_what_they_are(visit: Visits, served: str) -> None:
    page = visit(served)
    for question in (FERRIES, PERMIT, RELAY, "What is a fender?"):
        ask(page, question)
    ferries, permit, relay, fender = page.locator(".turn").all()
    for place in (".prose", ".card"):
        assert ferries.locator(f"{place} th").all_inner_texts() == ["Sort of vessel", "2024", "2025"]
        expect(ferries.locator(f"{place} td.answer")).to_have_text("1,344")
        assert ferries.locator(f"{place} tbody td.figure").all_inner_texts() == ["1,208", "1,344"]
        assert ferries.locator(f"{place} th.figure").last.evaluate("cell => getComputedStyle(cell).textAlign") == "end"
        assert permit.locator(f"{place} .b-sign").first.inner_text().strip() == "1."
        expect(permit.locator(f"{place} .units-lead")).to_have_text("To rent a berth you need:")
        expect(relay.locator(f"{place} code")).to_have_text("relay start --gate north\nrelay status")
        expect(fender.locator(f"{place} dt")).to_have_text("Fender")
        assert fender.locator(f"{place} dd").inner_text().startswith("A cushion")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    relay.locator(".prose .copy-code").click()
    assert page.evaluate("navigator.clipboard.readText()") == "relay start --gate north\nrelay status"
    expect(page.locator("#panel")).to_be_hidden()
    assert ferries.locator(".source-title").all_inner_texts() == ["Annual report of the harbour"]


@pytest.mark.parametrize(
    ("name", "question", "said"),
    [
        ("notice.pdf", "When is the east quay closed?", "closed"),
        ("lock.jpg", "When does the lock at Glasson open?", "opens"),
    ],
)
def test_a_scanned_page_or_picture_is_shown_with_the_recognised_words_boxed(
    visit: Visits, served: str, name: str, question: str, said: str
) -> None:
    listed = httpx.get(f"{served}/v1/documents").json()["documents"]
    if not any(one["uri"].endswith(name) for one in listed):
        pytest.skip("tesseract is not installed; with apt: apt-get install tesseract-ocr")
    page = visit(served)
    ask(page, question)
    open_panel(page)
    page.wait_for_selector(".word-box")
    route, _ = place_of(served, name)
    text = httpx.get(f"{route}/text").json()["text"]
    words = httpx.get(f"{route}/pages/1").json()["words"]
    closed = next(word for word in words if text[word["start"] : word["end"]] == said)
    sheet = page.locator(".page-sheet").first
    scale = sheet.bounding_box()["width"] / httpx.get(f"{route}/pages/1").json()["width"]
    box = [edge * scale for edge in closed["box"]]
    assert max(share_covered(box, one) for one in rectangles(sheet, ".word-box")) > 0.97


def test_the_nearest_passages_of_a_refusal_are_drawn_as_what_they_are(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, "Who painted the ferries green?")
    expect(page.locator(".refused .card").first).to_be_visible()
    for card in page.locator(".refused .card").all():
        card.scroll_into_view_if_needed()
        card.locator(".nearest-drawn").wait_for()
    table = page.locator(".refused .card table", has_text="Ferries").first
    assert table.locator("th").all_inner_texts() == ["Sort of vessel", "2024", "2025"]
    assert "|" not in "".join(page.locator(".refused .card").all_inner_texts())
    expect(page.locator(".refused .nearest-drawn > .b-heading:visible")).to_have_count(
        0
    )  # they stand above, on the card


def test_on_a_phone_nothing_lies_over_the_cell_that_answers(visit: Visits, served: str) -> None:
    page = visit(served, **{**PHONE, "viewport": {"width": 320, "height": 740}})
    ask(page, FERRIES)
    is_seen = """cell => {
        const { left, right, top, bottom } = cell.getBoundingClientRect();
        return [left + 3, right - 3].every((x) => document.elementFromPoint(x, (top + bottom) / 2) === cell);
    }"""
    for cell in page.locator("td.answer").all():
        cell.scroll_into_view_if_needed()
        assert cell.evaluate(is_seen)


DRAWN = """async ([route, parameters, ranges]) => {
    const { drawBlocks } = await import("/assets/blocks.js");
    const { Extract } = await import("/assets/text.js");
    const part = await (await fetch(`${route}/text?${parameters}`)).json();
    const extract = new Extract(part.text, part.start);
    const drawn = (marks) => {
        const box = document.createElement("div");
        box.append(drawBlocks(extract, part.blocks, { marks, pages: part.pages, mediaType: part.media_type }));
        box.querySelectorAll("button, .again, .page-break").forEach((added) => added.remove());
        return box;
    };
    const faults = drawn({}).textContent === part.text ? [] : [`all of ${route}: ${drawn({}).textContent}`];
    for (const [from, to] of ranges) {
        const start = part.start + Math.floor(from * (part.end - part.start));
        const quote = [start, Math.min(start + 1 + Math.floor(to * 80), part.end)];
        const marked = [...drawn({ quote }).querySelectorAll("mark")].map((mark) => mark.textContent).join("");
        if (marked !== extract.slice(...quote)) faults.push(`${quote} of ${route}: ${marked}`);
    }
    return faults;
}"""


def test_a_drawing_holds_every_code_point_once_and_marks_exactly_the_quote(visit: Visits, served: str) -> None:
    page = visit(served)
    ranges = [[place / 37, place * 7 % 37 / 37] for place in range(37)]
    for ending in ("handbook.md", "boats.csv", "report.pdf", "arabic.md", "tides.md"):
        route, query = place_of(served, ending)
        length = httpx.get(f"{route}/text", params=query).json()["length"]
        for start, end in ((0, length), (length // 5, length // 2), (length // 3, length - 4)):
            asked = str(httpx.QueryParams({"start": start, "end": end}))
            assert page.evaluate(DRAWN, [route, asked, ranges]) == []


def test_a_file_is_saved_under_the_name_that_the_server_gives(visit: Visits, served: str) -> None:
    name = """async (disposition) => {
        const { attachmentName } = await import("/assets/server.js");
        return attachmentName(new Response("", { headers: { "Content-Disposition": disposition } }));
    }"""
    page = visit(served)
    for disposition, expected in (
        ('attachment; filename="boats.csv"', "boats.csv"),
        ("attachment; filename*=UTF-8''my%20b%C3%B6ats.csv", "my böats.csv"),
        ('inline; filename="boats.csv"', ""),
    ):
        assert page.evaluate(name, disposition) == expected


def test_the_place_of_a_quote_names_long_headings_by_their_first_words(visit: Visits, served: str) -> None:
    page = visit(served)
    place = """async (trail) => {
        const { insideText } = await import("/assets/text.js");
        return insideText({ title: "Report", trail, page: 3 });
    }"""
    assert page.evaluate(place, ["Report", "Fees"]) == "Fees · page 3"
    assert page.evaluate(place, ["Fees", "word " * 20]) == f"Fees › {('word ' * 12).strip()}… · page 3"


def test_markup_in_documents_stays_text_wherever_it_is_shown(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, "How high is the spring tide?")
    ask(page, "How do I reset the tide clock?")
    expect(page.locator(".prose code").last).to_have_text('<script>document.title = "hacked"</script>')
    page.locator(".marker").first.hover()
    expect(page.locator("#peek")).to_be_visible()
    open_panel_of_text = "#panel .source-text"
    page.locator(".marker").last.click()
    page.wait_for_selector(f"{open_panel_of_text} mark")
    assert "<b>Height</b>" in page.locator(open_panel_of_text).text_content() or page.locator(
        f"{open_panel_of_text} th"
    ).all_inner_texts() == ["Tide", "Height"]
    expect(
        page.locator("#thread img, #thread script, #panel script, #panel .source-text img, #peek img")
    ).to_have_count(0)
    assert "hacked" not in page.title()


def test_hover_and_focus_show_the_quote_beside_its_marker(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, FERRIES)
    marker = page.locator(".marker").first
    marker.hover()
    expect(page.locator("#peek")).to_be_visible()
    expect(page.locator("#peek td.answer")).to_have_text("1,344")
    page.locator("#peek").hover()
    page.wait_for_timeout(300)
    expect(page.locator("#peek")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#peek")).to_be_hidden()
    page.locator("#question").focus()
    while page.evaluate("!document.activeElement.matches('.marker')"):
        page.keyboard.press("Shift+Tab")
    expect(page.locator("#peek")).to_be_visible()
    assert marker.get_attribute("aria-describedby") == "peek"
    page.keyboard.press("Escape")
    expect(page.locator("#peek")).to_be_hidden()
    expect(page.locator(".marker:focus")).to_have_count(1)


def test_a_sentence_is_one_stop_of_the_tab_key_and_is_said_once(visit: Visits, served: str) -> None:
    page = visit(served)
    page.evaluate(
        """() => {
            window.said = [];
            const hear = (region) => new MutationObserver((changes) => changes.forEach(({ addedNodes }) =>
                addedNodes.forEach((node) => window.said.push(node.textContent)))).observe(region, { childList: true });
            new MutationObserver(() => document.querySelectorAll(".turn [aria-live]:not(.heard)").forEach((region) => {
                region.classList.add("heard");
                hear(region);
            })).observe(document.querySelector("#thread"), { childList: true, subtree: true });
        }"""
    )
    ask(page, FERRIES)
    assert page.evaluate("window.said") == ["Sort of vessel: Ferries; 2024: 1,208; 2025: 1,344."]
    assert page.locator("#thread").get_attribute("aria-live") == "off"
    stops = page.locator(".controls button")
    assert [one.get_attribute("tabindex") for one in stops.all()] == ["0", "-1", "-1"]
    page.locator(".marker").focus()
    page.keyboard.press("ArrowRight")
    expect(stops.nth(1)).to_be_focused()
    assert [one.get_attribute("tabindex") for one in stops.all()] == ["-1", "0", "-1"]


@pytest.mark.parametrize("way", ["tap beside it", "swipe", "Back", "Esc", "button"])
def test_on_a_phone_the_source_is_a_sheet_that_closes(visit: Visits, served: str, way: str) -> None:
    page = visit(served, **PHONE)
    ask(page, FERRIES)
    address = page.url
    page.tap(".marker >> nth=0")
    expect(page.locator("#panel")).to_be_visible()
    expect(page.locator("main[inert]")).to_have_count(1)
    if way == "tap beside it":
        page.touchscreen.tap(180, 60)
    elif way == "swipe":
        swipe(page, ".panel-head", (0, 200))
    elif way == "Back":
        page.go_back()
    elif way == "Esc":
        page.keyboard.press("Escape")
    else:
        page.tap("#panel button[aria-label='Close the source']")
    expect(page.locator("#panel")).to_be_hidden()
    assert page.url == address
    expect(page.locator("main[inert]")).to_have_count(0)
    page.tap(".marker >> nth=0")
    expect(page.locator("#panel")).to_be_visible()


def test_nothing_lies_beyond_the_edge_at_any_width(visit: Visits, served: str) -> None:
    _, query = place_of(served, "handbook.md")
    for view in ("page", "text"):
        page = visit(served)
        for question in (FERRIES, PERMIT, "Which enzyme folds a protein of the mitochondrion?"):
            ask(page, question)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert fits(page), (view, width, "answers")
        open_panel(page, view)
        address = page.locator("#panel a").first.get_attribute("href")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert fits(page), (view, width, "panel")
            assert reachable(page, "#panel button, #panel a"), (view, width)
        for shown in (f"{served}{address}", viewer(served, query)):
            page.goto(shown)
            page.wait_for_selector("body[data-ready]")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                assert fits(page), (view, width, shown)
                assert reachable(page, ".bar button, .viewer-tools button, .viewer-tools a"), (view, width, shown)


def reachable(page: Any, controls: str) -> bool:
    """Whether all of these controls that are shown lie inside the window from left to right."""
    return bool(
        page.evaluate(
            """(controls) => [...document.querySelectorAll(controls)].filter((one) => one.checkVisibility()).every((one) => {
                const { left, right } = one.getBoundingClientRect();
                return left >= -0.5 && right <= innerWidth + 0.5;
            })""",
            controls,
        )
    )


def test_a_long_document_loads_only_the_pages_that_are_read(visit: Visits, served: str) -> None:
    route, query = place_of(served, "log.pdf", "log")
    text = httpx.get(f"{route}/text", params=query).json()["text"]
    start = text.index("The watch of day 250 counted")
    page = visit(viewer(served, {**query, "start": start, "end": start + 27}))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if ".png" in request.url else None)
    expect(page.locator(".page-sheet[data-number='250'] .word-box")).to_be_in_viewport()
    expect(page.locator(".page-sheet")).to_have_count(LONG_PAGES)
    expect(page.locator("#page-number")).to_have_value("250")
    scroller = page.locator(".pages")
    for step in range(60):
        scroller.evaluate("(box, share) => { box.scrollTop = share * box.scrollHeight; }", step / 60)
    page.fill("#page-number", "499")
    page.keyboard.press("Enter")
    expect(page.locator(".page-sheet[data-number='499'] img")).to_be_in_viewport()
    page.wait_for_function("() => document.querySelectorAll('.page-sheet img').length < 8")
    assert len(asked) < LONG_PAGES // 2  # a slow machine shows more of the places scrolled past
    page.click("#zoom-in")
    expect(page.locator("#zoom-said")).to_have_text("125 %")
    expect(page.locator(".page-sheet[data-number='499'] img")).to_be_in_viewport()


def test_text_that_runs_from_right_to_left_is_shown_so(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, "متى يفتح الميناء؟")  # when does the harbour open?
    for selector in (".prose p", ".source-title", ".card .units", ".card .units p"):
        assert direction(page, selector) == "rtl"
    _, query = place_of(served, "arabic.md")
    page.goto(viewer(served, query))
    page.wait_for_selector("body[data-ready]")
    assert direction(page, "#text .b-paragraph") == "rtl"


def test_a_refusal_from_right_to_left_is_shown_so(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, "رسوم المرسى في الشهر")  # mooring fees in a month
    assert direction(page, ".refused .prose p") == "rtl"
    assert direction(page, ".refused .source-title") == "rtl"
    assert direction(page, ".refused .source:first-child .nearest-drawn .b-paragraph") == "rtl"


def test_lists_tables_and_quotations_from_right_to_left_begin_at_the_right(
    visit: Visits, harbour: Service, served: str, tmp_path: Path
) -> None:
    document = tmp_path / "coast.md"
    document.write_text(COAST, encoding="utf-8")
    sync(harbour.library.open_or_create("coast"), [document])
    _, query = place_of(served, "coast.md", "coast")
    page = visit(viewer(served, query))
    for selector in (".b-list", ".b-list .b-item", ".b-quotation", "table"):
        assert direction(page, f"#text {selector}") == "rtl"
    first, second = (page.locator("#text th").nth(place).bounding_box() for place in (0, 1))
    assert first["x"] > second["x"]


def test_print_is_in_light_colours_with_the_sources_and_without_the_panel(visit: Visits, served: str) -> None:
    page = visit(served, color_scheme="dark")
    ask(page, FERRIES)
    open_panel(page)
    page.emulate_media(media="print")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator(".card").first).to_be_visible()
    ink = page.locator(".prose").evaluate("element => getComputedStyle(element).color")
    assert max(map(int, ink[4:-1].split(","))) < 80


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(visit: Visits, served: str, theme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: make node")
    page = visit(served, color_scheme=theme, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    for question in (FERRIES, PERMIT, RELAY, "What is a fender?", "Which enzyme folds a mitochondrion?"):
        ask(page, question)
    page.locator(".marker").first.hover()
    expect(page.locator("#peek")).to_be_visible()
    assert violations(page) == []
    for view in ("page", "text"):
        open_panel(page, view)
        assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert violations(page) == []
    _, query = place_of(served, "report.pdf")
    page.goto(viewer(served, query))
    page.wait_for_selector("body[data-ready]")
    for view in ("text", "page"):
        page.click(f"[data-view={view}]")
        assert violations(page) == []


def violations(page: Any) -> list[str]:
    """What axe finds against WCAG 2.2 AA and its best practices, as "rule: element"."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for one in found for node in one["nodes"]
    ]


def test_pages_and_originals_come_with_the_key_of_the_reader(
    visit: Visits, harbour: Service, loopback: Any, tmp_path: Path
) -> None:
    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}"))
    keys = Keyring(store.database)
    _, key = keys.create("reader", (Scope.ASK,))
    with loopback(create_app(harbour, store)) as url:
        page = visit.browser.new_context().new_page()
        page.goto(url)
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("body[data-ready]")
        ask(page, FERRIES)
        open_panel(page)
        page.wait_for_selector(".word-box.answer")
        assert page.locator(".page-sheet img").first.evaluate("picture => picture.src").startswith("blob:")
        with page.expect_response(lambda response: response.url.endswith("/file")) as fetched:
            page.locator(".original button").click()
        assert fetched.value.status == 200
        assert json.dumps(fetched.value.request.headers).count(key) == 1
        page.context.close()
    store.close()
