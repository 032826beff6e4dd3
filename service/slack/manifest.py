"""The app's manifest, to paste into Slack: its scopes, events, command and shortcut."""

import json
from importlib.resources import files
from typing import Any

EVENTS_PATH = "/slack/events"


def manifest(public_url: str | None = None) -> dict[str, Any]:
    """The manifest for Socket Mode; with `public_url` for HTTP, where Slack calls that server."""
    content: dict[str, Any] = json.loads(files("service.slack").joinpath("manifest.json").read_text(encoding="utf-8"))
    if public_url is None:
        return content
    address = public_url.rstrip("/") + EVENTS_PATH
    content["settings"]["socket_mode_enabled"] = False
    content["settings"]["event_subscriptions"]["request_url"] = address
    content["settings"]["interactivity"]["request_url"] = address
    for command in content["features"]["slash_commands"]:
        command["url"] = address
    return content
