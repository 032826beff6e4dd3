"""What Slack's errors mean: ignore, try again later, or report what to fix. Pure."""

from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from service.errors import SlackRefused, SlackUnavailable

_TOKENS = "QUOTH_SLACK_BOT_TOKEN begins with xoxb-, QUOTH_SLACK_APP_TOKEN with xapp-."
_FIXES = {
    "invalid_auth": f"Slack does not know the token. Copy it again from the app's page: {_TOKENS}",
    "not_authed": "No token was sent. Set QUOTH_SLACK_BOT_TOKEN (and QUOTH_SLACK_APP_TOKEN for Socket Mode).",
    "token_revoked": "The token was revoked. Install the app again, and set the new token.",
    "account_inactive": "The app was removed from the workspace, or its user is switched off. Install the app again.",
    "not_allowed_token_type": f"This is the wrong kind of token: {_TOKENS}",
    "not_in_channel": "Invite the app to the channel with /invite.",
    "is_archived": "The channel is archived.",
    "restricted_action": "The workspace's settings do not let the app post there.",
}
_GONE = frozenset(
    "message_not_found cant_delete_message thread_not_found cant_update_message edit_window_closed".split()
)
_CANNOT_POST = frozenset(
    "channel_not_found not_in_channel is_archived restricted_action no_permission user_not_found cannot_dm_bot "
    "messages_tab_disabled restricted_action_thread_locked restricted_action_non_threadable_channel "
    "restricted_action_read_only_channel restricted_action_thread_only_channel team_access_not_granted".split()
)
_TRANSIENT = frozenset(
    "internal_error fatal_error service_unavailable request_timeout ratelimited team_added_to_org".split()
)
SERVER_ERROR = 500


def code(error: SlackApiError) -> str:
    """Slack's error code, or the HTTP status when there is none."""
    data = getattr(error.response, "data", None)
    named = data.get("error") if isinstance(data, dict) else None
    return str(named or getattr(error.response, "status_code", getattr(error.response, "status", "unknown")))


def explain(error: SlackApiError) -> str:
    """Slack's error code with the way to fix it."""
    data: Any = getattr(error.response, "data", None)
    slack_code = code(error)
    if slack_code == "missing_scope" and isinstance(data, dict):
        return (
            f"Slack says missing_scope: the app needs the scope {data.get('needed', '?')}. Add it under "
            "OAuth & Permissions (or paste the manifest again: quoth slack --manifest), then install the app again."
        )
    fix = _FIXES.get(slack_code, "See https://docs.slack.dev/reference for the method and this error.")
    return f"Slack says {slack_code}. {fix}"


def is_gone(error: SlackApiError) -> bool:
    """Whether the message no longer exists, or may not be changed by the app."""
    return code(error) in _GONE


def cannot_post(error: SlackApiError) -> bool:
    """Whether the app can post nothing there, now or later."""
    return code(error) in _CANNOT_POST


def is_transient(error: Exception) -> bool:
    """Whether the same call may succeed later."""
    if isinstance(error, SlackApiError):
        status = getattr(error.response, "status_code", getattr(error.response, "status", 0))
        return code(error) in _TRANSIENT or (isinstance(status, int) and status >= SERVER_ERROR)
    return isinstance(error, aiohttp.ClientError | TimeoutError | OSError)


def to_service_error(error: Exception) -> Exception:
    """The service error for an error of Slack or of the connection to it."""
    if isinstance(error, SlackApiError) and not is_transient(error):
        return SlackRefused(explain(error))
    reason = explain(error) if isinstance(error, SlackApiError) else f"Slack does not answer ({error})."
    return SlackUnavailable(f"{reason} Check the network, and try again.")
