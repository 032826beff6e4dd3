"""The web page at / and /a/{answer}, the document viewer at /view, and the gaps at /gaps: static files in service/web/.

The page's words come from service/phrases/, and only those of one language are sent.
"""

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles

from service.api.problems import public_path
from service.phrases.table import DEFAULT_LANGUAGE, LANGUAGES, name_of, page_phrases

FOLDER = Path(str(files("service.web")))
_PAGES = {name: (FOLDER / name).read_text(encoding="utf-8") for name in ("index.html", "view.html", "gaps.html")}
_REVALIDATE = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)


async def phrases(request: Request) -> Response:
    """The page's phrases in the first language of `wanted` (codes, separated by commas) that it speaks, else in English."""
    wanted = request.query_params.get("wanted", "").split(",")
    body, tag = _phrases_in(next((code for code in wanted if code in LANGUAGES), DEFAULT_LANGUAGE))
    headers = {**_REVALIDATE, "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


assets = GZipMiddleware(
    Router([Route("/phrases.json", phrases), Mount("/", StaticFiles(directory=FOLDER / "assets"))]), minimum_size=1000
)
"""Scripts, styles and phrases. Only these are compressed: they hold nothing secret whose length could tell something."""


@router.get("/")
async def ask_page(request: Request) -> HTMLResponse:
    """The page to ask on."""
    return _page("index.html", request)


@router.get("/a/{answer_id}")
async def answer_page(request: Request) -> HTMLResponse:
    """The page, opened at one answer; the script reads its id from the address."""
    return _page("index.html", request, above="../")


@router.get("/view")
async def view_page(request: Request) -> HTMLResponse:
    """The viewer; its query says which document version, and which words of it to mark."""
    return _page("view.html", request)


@router.get("/gaps")
async def gaps_page(request: Request) -> HTMLResponse:
    """What the documents do not say, by topic."""
    return _page("gaps.html", request)


@router.get("/favicon.ico")
async def favicon() -> FileResponse:
    """The icon, for browsers that ask for it by themselves."""
    return FileResponse(FOLDER / "assets" / "icon.svg", headers=_REVALIDATE)


def _page(name: str, request: Request, above: str = "./") -> HTMLResponse:
    """A page. Its links are relative, `above` leads to the root; where a proxy's prefix is known they begin with it, since a
    proxy may serve the page at /quoth, where a relative link leads to /assets."""
    prefix = public_path(request, "")
    return HTMLResponse(_PAGES[name].replace('="./', f'="{prefix}/' if prefix else f'="{above}'), headers=_REVALIDATE)


@cache
def _phrases_in(language: str) -> tuple[str, str]:
    """The phrases of a language as JSON, and the entity tag of that."""
    names = {code: name_of(code) for code in LANGUAGES}
    content = {"language": language, "languages": names, "phrases": page_phrases(language)}
    body = json.dumps(content, ensure_ascii=False)
    return body, f'"{sha256(body.encode()).hexdigest()[:16]}"'
