"""A sheet as a document: its name, whose ending gives its format, and its text."""

import html
import json
import random
import re
from collections.abc import Callable, Sequence

from training.structure.sheets import Sheet

Writer = Callable[[Sheet, random.Random], tuple[str, str]]
"""Sheet -> (file name, text)."""

_NOT_IN_NAMES = re.compile(r"\W+")


def _file(sheet: Sheet, ending: str) -> str:
    return f"{identifier(sheet.subject)}.{ending}"


def identifier(text: str) -> str:
    """The text as the name of something in a program: its letters and digits in lower case, the rest as "_"."""
    return _NOT_IN_NAMES.sub("_", text.lower()).strip("_") or "sheet"


def _names(sheet: Sheet, rng: random.Random) -> list[str]:
    """The names of the attributes as a table shows them."""
    how = rng.choice((str.capitalize, str.capitalize, str.title, str))
    return [how(attribute.name) for attribute in sheet.attributes]


def _keys(sheet: Sheet, rng: random.Random) -> list[str]:
    """The names of the attributes as a program writes them."""
    between = rng.choice(("_", "_", "-"))
    return [identifier(attribute.name).replace("_", between) for attribute in sheet.attributes]


def _heading(sheet: Sheet, rng: random.Random) -> str:
    things = _plural(sheet.noun)
    return rng.choice((sheet.subject, f"{sheet.subject}: {things.lower()}", f"{things} of {sheet.subject}"))


def _plural(noun: str) -> str:
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return noun if noun.endswith("s") else f"{noun}es" if noun.endswith("ch") else f"{noun}s"


def _lead(sheet: Sheet, rng: random.Random) -> str:
    """A sentence that introduces what follows. It states none of it."""
    things = _plural(sheet.noun.lower())
    return rng.choice(
        (f"These are the {things}:", f"The {things} at a glance:", f"For {sheet.subject} the following holds:", "Details:",
         f"{sheet.subject} has these {things}:", "The following applies:")
    )  # fmt: skip


def markdown_table(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """Rows with header cells."""
    rows = [[sheet.noun, *_names(sheet, rng)], *_rows(sheet)]
    lines = ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    above = rng.choice(("", f"{_lead(sheet, rng)}\n\n"))
    return _file(sheet, "md"), f"# {_heading(sheet, rng)}\n\n{above}" + "\n".join(lines) + "\n"


def turned_table(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """An HTML table with the keys as columns: its rows begin with a header cell."""
    head = "".join(f"<th>{html.escape(key)}</th>" for key in sheet.keys)
    rows = []
    for column, name in enumerate(_names(sheet, rng)):
        cells = "".join(f"<td>{html.escape(cells[column])}</td>" for cells in sheet.cells)
        rows.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
    body = f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"
    return _file(sheet, "html"), f"<h1>{html.escape(_heading(sheet, rng))}</h1>{body}"


def html_table(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """An HTML table with a caption."""
    lines = [[sheet.noun, *_names(sheet, rng)], *_rows(sheet)]
    rows = [
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in line) + "</tr>"
        for line, tag in zip(lines, ("th", *["td"] * len(sheet.keys)), strict=True)
    ]
    table = f"<table><caption>{html.escape(_heading(sheet, rng))}</caption>{''.join(rows)}</table>"
    return _file(sheet, "html"), f"<title>{html.escape(sheet.subject)}</title>{table}"


def delimited(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """CSV, or columns parted by tabs."""
    mark, ending = rng.choice(((",", "csv"), (";", "csv"), ("\t", "tsv")))
    rows = [[sheet.noun, *_names(sheet, rng)], *_rows(sheet)]
    quoted = [[f'"{cell}"' if mark in cell else cell for cell in row] for row in rows]
    return _file(sheet, ending), "\n".join(mark.join(row) for row in quoted) + "\n"


def json_records(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """Records in JSON or JSON lines."""
    name = rng.choice(("name", sheet.noun.lower()))
    keys = _keys(sheet, rng)
    records = [dict(zip((name, *keys), row, strict=True)) for row in _rows(sheet)]
    if rng.random() < 0.3:
        return _file(sheet, "jsonl"), "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    content: object = {identifier(_plural(sheet.noun)): records} if rng.random() < 0.5 else records
    return _file(sheet, "json"), json.dumps(content, indent=2, ensure_ascii=False)


def yaml_map(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """Settings by key in YAML."""
    names = _keys(sheet, rng)
    lines = [f"{identifier(_plural(sheet.noun))}:"]
    for key, cells in zip(sheet.keys, sheet.cells, strict=True):
        lines.append(f"  {json.dumps(key, ensure_ascii=False)}:")
        lines += [
            f"    {name}: {json.dumps(cell, ensure_ascii=False)}" for name, cell in zip(names, cells, strict=True)
        ]
    return _file(sheet, "yaml"), "\n".join(lines) + "\n"


def ini_sections(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """Sections with keys and values."""
    names = _keys(sheet, rng)
    parts = []
    for key, cells in zip(sheet.keys, sheet.cells, strict=True):
        lines = [f"[{key}]", *(f"{name} = {cell}" for name, cell in zip(names, cells, strict=True))]
        parts.append("\n".join(lines))
    return _file(sheet, "ini"), "\n\n".join(parts) + "\n"


def item_per_key(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """A list for each attribute: its name introduces the list, its items are keys with values."""
    mark = rng.choice(("-", "*", "1."))
    form = rng.choice(("{k}: {v}", "{k}: {v}", "{k} - {v}", "{k}, {v}", "{v} ({k})", "for {k}: {v}"))
    parts = []
    for column, name in enumerate(_names(sheet, rng)):
        lead = rng.choice((f"{name}:", f"The {name.lower()} is:", f"{name} by {sheet.noun.lower()}:"))
        items = [
            f"{mark} {form.format(k=key, v=row[column])}" for key, row in zip(sheet.keys, sheet.cells, strict=True)
        ]
        parts.append("\n".join([lead, "", *items]))
    return _file(sheet, "md"), f"# {_heading(sheet, rng)}\n\n" + "\n\n".join(parts) + "\n"


def list_per_key(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """A list for each key: the key introduces the list or holds it, its items are attributes with values."""
    names = _names(sheet, rng)
    parts = []
    nested = rng.random() < 0.5
    for key, cells in zip(sheet.keys, sheet.cells, strict=True):
        items = [f"{name}: {value}" for name, value in zip(names, cells, strict=True)]
        parts.append(
            "\n".join([f"- {key}", *(f"    - {item}" for item in items)])
            if nested
            else "\n".join([f"{key}:", "", *(f"- {item}" for item in items)])
        )
    above = f"{_lead(sheet, rng)}\n\n" if nested else ""
    body = ("\n" if nested else "\n\n").join(parts)
    return _file(sheet, "md"), f"# {_heading(sheet, rng)}\n\n{above}{body}\n"


def sections_of_fields(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """A form for each key under a heading, or with the key in its first line."""
    names = _names(sheet, rng)
    under_heading = rng.random() < 0.5
    parts = []
    for key, cells in zip(sheet.keys, sheet.cells, strict=True):
        lines = [f"{name}: {value}" for name, value in zip(names, cells, strict=True)]
        first = [f"## {key}", ""] if under_heading else [f"{sheet.noun}: {key}"]
        parts.append("\n".join([*first, *lines]))
    return _file(sheet, "md"), f"# {_heading(sheet, rng)}\n\n" + "\n\n".join(parts) + "\n"


def definitions(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """Keys as terms; what is known of each is their meaning."""
    names = _names(sheet, rng)
    entries = []
    for key, cells in zip(sheet.keys, sheet.cells, strict=True):
        meaning = _sentence(names, cells, rng)
        entries.append(f"<dt>{html.escape(key)}</dt><dd>{html.escape(meaning)}</dd>")
    return _file(sheet, "html"), f"<h1>{html.escape(_heading(sheet, rng))}</h1><dl>{''.join(entries)}</dl>"


def code(sheet: Sheet, rng: random.Random) -> tuple[str, str]:
    """Assignments in a block of code, with a sentence before it."""
    names = [identifier(attribute.name) for attribute in sheet.attributes]
    form = rng.choice(("{k}_{a} = {v}", "export {k}_{a}={v}", "set {k} {a} {v}", '{k}["{a}"] = {v}'))
    shout = form.startswith(("{k}_", "export"))
    lines = []
    for key, cells in zip(sheet.keys, sheet.cells, strict=True):
        for name, value in zip(names, cells, strict=True):
            left, right = (identifier(key).upper(), name.upper()) if shout else (identifier(key), name)
            lines.append(form.format(k=left, a=right, v=json.dumps(value, ensure_ascii=False)))
        lines.append("")
    intro = rng.choice(("The file holds:", "Put this into the configuration:", "An example:", "By default:"))
    return _file(sheet, "md"), f"# {_heading(sheet, rng)}\n\n{intro}\n\n```\n" + "\n".join(lines) + "```\n"


def _sentence(names: Sequence[str], cells: Sequence[str], rng: random.Random) -> str:
    form = rng.choice(("The {a} is {v}.", "{a}: {v}.", "It has the {a} {v}."))
    parts = [
        form.format(a=name if form[0] == "{" else name.lower(), v=value)
        for name, value in zip(names, cells, strict=True)
    ]
    return " ".join(parts)


def _rows(sheet: Sheet) -> list[list[str]]:
    return [[key, *cells] for key, cells in zip(sheet.keys, sheet.cells, strict=True)]


WRITERS: tuple[Writer, ...] = (
    markdown_table,
    markdown_table,
    turned_table,
    html_table,
    delimited,
    json_records,
    yaml_map,
    ini_sections,
    item_per_key,
    list_per_key,
    sections_of_fields,
    definitions,
    code,
)
