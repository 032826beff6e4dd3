"""POST /slack/events: Slack's events over HTTP, when the bot token and the signing secret are set.

Bolt verifies the signature of every request, so the route needs no API key. A worker that runs with the server answers what
was acknowledged.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler

from service.settings import Settings
from service.slack.app import SlackApp
from service.slack.manifest import EVENTS_PATH

router = APIRouter(include_in_schema=False)


def is_configured(settings: Settings) -> bool:
    """Whether the settings let Slack send its events to this server."""
    return settings.slack_bot_token is not None and settings.slack_signing_secret is not None


@router.post(EVENTS_PATH)
async def events(request: Request) -> Response:
    """Receive an event; status 200 means that it is stored."""
    handler: AsyncSlackRequestHandler = request.app.state.slack
    try:
        return await handler.handle(request)
    except ValueError:  # not UTF-8 or not JSON, so not from Slack
        return Response(status_code=HTTPStatus.BAD_REQUEST)


@asynccontextmanager
async def run_slack(app: FastAPI) -> AsyncIterator[None]:
    """Answer in Slack while the server runs, if Slack is configured."""
    settings = app.state.session.service.settings
    if not is_configured(settings):
        yield
        return
    slack = SlackApp(settings, app.state.session)
    app.state.slack = AsyncSlackRequestHandler(slack.app)
    async with slack.working():
        yield
