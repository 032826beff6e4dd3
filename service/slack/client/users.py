"""Identities in the workspace: the app itself, the people who ask, and their user groups.

A document names its readers by e-mail address or user group. Only an address that Slack says is confirmed counts, and only of a
member or guest of this workspace. Somebody from another organisation (Slack Connect), a bot, or a user whose address cannot be
read may read only what everybody may read. Users are cached for an hour, user groups for ten minutes.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Generic, Literal, TypeVar

import aiohttp
import anyio.to_thread
import structlog
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from service.slack.client import errors
from service.slack.store.tables import PersonRow
from service.storage.database import Database

Membership = Literal["member", "guest", "outsider", "bot"]
PERSON_CACHED = timedelta(hours=1)
UNKNOWN_PERSON_CACHED = timedelta(minutes=5)
GROUPS_CACHED_S = 600.0
Result = TypeVar("Result")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """The app's user and bot id, its workspace and its name."""

    user: str
    bot: str
    team: str
    enterprise: str | None
    name: str


class _Shared(Generic[Result]):
    """A call that all who need its result at the same time make together: its result, or its error, is that of each.

    Behind a lock instead, each would make the call again after the one before had failed, and wait as long.
    """

    def __init__(self, call: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self._call = call
        self._task: asyncio.Task[Result] | None = None

    async def __call__(self) -> Result:
        """The result of the call that is being made, or of a new one. It goes on if one who waits for it is cancelled."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._call())
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._task)


class Identities:
    """The identity behind one bot token, fetched once (auth.test); a failure is not cached, so the next call asks again."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._identity: Identity | None = None
        self._ask = _Shared(self._fetch)

    async def get(self) -> Identity:
        """The identity. Raises SlackRefused for a token that Slack rejects, SlackUnavailable when Slack does not answer."""
        if self._identity is None:
            self._identity = await self._ask()
        return self._identity

    async def _fetch(self) -> Identity:
        try:
            response = await self._client.auth_test()
        except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise errors.to_service_error(error) from error
        return Identity(
            user=str(response["user_id"]),
            bot=str(response.get("bot_id") or ""),
            team=str(response["team_id"]),
            enterprise=response.get("enterprise_id"),
            name=str(response.get("user") or "Quoth"),
        )

    async def authorize(self) -> AuthorizeResult:
        """The authorization that Bolt asks for before it dispatches an event."""
        own = await self.get()
        return AuthorizeResult(
            enterprise_id=own.enterprise,
            team_id=own.team,
            bot_user_id=own.user,
            bot_id=own.bot,
            bot_token=self._client.token,
        )


@dataclass(frozen=True, slots=True)
class Person:
    """A user of Slack. `email` is empty unless it is confirmed."""

    user: str
    email: str
    standing: Membership
    name: str

    @property
    def principals(self) -> frozenset[str]:
        """The names by which documents may admit this person; empty: only what everybody may read."""
        return frozenset({self.email}) if self.email else frozenset()


class People:
    """The people of one workspace, by user id. `clock` gives the time in UTC."""

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

    async def get(self, user: str, team: str) -> Person:
        """The person behind a user id, seen from this workspace (`team`)."""
        cached = await anyio.to_thread.run_sync(self._load_cached, user)
        if cached is not None:
            return cached
        try:
            response = await self._client.users_info(user=user)
        except SlackApiError as error:
            log.warning("user unknown", user=user, reason=errors.explain(error))
            person, lifetime = Person(user, "", "outsider", ""), UNKNOWN_PERSON_CACHED
        else:
            person, lifetime = read_person(response["user"], team), PERSON_CACHED
        await anyio.to_thread.run_sync(self._store, person, lifetime)
        return person

    async def is_admin(self, user: str) -> bool:
        """Whether the user administers or owns the workspace. Asks Slack each time; False when Slack does not say."""
        try:
            response = (await self._client.users_info(user=user))["user"]
        except SlackApiError as error:
            log.warning("user unknown", user=user, reason=errors.explain(error))
            return False
        return bool(response.get("is_admin") or response.get("is_owner")) and not response.get("deleted")

    def _load_cached(self, user: str) -> Person | None:
        with self._database.reading() as session:
            row = session.get(PersonRow, user)
            if row is None or not timedelta(0) < row.expires_at - self._clock() <= PERSON_CACHED:
                return None  # later than any can be: the clock was set back
            standing: Membership = row.standing  # type: ignore[assignment]  # only `_store` writes it
            return Person(user, row.email, standing, row.name)

    def _store(self, person: Person, lifetime: timedelta) -> None:
        with self._database.writing() as session:
            session.merge(
                PersonRow(
                    user=person.user,
                    email=person.email,
                    standing=person.standing,
                    name=person.name,
                    expires_at=self._clock() + lifetime,
                )
            )


def read_person(user: Mapping[str, Any], team: str) -> Person:
    """The person in Slack's description of a user. Pure."""
    profile = user.get("profile", {})
    standing = _standing(user, team)
    trusted = standing in {"member", "guest"} and user.get("is_email_confirmed", True) and not user.get("deleted")
    email = str(profile.get("email") or "").strip().lower() if trusted else ""
    name = profile.get("display_name") or profile.get("real_name") or user.get("name") or ""
    return Person(str(user.get("id", "")), email, standing, str(name))


def _standing(user: Mapping[str, Any], team: str) -> Membership:
    if user.get("is_bot") or user.get("id") == "USLACKBOT":
        return "bot"
    if user.get("is_stranger") or user.get("team_id", team) != team:
        return "outsider"
    return "guest" if user.get("is_restricted") or user.get("is_ultra_restricted") else "member"


class Groups:
    """The user groups of one workspace, fetched together. `clock` gives seconds.

    An app without the scope usergroups:read works, but knows no groups.
    """

    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], float] = monotonic) -> None:
        self._client = client
        self._clock = clock
        self._ask = _Shared(self._fetch)
        self._members: Mapping[str, frozenset[str]] = {}
        self._fresh_until: float | None = None

    async def get(self, user: str) -> frozenset[str]:
        """The groups that a user is in, as documents name them: `@` and the handle. Raises transient errors of Slack."""
        if self._fresh_until is None or self._clock() >= self._fresh_until:
            self._members = await self._ask()
            self._fresh_until = self._clock() + GROUPS_CACHED_S
        return frozenset(name for name, users in self._members.items() if user in users)

    async def _fetch(self) -> Mapping[str, frozenset[str]]:
        try:
            response = await self._client.usergroups_list(include_users=True)
        except SlackApiError as error:
            if errors.is_transient(error):
                raise
            log.info("user groups not read", reason=errors.explain(error))
            return {}
        return read_groups(response["usergroups"])


def read_groups(groups: Sequence[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """The users in each user group of Slack's description, by `@` and handle in lower case. Pure.

    Deleted groups and those of another organisation (Slack Connect) are left out.
    """
    return {
        f"@{str(group['handle']).lower()}": frozenset(map(str, group.get("users") or ()))
        for group in groups
        if group.get("handle") and not group.get("date_delete") and not group.get("is_external")
    }
