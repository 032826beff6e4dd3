"""Who asks: the e-mail address that documents name their readers by, looked up in Slack once and kept for an hour.

Only an address that Slack says is confirmed counts, and only of a member or guest of this workspace. Somebody from another
organisation (Slack Connect), a bot, or a user whose address cannot be read, reads what everybody may read and no more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import anyio.to_thread
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from service.slack.client.errors import explained
from service.slack.store.tables import PersonRow
from service.storage.database import Database

Standing = Literal["member", "guest", "outsider", "bot"]
KEPT = timedelta(hours=1)
KEPT_UNKNOWN = timedelta(minutes=5)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """A user of Slack. `email` is empty when none is known for certain."""

    user: str
    email: str
    standing: Standing
    name: str

    @property
    def principals(self) -> frozenset[str]:
        """Whom documents may name for this person to read them; empty: only what everybody may read."""
        return frozenset({self.email}) if self.email else frozenset()


class People:
    """The people of one workspace, by user id."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._database = database
        self._clock = clock

    async def of(self, user: str, team: str) -> Person:
        """The person behind a user id, as this workspace (`team`) knows them."""
        known = await anyio.to_thread.run_sync(self._known, user)
        if known is not None:
            return known
        try:
            response = await self._client.users_info(user=user)
        except SlackApiError as error:
            log.warning("user unknown", user=user, reason=explained(error))
            person, kept = Person(user, "", "outsider", ""), KEPT_UNKNOWN
        else:
            person, kept = read(response["user"], team), KEPT
        await anyio.to_thread.run_sync(self._keep, person, kept)
        return person

    async def administers(self, user: str) -> bool:
        """Whether the user administers or owns the workspace now: asked of Slack each time. False when Slack does not say."""
        try:
            found = (await self._client.users_info(user=user))["user"]
        except SlackApiError as error:
            log.warning("user unknown", user=user, reason=explained(error))
            return False
        return bool(found.get("is_admin") or found.get("is_owner")) and not found.get("deleted")

    def _known(self, user: str) -> Person | None:
        with self._database.reading() as session:
            row = session.get(PersonRow, user)
            if row is None or row.expires_at <= self._clock():
                return None
            standing: Standing = row.standing  # type: ignore[assignment]  # only `_keep` writes it
            return Person(user, row.email, standing, row.name)

    def _keep(self, person: Person, kept: timedelta) -> None:
        with self._database.writing() as session:
            session.merge(
                PersonRow(
                    user=person.user,
                    email=person.email,
                    standing=person.standing,
                    name=person.name,
                    expires_at=self._clock() + kept,
                )
            )


def read(user: Mapping[str, Any], team: str) -> Person:
    """Slack's description of a user -> the person. Pure."""
    profile = user.get("profile", {})
    standing = _standing(user, team)
    trusted = standing in {"member", "guest"} and user.get("is_email_confirmed", True) and not user.get("deleted")
    email = str(profile.get("email") or "").strip().lower() if trusted else ""
    name = profile.get("display_name") or profile.get("real_name") or user.get("name") or ""
    return Person(str(user.get("id", "")), email, standing, str(name))


def _standing(user: Mapping[str, Any], team: str) -> Standing:
    if user.get("is_bot") or user.get("id") == "USLACKBOT":
        return "bot"
    if user.get("is_stranger") or user.get("team_id", team) != team:
        return "outsider"
    return "guest" if user.get("is_restricted") or user.get("is_ultra_restricted") else "member"
