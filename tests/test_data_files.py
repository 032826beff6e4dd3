"""CSV, JSON, YAML, TOML, XML and settings files are read as records; fields are literal ranges, labelled with keys."""

import configparser
import csv
import io
import json
import re
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from index.blocks.block import Kind
from index.blocks.unit import render
from index.chunking.units import document_units
from index.formats.parsed import Parsed
from index.formats.text.delimited import read_delimited
from index.formats.text.ini_records import read_ini
from index.formats.text.json_records import read_json, read_json_lines
from index.formats.text.toml_records import read_toml
from index.formats.text.xml_records import read_xml
from index.formats.text.yaml_records import read_yaml
from tests.growth import assert_linear
from tests.test_units import read


def records(parsed: Parsed) -> list[dict[str, str]]:
    """The fields of each record, as they are read: keys joined by dots, escapes replaced."""
    text, blocks = parsed.text, parsed.blocks
    found: dict[int, dict[str, str]] = {}
    for number, block in enumerate(blocks):
        if block.kind is not Kind.FIELD or block.parent is None:
            continue
        words, position = "", block.start
        for inner in blocks[number + 1 :]:
            if inner.parent != number:
                break
            words += text[position : inner.start] + inner.marker
            position = inner.end
        key = ".".join(text[start:end] for start, end in block.labels)
        found.setdefault(block.parent, {})[key] = words + text[position : block.end]
    return list(found.values())


def labels(parsed: Parsed) -> list[list[str]]:
    """The labels of the records that have some."""
    named = [block.labels for block in parsed.blocks if block.kind is Kind.RECORD and block.labels]
    return [[parsed.text[start:end] for start, end in spans] for spans in named]


@pytest.mark.parametrize(
    ("first", "second", "is_header"),
    [
        (["Plan", "2024", "2025"], ["Small", "29", "31"], True),
        (["Plan", "Q1 2024", "Q2 2024"], ["Small", "29", "31"], True),
        (["Plan", "Jan", "Feb"], ["Small", "29", "31"], True),
        (["Size", "10", "20"], ["Colour", "red", "blue"], True),
        (["Kai", "1980", "1990"], ["Ole", "1981", "1991"], False),
        (["Kai", "10", "20"], ["Ole", "30", "40"], False),
    ],
)
def test_years_and_figures_name_columns_if_the_cells_below_are_of_another_kind(
    first: list[str], second: list[str], *, is_header: bool
) -> None:
    expected = "; ".join(f"{key}: {value}" for key, value in zip(first, second, strict=True)) if is_header else None
    for name, mark in (("a.csv", ","), ("a.txt", "\t"), ("a.tsv", "\t")):
        document = read(name, f"{mark.join(first)}\n{mark.join(second)}\n")
        said = render(document.text, document_units(document)).text
        assert said == (f"{expected}." if is_header else f"{'; '.join(first)}.\n{'; '.join(second)}.")


def test_rows_with_semicolons_decimal_commas_and_a_title_line() -> None:
    parsed = read_delimited("Price list\n\nItem;Price\nBoots;39,90\nJacket;89,50\n")
    assert records(parsed) == [{"Item": "Boots", "Price": "39,90"}, {"Item": "Jacket", "Price": "89,50"}]
    assert parsed.text[parsed.blocks[0].start : parsed.blocks[0].end] == "Price list"


def test_rows_without_a_header_have_fields_without_labels() -> None:
    assert records(read_delimited("1\t2\n3\t4\n", "\t")) == [{"": "2"}, {"": "4"}]


def test_letters_written_as_escapes_are_read_in_keys_too_and_the_text_stays_the_same_json() -> None:
    text = '{"Gr\\u00f6\\u00dfe \\ud83d\\ude00": "C:\\\\u00e9 \\u0041\\n"}'
    parsed = read_json(text)
    assert records(parsed) == [{"Größe 😀": "C:\\u00e9 A\n"}]
    assert parsed.text.startswith('{"Größe 😀": "C:\\\\u00e9')
    assert json.loads(parsed.text) == json.loads(text)


def test_objects_of_a_list_are_records_labelled_with_what_holds_them() -> None:
    parsed = read_json(
        '{"name": "North", "boats": [{"id": 1, "berth": {"no": "C\\u00e94"}}, {"id": 2, "tags": ["a", "b"]}]}'
    )
    assert records(parsed) == [{"name": "North"}, {"id": "1", "berth.no": "Cé4"}, {"id": "2", "tags": "a, b"}]
    assert labels(parsed) == [["boats", "North"], ["boats", "North"]]


def test_sections_of_yaml_are_records_and_comments_are_notes() -> None:
    parsed = read_yaml("# The gateway\nserver:\n  host: gw\n  port: 8443\ndatabase:\n  port: 5433\n  # size: 3\n")
    assert records(parsed) == [{"host": "gw", "port": "8443"}, {"port": "5433"}]
    assert labels(parsed) == [["server"], ["database"]]
    kinds = [block.kind for block in parsed.blocks if block.kind in (Kind.NOTE, Kind.FURNITURE)]
    assert kinds == [Kind.NOTE, Kind.FURNITURE]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "server:\n  port: 8080 # TCP\n  host: a\n"),
        ("a.toml", "[server]\nport = 8080 # TCP\nhost = 'a'\n"),
        ("a.ini", "[server]\nport = 8080 ; TCP\nhost = a\n"),
    ],
)
def test_a_comment_beside_a_setting_is_led_by_it_and_apart_from_the_record(name: str, text: str) -> None:
    document = read(name, text)
    rendering = render(document.text, document_units(document))
    assert rendering.text == "server\nport: 8080.\nTCP\nhost: a."
    note = next(unit for unit, _, _ in rendering.units if unit.kind is Kind.NOTE)
    assert text[note.start : note.end] == "TCP"
    assert text[slice(*note.lead[-1])].replace(" =", ":") == "port: 8080"


def test_comments_beside_the_values_of_a_list_stay_apart_from_it() -> None:
    document = read("a.yaml", "hosts:\n  - a # one\n  - b # two\n")
    assert render(document.text, document_units(document)).text == "hosts: a.\none\nhosts: b.\ntwo"


def test_what_stands_after_the_records_inside_a_record_is_led_by_its_name() -> None:
    document = read("a.json", '{"name":"North","boats":[{"id":1,"x":2},{"id":2,"x":2}],"city":"Oslo"}')
    *_, last = document_units(document)
    assert document.text[last.start : last.end] == '"city":"Oslo"}'
    assert [document.text[slice(*span)] for span in last.lead] == ['name":"North']


def test_aliases_of_yaml_stay_as_they_are() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
    )
    assert records(read_yaml(bomb))[0]["h"] == "*g, *g"


def test_tables_of_toml_are_records() -> None:
    parsed = read_toml('title = "T"\n[server.tls]\nport = 1 # the port\n[[fruit]]\nname = "apple"\nsize = {x = 1}\n')
    assert records(parsed) == [{"title": "T"}, {"port": "1"}, {"name": "apple", "size.x": "1"}]
    assert labels(parsed) == [["server", "tls"], ["fruit"]]


def test_elements_and_attributes_of_xml_are_fields() -> None:
    parsed = read_xml(
        '<?xml version="1.0"?>\n<fleet owner="Bö">\n<boat id="1"><name>A &lt; B</name></boat>\n<boat id="2"/></fleet>'
    )
    assert records(parsed) == [{"owner": "Bö"}, {"id": "1", "name": "A < B"}, {"id": "2"}]


def test_xml_with_text_among_elements_is_prose() -> None:
    parsed = read_xml("<book><title>One</title><para>See <em>this</em> thing.</para></book>")
    shown = [(b.kind, parsed.text[b.start : b.end]) for b in parsed.blocks if b.kind is not Kind.MARKUP]
    assert shown == [(Kind.HEADING, "One"), (Kind.PARAGRAPH, "See <em>this</em> thing.")]


def test_only_the_elements_of_xml_with_text_among_elements_are_prose() -> None:
    text = (
        '<plans><plan id="1" price="29"><name>Small</name><note>For <b>one</b> boat. It &amp; you.</note></plan>'
        '<plan id="2" price="49"><name>Large</name></plan></plans>'
    )
    parsed = read_xml(text)
    assert records(parsed) == [{"id": "1", "price": "29", "name": "Small"}, {"id": "2", "price": "49", "name": "Large"}]
    document = read("a.xml", text)
    rendering = render(document.text, document_units(document))
    said = [rendering.text[start:end] for start, end in rendering.spans()]
    assert said == ["id: 1; price: 29; name: Small.", "For one boat.", "It & you.", "id: 2; price: 49; name: Large."]
    assert [text[slice(*span)] for span in rendering.units[1].unit.lead] == ["plan", 'id="1']


def test_settings_have_sections_and_values_over_several_lines() -> None:
    parsed = read_ini("; main\ndebug: yes\n[server]\npath = /x \\\n  y\nhosts =\n  one\n  two\n")
    assert records(parsed) == [{"debug": "yes"}, {"path": "/x y", "hosts": "one\n  two"}]


def test_a_backslash_at_the_end_of_a_value_does_not_hide_the_setting_below() -> None:
    parsed = read_ini("[paths]\nshare = C:\\maps\\\nurl = http://x/?a=b:c\n[fruit]\nnames = fig, \\\npear\nlast = D:\\")
    assert records(parsed) == [
        {"share": "C:\\maps\\", "url": "http://x/?a=b:c"},
        {"names": "fig, pear", "last": "D:\\"},
    ]


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_json, '{"a": 1'), (read_json_lines, '{"a": 1}\n{'), (read_json, "[" * 100_000), (read_yaml, "a: [b"),
        (read_yaml, "[" * 100_000), (read_toml, "a = "), (read_xml, "<a><b></a>"), (read_ini, "server { listen 80; }"),
        (read_xml, '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'),
    ],
)  # fmt: skip
def test_what_is_not_in_its_format_is_read_as_plain_text_with_a_warning(
    read: Callable[[str], Parsed], text: str
) -> None:
    parsed = read(text)
    assert "read as plain text" in parsed.warnings[0]
    assert parsed.text == text
    assert parsed.blocks


KEY = st.text("abcdefgh", min_size=2, max_size=6)
WORDS = st.text(st.sampled_from("abc xyz:=/[]{}!%#,;'\"\\é😀"), max_size=12).map(str.strip).filter(bool)
NAMES = st.lists(st.text("aBcXé語_-", min_size=2, max_size=6), min_size=1, max_size=3, unique=True)
ROWS = NAMES.flatmap(lambda names: st.lists(st.fixed_dictionaries(dict.fromkeys(names, WORDS)), min_size=2, max_size=4))


@given(ROWS)
def test_what_json_writes_is_read_back(rows: list[dict[str, str]]) -> None:
    assert records(read_json(json.dumps(rows))) == rows
    assert records(read_json(json.dumps(rows, ensure_ascii=False, indent=2))) == rows
    assert records(read_json_lines("\n".join(json.dumps(row) for row in rows))) == rows


@given(ROWS)
def test_what_yaml_writes_is_read_back(rows: list[dict[str, str]]) -> None:
    assert records(read_yaml(yaml.safe_dump(rows, sort_keys=False, width=10_000, allow_unicode=True))) == rows
    plain = [{f"k{number}": value for number, value in enumerate(row.values())} for row in rows]
    assert records(read_yaml(yaml.safe_dump(plain, sort_keys=False, width=10_000))) == plain


@given(ROWS.filter(lambda rows: len(rows[0]) > 1))  # a single column has no separator: it is text
def test_what_csv_writes_is_read_back(rows: list[dict[str, str]]) -> None:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    parsed = read_delimited(file.getvalue(), ",")
    fields = [b for b in parsed.blocks if b.kind is Kind.FIELD]
    shown = [
        parsed.text[b.start : b.end].replace('""', '"')
        for b in fields
        if b.row >= len({f.row for f in fields}) - len(rows)
    ]
    assert shown == [row[key] for row in rows for key in rows[0]]


def _is_cut(value: str) -> bool:
    """Whether quotes stand around it or a comment stands in it, which are no part of a setting's value."""
    return re.search(r"\s[#;]\s", value) is not None or (value[0] in "\"'" and value.rstrip("\\")[-1:] == value[0])


SETTINGS = st.dictionaries(KEY, WORDS.filter(lambda value: not _is_cut(value)), min_size=1, max_size=3)
SECTIONS = st.dictionaries(KEY, SETTINGS, min_size=1, max_size=3)


@given(SECTIONS)
def test_what_configparser_writes_is_read_back(sections: dict[str, dict[str, str]]) -> None:
    written = configparser.RawConfigParser()
    written.read_dict(sections)
    file = io.StringIO()
    written.write(file)
    assert records(read_ini(file.getvalue())) == list(sections.values())


HOSTILE = {
    read_delimited: ['"', '",', "a,b\n", '"a\n', ",", ";"],
    read_json: ["[", "{", '"', "[1,", '{"a":', "\\"],
    read_yaml: ["[", "- ", "a: b\n", '"', "&a [*a,", "# x\n"],
    read_toml: ["a=[", "[a]\n", "# x\n", 'a="'],
    read_xml: ["<a>", "<a/>", "&amp;", "<", "é<b/>"],
    read_ini: ["a=1\n", "\\\n", "[a]\n", "  x\n"],
}


@pytest.mark.parametrize(("read", "piece"), [(read, piece) for read, pieces in HOSTILE.items() for piece in pieces])
def test_the_time_to_read_hostile_text_grows_with_its_size(read: Callable[[str], Parsed], piece: str) -> None:
    def text(size: int) -> str:
        pieces = piece * (size // len(piece))
        return f"<r>{pieces}</r>" if read is read_xml else pieces

    assert_linear(read, text, 2_000)


@pytest.mark.parametrize(
    ("text", "above", "first"),
    [
        ("Fees,,\n,,\nname,day,night\nNorth,12,15\nSouth,9,11\n", ["Fees"], "name: North; day: 12; night: 15."),
        ("# export, version 2\nname,fee\nNorth,12\n", ["# export, version 2"], "name: North; fee: 12."),
        ("# time,fee\n9,12\n10,15\n", [], "# time: 9; fee: 12."),
        ("#,name,fee\n1,North,12\n2,South,9\n", [], "#: 1; name: North; fee: 12."),
        ('sep=;\nname;fee\n"North; old";12,50\n', [], "name: North; old; fee: 12,50."),
        ("name,,,fee\nNorth,a,b,12\nSouth,c,d,9\n", [], "name: North; a; b; fee: 12."),
        ("day,fee,fee\nMonday,12,15\nSunday,9,11\n", [], "day: Monday; fee: 12; fee: 15."),
        ("North,red,red\nSouth,blue,green\n", [], "North; red; red."),
    ],
    ids=[
        "a title over all columns",
        "a comment with a separator",
        "a header behind a mark of comments",
        "a mark as header",
        "a stated separator",
        "blank names",
        "a name twice above figures",
        "words twice above words",
    ],
)
def test_the_header_of_a_table_is_found_below_and_beside(text: str, above: list[str], first: str) -> None:
    document = read("a.csv", text)
    rendering = render(document.text, document_units(document))
    lines = [rendering.text[start:end] for _, start, end in rendering.units]
    assert lines[: len(above) + 1] == [*above, first]


def test_a_comment_is_no_title() -> None:
    assert read("fees.csv", "# made by a program\nname,fee\nNorth,12\nSouth,9\n").title == "fees"
