"""create_app: the FastAPI application from its parts."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from service.api import (
    chat,
    collections,
    completions,
    conversations,
    documents,
    feedback,
    health,
    problems,
    search,
    site,
    verify,
)
from service.api.parts import Parts
from service.api.problems import Problem
from service.api.requests import RequestGuard
from service.assembly import Service
from service.store import ConversationStore

MAX_BODY_BYTES = (
    2 * 1024 * 1024
)  # a question of 100,000 characters, each escaped as \\uXXXX\\uXXXX, gets a clear answer

DESCRIPTION = """
Answers questions over a corpus of documents. Every sentence carries a citation, every citation is a literal quote with its
exact place (code-point offsets into the text of one document version), and where the documents do not say, so does the answer.

Errors are RFC 9457 problem details with a stable `code`.
"""


class QuothApi(FastAPI):
    """FastAPI whose OpenAPI document names the one error schema."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if not self.openapi_schema:
            schema = super().openapi()
            definition = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schema["components"]["schemas"].update(definition.pop("$defs"), Problem=definition)
            for unused in ("HTTPValidationError", "ValidationError"):
                schema["components"]["schemas"].pop(unused, None)
        return self.openapi_schema or {}


def create_app(service: Service, store: ConversationStore) -> FastAPI:
    """The HTTP face of an assembled service. No global state: two apps in one process do not touch each other."""
    app = QuothApi(
        title="Quoth",
        version=version("quoth"),
        description=DESCRIPTION,
        docs_url=None,  # the interactive pages load scripts from another host
        redoc_url=None,
    )
    app.state.parts = Parts(service, store)
    problems.install(app)
    for routes in (chat, completions, verify, search, documents, collections, conversations, feedback, health, site):
        app.include_router(routes.router)
    app.mount("/assets", site.assets, name="assets")
    app.add_middleware(RequestGuard, allowed_hosts=service.settings.allowed_hosts, max_body_bytes=MAX_BODY_BYTES)
    return app
