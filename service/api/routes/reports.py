"""GET /v1/reports: the reports of evaluation runs, for those who look after the server."""

from functools import partial
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter

from service.access.caller import Scope
from service.api.dependencies import TheSession, needs
from service.api.problems import problem_responses
from service.errors import RecordMissing
from service.schemas.base import Record, utc_time

FILE = "report.md"
_MOST_BYTES = 4 << 20

router = APIRouter(tags=["operations"], dependencies=[needs(Scope.ADMIN)])


class ReportOut(Record):
    """A report by the name of its run, and when it was written (UTC, ISO 8601)."""

    name: str
    made_at: str


class ReportsResponse(Record):
    """The reports in the folder of the settings, newest first; none without that setting."""

    reports: tuple[ReportOut, ...]


class ReportText(ReportOut):
    """A report as Markdown: headings, paragraphs and tables."""

    markdown: str


@router.get("/v1/reports", summary="List evaluation reports")
async def listed(session: TheSession) -> ReportsResponse:
    """The reports that `quoth eval report` wrote into folders below `QUOTH_REPORTS_FOLDER`."""
    files = await session.run_io(partial(_files, session.service.settings.reports_folder))
    return ReportsResponse(
        reports=tuple(ReportOut(name=name, made_at=made) for name, (made, _) in files.items()),
    )


@router.get(
    "/v1/reports/{name}", summary="Read an evaluation report", responses=problem_responses(HTTPStatus.NOT_FOUND)
)
async def report(name: str, session: TheSession) -> ReportText:
    """One report."""
    return await session.run_io(partial(_report, session.service.settings.reports_folder, name))


def _report(folder: Path | None, name: str) -> ReportText:
    files = _files(folder)
    if name not in files:  # a name is one of the folder's own, so it cannot lead elsewhere
        raise RecordMissing(f"There is no report {name[:100]!r}. GET /v1/reports lists those that there are.")
    made_at, file = files[name]
    with file.open("rb") as opened:
        text = opened.read(_MOST_BYTES).decode("utf-8", "replace")
    return ReportText(name=name, made_at=made_at, markdown=text)


def _files(folder: Path | None) -> dict[str, tuple[str, Path]]:
    """When each report was written and its file, newest first, by the name of its run."""
    found = [] if folder is None else [file for file in folder.glob(f"*/{FILE}") if file.is_file()]
    times = {file: file.stat().st_mtime for file in found}
    newest = sorted(found, key=lambda file: (-times[file], file))
    return {file.parent.name: (utc_time(times[file]), file) for file in newest}
