"""In which of the workspace's user groups somebody is, so that documents can name a group as their reader.

Groups are looked up together and kept for ten minutes. Only those of this workspace count, not those that another organisation
shares (Slack Connect). An app that may not read them (scope usergroups:read) works without.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from service.slack.client import errors

KEPT_S = 600.0
log = structlog.get_logger(__name__)


class Groups:
    """The user groups of one workspace. `clock` gives seconds."""

    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], float] = monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lock = asyncio.Lock()
        self._members: Mapping[str, frozenset[str]] = {}
        self._good_until: float | None = None

    async def of(self, user: str) -> frozenset[str]:
        """The groups that a user is in, as documents name them: `@` and the handle. Raises what may pass by itself."""
        async with self._lock:
            if self._good_until is None or self._clock() >= self._good_until:
                self._members = await self._found()
                self._good_until = self._clock() + KEPT_S
            return frozenset(name for name, users in self._members.items() if user in users)

    async def _found(self) -> Mapping[str, frozenset[str]]:
        try:
            response = await self._client.usergroups_list(include_users=True)
        except SlackApiError as error:
            if errors.passes(error):
                raise
            log.info("user groups not read", reason=errors.explained(error))
            return {}
        return members(response["usergroups"])


def members(groups: Sequence[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """Slack's description of user groups -> the users in each, by `@` and handle in lower case. Pure."""
    return {
        f"@{str(group['handle']).lower()}": frozenset(map(str, group.get("users") or ()))
        for group in groups
        if group.get("handle") and not group.get("date_delete") and not group.get("is_external")
    }
