"""Office: what everybody behind the Slack door works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from slack_sdk.web.async_client import AsyncWebClient

from service.session.session import Parts
from service.slack.client.identity import Identities
from service.slack.client.rate_limits import Rates
from service.slack.client.user_groups import Groups
from service.slack.client.users import People
from service.slack.render.links import Viewer
from service.slack.store.channels import Channels
from service.slack.store.messages import Once, Posted
from service.slack.store.questions import Questions

OWNER = "slack"
"""Whose the conversations of Slack are: nobody's key, so that no caller of the API reads them."""
Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Office:
    """The client, Quoth's parts, what is kept about Slack, and the rates to keep to.

    `open_collections` are those that every member may choose for a channel; `viewer_base` is where people reach the server.
    """

    client: AsyncWebClient
    parts: Parts
    questions: Questions
    posted: Posted
    once: Once
    channels: Channels
    people: People
    groups: Groups
    identities: Identities
    viewer_base: str | None
    open_collections: frozenset[str]
    rates: Rates = field(default_factory=Rates)
    lane: CapacityLimiter = field(default_factory=partial(CapacityLimiter, 1))

    async def keep(self, work: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
        """Read or write what the Slack door keeps, in a worker thread, in the order asked.

        One at a time: SQLite makes writers that meet sleep and try again, and a late acknowledgement is a lost question.
        """
        return await anyio.to_thread.run_sync(partial(work, *given, **named), limiter=self.lane)

    def viewer(self, collection: str) -> Viewer:
        """The viewer's addresses for documents of a collection."""
        return Viewer(self.viewer_base, collection)

    async def reads(self, user: str) -> frozenset[str]:
        """Whom documents may name for this user to read them in private: the address, and the user groups."""
        person = await self.people.of(user, (await self.identities.get()).team)
        if person.standing not in {"member", "guest"}:
            return frozenset()
        return person.principals | await self.groups.of(user)
