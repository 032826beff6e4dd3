"""The process that parses files: `python -m index.extraction.worker MEMORY_BYTES`. The Extractor starts it.

It reads requests on standard input, one JSON object a line: task, path, name, uri, limits; for "unpack" also a folder, and
for "draw" a version, page and width. It answers each on standard output with eight bytes that give a length (big endian) and
JSON of that length: `{"document", "source"}`, `{"members", "rejections", "source"}`, `{"picture"}` or
`{"rejected": {"kind", "uri", "reason", "fix"}}`. JSON is used rather than pickle so that a parser taken over by a malicious
file can at worst lie about that file.

The process also limits itself: private memory (RLIMIT_DATA), no core files, no network where the system lets a process
give it up, and it exits as soon as its parent is gone. What a library prints goes to standard error.
"""

import base64
import ctypes
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from index.blocks import codec, geometry
from index.errors import DocumentRejected
from index.extraction.sandbox import READY
from index.formats.containers.unpack import unpack
from index.formats.limits import Extraction, Limits, Unpacking
from index.formats.parse import read_document
from index.formats.parsed import Unreadable
from index.formats.registry import is_picture
from index.formats.source_file import read_source
from index.uris import document_version

if sys.platform != "win32":
    import resource  # Windows has none: there only the time limit holds

_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000


def extraction_fields(extraction: Extraction) -> dict[str, Any]:
    """The extraction as JSON values; `index.extraction.extractor` converts them back."""
    document = extraction.document
    pages = [(page.number, page.start, page.end) for page in document.pages]
    fields = {
        name: getattr(document, name) for name in ("id", "version", "uri", "title", "media_type", "text", "warnings")
    }
    values = {**fields, "pages": pages, "blocks": codec.to_lists(document.blocks), "metadata": dict(document.metadata)}
    values["geometry"] = geometry.to_lists(document.geometry)
    return {"document": values, "source": asdict(extraction.source)}


def unpacking_fields(unpacking: Unpacking) -> dict[str, Any]:
    """The unpacking as JSON values; `index.extraction.extractor` converts them back."""
    return {
        "members": [asdict(member) for member in unpacking.members],
        "rejections": [_rejection_fields(error) for error in unpacking.rejected],
        "source": asdict(unpacking.source),
    }


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit_memory(int(sys.argv[1]))
    _leave_network()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    gc.disable()  # a document is hundreds of thousands of small objects, without cycles: looking for some takes a third
    answers.write(READY)
    answers.flush()
    for line in sys.stdin.buffer:
        _send(answers, _answer(json.loads(line)))
        gc.collect()


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    path, name, uri = Path(request["path"]), PurePosixPath(request["name"]), request["uri"]
    limits = Limits(**request["limits"])
    try:
        if request["task"] == "unpack":
            return unpacking_fields(unpack(path, name, uri, Path(request["folder"]), limits))
        if request["task"] == "draw":
            return {"picture": _picture(path, uri, limits, request["version"], request["page"], request["width"])}
        return extraction_fields(read_document(path, name, uri, limits, recognise=request["task"] == "recognise"))
    except DocumentRejected as error:
        return {"rejected": _rejection_fields(error)}
    except MemoryError:
        raise  # ends this process, and with it whatever filled its memory
    except BaseException as error:  # noqa: BLE001 a Rust library's panic is no Exception; the parent awaits an answer
        reason = f"the reader for its format failed ({type(error).__name__}: {str(error)[:200]})"
        fix = "Open it in its own program and save it again, or convert it to PDF or text"
        return {"rejected": _rejection_fields(DocumentRejected(uri, reason, fix))}


def _picture(path: Path, uri: str, limits: Limits, version: str, page: int, width: int) -> str | None:
    """The page of a PDF or picture as a PNG in base64; None if the file's bytes are not those of the version."""
    data, _ = read_source(path, uri, limits.file_bytes)
    if document_version(data) != version:
        return None
    # numpy, Pillow and PDFium: see index/formats/parse.py
    from index.formats.images import render_image  # noqa: PLC0415
    from index.formats.pdf.rendering import render_page  # noqa: PLC0415

    try:
        render = render_image if is_picture(data) else render_page
        return base64.b64encode(render(data, page, width)).decode()
    except Unreadable as error:
        raise DocumentRejected(uri, str(error), error.fix) from error


def _rejection_fields(error: DocumentRejected) -> dict[str, Any]:
    return {"kind": type(error).__name__, "uri": error.uri, "reason": error.reason, "fix": error.fix}


def _send(answers: BinaryIO, answer: Mapping[str, Any]) -> None:
    body = json.dumps(answer, ensure_ascii=False).encode()
    answers.write(len(body).to_bytes(8, "big") + body)
    answers.flush()


def _limit_memory(size: int) -> None:
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _leave_network() -> None:
    """Move to a network namespace without interfaces. Where that is forbidden, only kreuzberg's settings protect."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.unshare(_CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER)


def _end_with_parent(parent: int) -> None:
    """End this process, even if it hangs, once the parent is gone and cannot do it."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    main()
