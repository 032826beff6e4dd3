"""create_app: the FastAPI application from its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import Scope

from service.access.keyring import Keyring
from service.answering.service import Service
from service.api import problems
from service.api.middleware.admission import Turns
from service.api.middleware.authentication import AccessGuard
from service.api.middleware.limits import BodyLimits
from service.api.middleware.request_log import RequestGuard
from service.api.openapi import QuothApi
from service.api.routes import (
    chat,
    collections,
    completions,
    conversations,
    documents,
    feedback,
    health,
    jobs,
    pages,
    search,
    uploads,
    verify,
)
from service.composition.jobs import open_queue
from service.observability.tracing import Tracing
from service.session.session import make_parts
from service.settings import Settings
from service.slack import http as slack
from service.slack.manifest import EVENTS_PATH
from service.storage.conversations import ConversationStore

_FORM_BYTES = 64 * 1024
DESCRIPTION = """
Answers questions over a corpus of documents. Every sentence carries a citation, every citation is a literal quote with its
exact place (code-point offsets into the text of one document version), and where the documents do not say, so does the answer.

Errors are RFC 9457 problem details with a stable `code`.
"""


def create_app(
    service: Service, store: ConversationStore, *, anonymous: bool = True, tracing: Tracing | None = None
) -> FastAPI:
    """The HTTP face of an assembled service. No global state: two apps in one process do not touch each other.

    The API keys are those in the store's database. `anonymous`: while there are none, who reaches the app may do everything;
    else nobody may do anything before there is a key.
    """
    queue = open_queue(service.settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with slack.answering(app):
            yield
        queue.close()

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
    parts = app.state.parts = make_parts(service, store, tracing)
    app.state.queue = queue
    parts.metrics.watch("quoth_jobs", "Jobs of uploads, by state.", "state", queue.counts)
    problems.install(app)
    for routes in (
        chat, completions, verify, search, documents, uploads, jobs, collections, conversations, feedback,
        health, pages,
    ):  # fmt: skip
        app.include_router(routes.router)
    if slack.is_wanted(service.settings):
        app.include_router(slack.router)
    app.mount("/assets", pages.assets, name="assets")
    # Added from the inside out.
    app.add_middleware(BodyLimits, most_bytes=partial(_most_bytes, settings), seconds=settings.body_timeout_s)
    app.add_middleware(Turns, running=parts.running, metrics=parts.metrics)
    app.add_middleware(
        AccessGuard,
        keys=Keyring(store.database),
        anonymous=anonymous,
        header=settings.principals_header,
        signed=frozenset((EVENTS_PATH,)) if slack.is_wanted(settings) else frozenset(),
    )
    app.add_middleware(RequestGuard, allowed_hosts=settings.allowed_hosts, metrics=parts.metrics, tracing=parts.tracing)
    return app


def _most_bytes(settings: Settings, scope: Scope) -> int:
    """The longest body for a request: an upload may be as long as its file with the frame of a form around it."""
    uploads = scope["method"] in ("PUT", "POST") and scope["path"].startswith("/v1/collections/")
    return settings.max_upload_bytes + _FORM_BYTES if uploads else settings.max_body_bytes
