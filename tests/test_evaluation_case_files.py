"""Case files of Quoth's own format: what is read, and how faults in their bytes and fields are reported."""

import json
from pathlib import Path

import pytest

from evaluation.datasets.loading import load
from evaluation.errors import DataInvalid

PASSAGE = "Rivers rise in spring. The Oder floods every March. Dams were built in 1904."


def fault(path: Path, **options: object) -> DataInvalid:
    with pytest.raises(DataInvalid) as caught:
        load(path, **options)  # type: ignore[arg-type]
    return caught.value


def golden(folder: Path, **fields: object) -> Path:
    (folder / "guide.md").write_text(PASSAGE, encoding="utf-8")
    file = folder / "cases.jsonl"
    file.write_text(json.dumps({"id": "1", "question": "When does it flood?", **fields}) + "\n", encoding="utf-8")
    return file


def test_own_cases_are_asked_of_the_files_beside_them(tmp_path: Path) -> None:
    quote = "The Oder floods every March."
    file = golden(
        tmp_path, answers=["March"], evidence=[{"document": "guide.md", "quote": quote}], tags={"form": "date"}
    )
    dataset = load(file)
    (case,) = dataset.cases
    assert list(dataset.sources) == ["guide.md"]
    assert (case.answerable, dict(case.relevant), dict(case.tags)) == (True, {"guide.md": 1}, {"form": "date"})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"anwsers": ["x"]}, "unknown field 'anwsers'. Did you mean 'answers'?"),
        ({"question": " "}, "field 'question' is blank"),
        ({"answerable": "yes"}, "Write 'answerable' as true or false"),
        ({"evidence": [{"document": "gide.md", "quote": "x"}]}, "unknown document 'gide.md'"),
        ({"evidence": [{"document": "guide.md", "quote": "abc", "start": 0, "end": 9}]}, "the quote has 3 characters"),
        (
            {"answerable": False, "evidence": [{"document": "guide.md", "quote": "x"}]},
            "is not answerable but has evidence",
        ),
    ],
)
def test_faults_in_own_cases_name_the_line_and_the_fix(tmp_path: Path, fields: dict[str, object], said: str) -> None:
    error = fault(golden(tmp_path, **fields))
    assert said in str(error)
    assert error.line == 1


def test_files_that_are_not_utf8_name_the_line_of_the_first_bad_byte(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_bytes(b'{"id": "1", "question": "ok"}\n{"id": "2", "question": "caf\xe9"}\n')
    error = fault(file, format="quoth", collection=True)
    assert (error.line, error.reason) == (2, "byte 0xe9 is not UTF-8")
    assert "iconv" in error.fix
    file.write_bytes("{}".encode("utf-16-le"))
    assert "UTF-16" in fault(file, format="quoth", collection=True).reason


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"id": "1", "question": "a"}\r\n{"id": "2", "question": "b"}\r\n')
    assert [case.question for case in load(file, collection=True).cases] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [("", None, "the file is empty"), ('{"id": "1"\n', 1, "not JSON"), ('\n["a"]\n', 2, "is not an object")],
)
def test_broken_json_lines_name_the_line(tmp_path: Path, text: str, line: int | None, reason: str) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(text, encoding="utf-8")
    error = fault(file, format="quoth", collection=True)
    assert error.line == line
    assert reason in error.reason


def test_what_is_not_there_or_not_recognised_says_so(tmp_path: Path) -> None:
    assert "no such file" in fault(tmp_path / "gone").reason
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    assert "Name it with --format" in str(fault(tmp_path / "notes.txt"))


def test_the_hash_changes_with_any_byte_of_the_data(tmp_path: Path) -> None:
    file = golden(tmp_path, answers=["March"])
    before = load(file).sha256()
    assert load(file).sha256() == before
    (tmp_path / "guide.md").write_text(PASSAGE + "!", encoding="utf-8")
    assert load(file).sha256() != before


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\xff\xfe" + '{"id": "1"}'.encode("utf-16-le"), "line 1: .*byte order mark of UTF-16.*iconv -f UTF-16 "),
        ('{"id": "1", "question": "q"}'.encode("utf-16-le"), "line 1: a zero byte"),
        (b'{"id": "1", "question": "q"}\n\xef\xbb\xbf{"id": "2", "question": "q"}', "line 2: a byte order mark inside"),
        (b'{"id": "1", "question": "q"}\n{"id": "2", "question": "caf\xe9"}', "line 2: byte 0xe9 is not UTF-8"),
        (b'{"id": "1", "question": "q"}\n{"id": "2", "question": "\\ud83d?"}', r"line 2: \\ud83d is half a character"),
        (b'{"id": "1", "question": "q"}\n' + b'{"a":' * 5000, "line 2: the JSON is nested too deeply"),
        (b'{"id": "1", "question": "q"}\n{"id": ' + b"1" * 5000 + b"}", "line 2: not JSON that can be read"),
        (b"id,question\n1,what\n", "line 1: not JSON: .*Write one JSON object a line"),
        (b'{"text": "q", "label": 1}\n', "line 1: the format is not recognised by the fields label, text. Name it"),
    ],
)
def test_bytes_that_are_no_case_file_are_named_with_their_line(data: bytes, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_bytes(data)
    with pytest.raises(DataInvalid, match=fault):
        load(file, collection=True)


def test_whole_characters_written_as_escapes_are_read(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": "1", "question": "\\ud83d\\ude00 \\\\ud83d"}\n', encoding="utf-8")
    (case,) = load(file, collection=True).cases
    assert case.question == "\U0001f600 \\ud83d"
