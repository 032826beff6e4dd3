"""The reader of every parser: text or bytes -> `Parsed`."""

from collections.abc import Callable

from index.formats.epub import read_epub
from index.formats.fiction_book import read_fiction_book
from index.formats.html.page import read_html
from index.formats.messages.mail import read_mail
from index.formats.office.docx import read_docx
from index.formats.office.odp import read_odp
from index.formats.office.ods import read_ods
from index.formats.office.odt import read_odt
from index.formats.office.pptx import read_pptx
from index.formats.office.rtf import read_rtf
from index.formats.office.xls import read_xls
from index.formats.office.xlsx import read_xlsx
from index.formats.parsed import Parsed
from index.formats.registry import Parser
from index.formats.text.delimited import read_delimited
from index.formats.text.ini_records import read_ini
from index.formats.text.json_records import read_json, read_json_lines
from index.formats.text.markdown import read_markdown
from index.formats.text.notebook import read_notebook
from index.formats.text.plain_text import read_plain_text
from index.formats.text.toml_records import read_toml
from index.formats.text.xml_records import read_xml
from index.formats.text.yaml_records import read_yaml

READERS_OF_TEXT: dict[Parser, Callable[[str], Parsed]] = {
    Parser.TEXT: read_plain_text,
    Parser.MARKDOWN: read_markdown,
    Parser.NOTEBOOK: read_notebook,
    Parser.HTML: read_html,
    Parser.DELIMITED: read_delimited,
    Parser.TAB_DELIMITED: lambda text: read_delimited(text, "\t"),
    Parser.JSON: read_json,
    Parser.JSON_LINES: read_json_lines,
    Parser.YAML: read_yaml,
    Parser.TOML: read_toml,
    Parser.XML: read_xml,
    Parser.INI: read_ini,
}
"""The readers of canonical text."""

READERS_OF_BYTES: dict[Parser, Callable[[bytes], Parsed]] = {
    Parser.DOCX: read_docx,
    Parser.XLSX: read_xlsx,
    Parser.PPTX: read_pptx,
    Parser.ODT: read_odt,
    Parser.ODS: read_ods,
    Parser.ODP: read_odp,
    Parser.XLS: read_xls,
    Parser.RTF: read_rtf,
    Parser.EPUB: read_epub,
    Parser.FICTION_BOOK: read_fiction_book,
    Parser.MAIL: read_mail,
}
"""The readers of files that are no text. PDFs and pictures are read by `index.formats.pdf.reader`
and `index.formats.images`, which may have their text recognised."""
