"""create_app: the FastAPI application over an assembled service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import Scope

from index.errors import IndexingError
from index.extraction.extractor import Extractor
from index.formats.limits import Limits
from index.library import Library
from index.maintenance.lag import Lag
from service.answering.service import Service
from service.api import problems
from service.api.middleware.admission import AdmissionMiddleware
from service.api.middleware.authentication import AuthenticationMiddleware
from service.api.middleware.forwarded import ForwardedMiddleware
from service.api.middleware.limits import BodyLimitMiddleware
from service.api.middleware.origins import OriginsMiddleware
from service.api.middleware.request_log import RequestLogMiddleware
from service.api.openapi import QuothApi
from service.api.routes import (
    callers,
    chat,
    collections,
    completions,
    conversations,
    document_pages,
    documents,
    feedback,
    files,
    health,
    jobs,
    pages,
    reports,
    search,
    upkeep,
    uploads,
    verify,
)
from service.composition.jobs import open_queue
from service.composition.store import make_keyring
from service.observability.tracing import Tracing
from service.session.session import make_session
from service.settings import Settings
from service.slack import http as slack
from service.slack.manifest import EVENTS_PATH
from service.storage.conversations import ConversationStore
from service.suggestions.suggester import Suggester

_FORM_BYTES = 64 * 1024
_DRAWERS = 2  # processes that draw pages; each starts when it is first needed
DESCRIPTION = """
Answers questions over a corpus of documents. Every sentence carries a citation, every citation is a literal quote with its
exact place (code-point offsets into the text of one document version), and where the documents do not say, so does the answer.

Errors are RFC 9457 problem details with a stable `code`.
"""


def create_app(
    service: Service,
    store: ConversationStore,
    *,
    anonymous: bool = True,
    tracing: Tracing | None = None,
    suggests: bool = False,
) -> FastAPI:
    """The HTTP app of a service. It has no global state: two apps in one process are independent.

    The API keys are those in the store's database. `anonymous`: whether callers need no key while none exists; otherwise nobody
    may do anything before there is a key. `suggests`: whether questions are looked for, in a thread of their own, that the
    documents answer.
    """
    queue = open_queue(service.settings)
    limits = Limits()
    limits = replace(limits, file_bytes=max(limits.file_bytes, service.settings.max_upload_bytes))
    extractor = Extractor(limits, workers=_DRAWERS)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with slack.run_slack(app):
            yield
        extractor.close()
        queue.close()
        if suggester is not None:
            suggester.close()

    app = QuothApi(
        title="Quoth",
        version=version("quoth"),
        description=DESCRIPTION,
        docs_url=None,  # the interactive pages load scripts from another host
        redoc_url=None,
        redirect_slashes=False,  # an address is right or wrong
        lifespan=lifespan,
    )
    settings = service.settings
    session = app.state.session = make_session(service, store, tracing)
    app.state.queue = queue
    app.state.extractor = extractor
    suggester = app.state.suggester = Suggester(service, lambda: session.admission.answering > 0) if suggests else None
    session.metrics.watch("quoth_jobs", "Jobs of uploads, by state.", "state", queue.counts)
    session.metrics.watch(
        "quoth_search_lag",
        "Changes that a search does not reflect yet, in the open collection where they are most.",
        "collections",
        partial(search_lag, service.library, lambda lag: lag.changes),
    )
    session.metrics.watch(
        "quoth_search_lag_seconds",
        "Seconds since this process saw the oldest of them, in the open collection where they are most.",
        "collections",
        partial(search_lag, service.library, lambda lag: lag.seconds),
    )
    problems.install(app)
    for routes in (
        chat, completions, verify, search, documents, document_pages, files, uploads, jobs, collections, upkeep, conversations,
        feedback, callers, reports, health, pages,
    ):  # fmt: skip
        app.include_router(routes.router)
    if slack.is_configured(service.settings):
        app.include_router(slack.router)
    app.mount("/assets", pages.assets, name="assets")
    # The last one added is the outermost.
    app.add_middleware(BodyLimitMiddleware, max_bytes=partial(_max_bytes, settings), seconds=settings.body_timeout_s)
    app.add_middleware(AdmissionMiddleware, admission=session.admission, metrics=session.metrics)
    app.add_middleware(
        AuthenticationMiddleware,
        keys=make_keyring(settings, store.database),
        anonymous=anonymous and not settings.require_keys,
        header=settings.principals_header,
        signed=frozenset((EVENTS_PATH,)) if slack.is_configured(settings) else frozenset(),
    )
    app.add_middleware(OriginsMiddleware, origins=settings.embed_origins)
    app.add_middleware(ForwardedMiddleware, root_path=settings.root_path, trusted=settings.trusted_proxies)
    app.add_middleware(
        RequestLogMiddleware, allowed_hosts=settings.allowed_hosts, metrics=session.metrics, tracing=session.tracing
    )
    return app


def search_lag(library: Library, figure: Callable[[Lag], float]) -> dict[str, float]:
    """The greatest figure of the open collections' lags. No value while they cannot be read: all else is measured on."""
    try:
        return {"open": max(map(figure, library.search_lags().values()), default=0)}
    except IndexingError:
        return {}


def _max_bytes(settings: Settings, scope: Scope) -> int:
    """The longest body of a request in bytes. An upload may be as long as its file and the form around it."""
    uploads = scope["method"] in ("PUT", "POST") and scope["path"].startswith("/v1/collections/")
    return settings.max_upload_bytes + _FORM_BYTES if uploads else settings.max_body_bytes
