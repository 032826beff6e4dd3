"""The web page at / and the document viewer at /view: static files in service/web/."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

FOLDER = Path(str(files("service.web")))
_REVALIDATE = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)
assets = StaticFiles(directory=FOLDER / "assets")


@router.get("/")
async def ask_page() -> FileResponse:
    """The page to ask on."""
    return FileResponse(FOLDER / "index.html", headers=_REVALIDATE)


@router.get("/view")
async def view_page() -> FileResponse:
    """The viewer; its query says which document version, and which words of it to mark."""
    return FileResponse(FOLDER / "view.html", headers=_REVALIDATE)


@router.get("/favicon.ico")
async def favicon() -> FileResponse:
    """The icon, for browsers that ask for it by themselves."""
    return FileResponse(FOLDER / "assets" / "icon.svg", headers=_REVALIDATE)
