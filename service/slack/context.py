"""SlackContext: the client, stores and limits that the handlers and the worker of the Slack app share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from slack_sdk.web.async_client import AsyncWebClient

from service.session.session import Session
from service.slack.client.rate_limits import Rates
from service.slack.client.users import Groups, Identities, People
from service.slack.render.messages import Viewer
from service.slack.store.channels import Channels
from service.slack.store.messages import PostedMessages, RecentActions
from service.slack.store.questions import Questions

OWNER = "slack"
"""The owner of Slack's conversations. No API key is this owner, so no caller of the API can read them."""
Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class SlackContext:
    """Slack's client, Quoth's session, the stores of the Slack app, and the rate limits.

    `open_collections` are those that every member may choose for a channel; `viewer_base` is the server's public address.
    """

    client: AsyncWebClient
    session: Session
    questions: Questions
    posted: PostedMessages
    recent_actions: RecentActions
    channels: Channels
    people: People
    groups: Groups
    identities: Identities
    viewer_base: str | None
    open_collections: frozenset[str]
    rates: Rates = field(default_factory=Rates)
    database_limiter: CapacityLimiter = field(default_factory=partial(CapacityLimiter, 1))

    async def run_in_db(self, work: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
        """Run a call of the Slack stores in a worker thread, one call at a time, in the order of the calls.

        SQLite makes writers that meet sleep and retry, and an event acknowledged too late is a lost question.
        """
        return await anyio.to_thread.run_sync(partial(work, *given, **named), limiter=self.database_limiter)

    def viewer(self, collection: str) -> Viewer:
        """The links to the documents of a collection."""
        return Viewer(self.viewer_base, collection)

    async def private_principals(self, user: str) -> frozenset[str]:
        """The principals of a user in private answers: the e-mail address and the user groups; none for outsiders and bots."""
        person = await self.people.get(user, (await self.identities.get()).team)
        if person.standing not in {"member", "guest"}:
            return frozenset()
        return person.principals | await self.groups.get(user)
