"""POST /slack/events: Slack's events over HTTP, there when the bot token and the signing secret are set.

Bolt verifies the signature of every request, so the route asks for no API key. What is acknowledged is answered by a worker
that runs as long as the server does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler

from service.settings import Settings
from service.slack.app import SlackDoor
from service.slack.manifest import EVENTS_PATH

router = APIRouter(include_in_schema=False)


def is_wanted(settings: Settings) -> bool:
    """Whether Slack is to reach this server."""
    return settings.slack_bot_token is not None and settings.slack_signing_secret is not None


@router.post(EVENTS_PATH)
async def events(request: Request) -> Response:
    """Take what Slack sends; an answer of 200 means that it is kept."""
    handler: AsyncSlackRequestHandler = request.app.state.slack
    try:
        return await handler.handle(request)
    except ValueError:  # not UTF-8, or not JSON: nothing that Slack sends
        return Response(status_code=HTTPStatus.BAD_REQUEST)


@asynccontextmanager
async def answering(app: FastAPI) -> AsyncIterator[None]:
    """Answer in Slack while the server runs, if Slack is to reach it."""
    settings = app.state.parts.service.settings
    if not is_wanted(settings):
        yield
        return
    door = SlackDoor(settings, app.state.parts)
    app.state.slack = AsyncSlackRequestHandler(door.app)
    async with door.working():
        yield
