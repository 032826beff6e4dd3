"""The nodes that kreuzberg returns become text with headings and pages, and a sheet reads by rows."""

import zipfile
from pathlib import Path

from index.extraction.extractor import extract
from index.formats.office.structured_text import Heading, text_of_nodes


def node(kind: str, text: str = "", page: int | None = None, **content: object) -> dict[str, object]:
    return {"content": {"node_type": kind, "text": text, **content}, "page": page}


def test_nodes_become_blocks_with_headings_and_pages() -> None:
    cells = [{"row": row, "col": column, "content": f"{row}é{column}\nx"} for column in (1, 0) for row in (0, 1)]
    flow = text_of_nodes(
        [
            node("group", label="ignored"),
            node("heading", "Größe\n😀", page=1, level=2),
            node("list_item", "one", page=1),
            node("list_item", "two", page=1),
            node("table", page=2, grid={"rows": 3, "cols": 2, "cells": cells}),
            node("metadata_block", entries=[["From", "Ann"], ["To", "Bob"]]),
            node("definition_item", term="Bolt", definition="a screw"),
        ]
    )
    assert flow.text == (
        "Größe\n😀\n\n- one\n- two\n\n| 0é0 x | 0é1 x |\n| 1é0 x | 1é1 x |\n\nFrom: Ann\nTo: Bob\n\nBolt: a screw"
    )
    assert flow.headings == [Heading(0, 2, "Größe 😀")]
    assert [(number, flow.text[start:end]) for number, start, end in flow.pages] == [
        (1, "Größe\n😀\n\n- one\n- two"),
        (2, "| 0é0 x | 0é1 x |\n| 1é0 x | 1é1 x |"),
    ]


def test_overlapping_pages_are_left_out() -> None:
    assert text_of_nodes([node("paragraph", "a", 1), node("paragraph", "b", 2), node("paragraph", "c", 1)]).pages == []


def test_a_spreadsheet_reads_by_rows_and_its_sheets_are_pages(tmp_path: Path) -> None:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def sheet(*rows: tuple[str, ...]) -> str:
        cells = "".join(
            f'<row r="{number}">'
            + "".join(
                f'<c r="{"AB"[at]}{number}" t="inlineStr"><is><t>{cell}</t></is></c>' for at, cell in enumerate(row)
            )
            + "</row>"
            for number, row in enumerate(rows, 1)
        )
        return f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'

    kinds = "".join(
        f'<Override PartName="/xl/{name}.xml" '
        f'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.{kind}+xml"/>'
        for name, kind in (("workbook", "sheet.main"), ("worksheets/s1", "worksheet"), ("worksheets/s2", "worksheet"))
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{kinds}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="Costs" sheetId="1" r:id="r1"/>'
        '<sheet name="Größen" sheetId="2" r:id="r2"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{relations}/worksheet" Target="worksheets/s1.xml"/>'
        f'<Relationship Id="r2" Type="{relations}/worksheet" Target="worksheets/s2.xml"/></Relationships>',
        "xl/worksheets/s1.xml": sheet(("Item", "Price"), ("Bolt", "cheap")),
        "xl/worksheets/s2.xml": sheet(("é", "2 m")),
    }
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    found = extract(tmp_path / "a.xlsx")
    assert found.text == "Costs\n\n| Item | Price |\n| Bolt | cheap |\n\nGrößen\n\n| é | 2 m |"
    assert [(page.number, found.text[page.start : page.end]) for page in found.pages] == [
        (1, "Costs\n\n| Item | Price |\n| Bolt | cheap |"),
        (2, "Größen\n\n| é | 2 m |"),
    ]
    assert [section.trail for section in found.sections] == [("Costs",), ("Größen",)]
