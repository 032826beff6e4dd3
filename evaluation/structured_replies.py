"""Ask a language model for a reply in one strict form: the prompt from prompts/, the form as a JSON schema, no repairs.

The model's reasoning before the reply, and one fence of Markdown around it, are not part of the reply.

Any server with the OpenAI chat protocol will do; the client is that of the generator `remote`. The request carries the
schema, for servers that can enforce it, temperature 0 and a fixed seed; the reply is checked in full, since a server
may ignore all three.
"""

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from evaluation.errors import ModelUnavailable, NoReply
from service.generators.budget import TokenBudget
from service.generators.openai_client import ChatServer, ModelEndpoint, Reply, RequestFailed
from service.prompts import Messages, break_control_words, fill, shipped_prompt
from service.text.thoughts import without_thoughts

_ATTEMPTS = 3
_FIRST_PAUSE_S = 0.5
_MAX_TEXT = 500
_FENCED = re.compile(r"(?P<before>(?:(?!```).)*)```[a-zA-Z]*\s*(?P<reply>(?:(?!```).)*)```\s*", re.DOTALL)


class ReplyForm(BaseModel):
    """The fields that a reply must have: exactly these, each of exactly its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


ReplyFormT = TypeVar("ReplyFormT", bound=ReplyForm)


@dataclass(frozen=True, slots=True)
class ModelReply(Generic[ReplyFormT]):
    """A reply: `form` (None if it has another form), its beginning (`text`), and the `model` by the server's name."""

    form: ReplyFormT | None
    text: str
    model: str


class StructuredClient(Generic[ReplyFormT]):
    """Fills in prompts/NAME_instructions.txt and prompts/NAME_request.txt and asks `server` for a reply of the form
    `form`.

    The instructions take {{fence}} and `constants`, which are the same for every request; the request takes {{fence}}
    and `placeholders`. The fence is a hash of the values, so no text in them can close it, and the same values give the
    same request. A reply has at most `max_tokens`. `pause` waits for seconds; `advice` is added to a failure's message.
    """

    def __init__(
        self,
        server: ModelEndpoint,
        name: str,
        placeholders: Collection[str],
        form: type[ReplyFormT],
        *,
        constants: dict[str, str] | None = None,
        max_tokens: int = 1024,
        advice: str = "",
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.model = server.model
        self._place = server.place
        self._chat = ChatServer(server, TokenBudget(context=max_tokens, answer=max_tokens), temperature=0.0)
        self._constants = constants or {}
        self._instructions = shipped_prompt(f"{name}_instructions", {"fence", *self._constants})
        self._request = shipped_prompt(f"{name}_request", {"fence", *placeholders})
        self._form = form
        self._advice = advice
        self._pause = pause
        self._plain = False

    @property
    def prompt_hash(self) -> str:
        """SHA-256 of both prompt files' texts, in hex."""
        return sha256(f"{self._instructions}\0{self._request}".encode()).hexdigest()

    def close(self) -> None:
        """Close the connections."""
        self._chat.close()

    def messages(self, **values: str) -> Messages:
        """The messages for these values. Words in them that models read as control tokens are broken up."""
        harmless = {name: break_control_words(value) for name, value in values.items()}
        fence = sha256("\0".join(harmless.values()).encode()).hexdigest()[:16]
        return Messages(
            fill(self._instructions, {"fence": fence, **self._constants}),
            fill(self._request, {"fence": fence, **harmless}),
        )

    def ask(self, messages: Messages) -> ModelReply[ReplyFormT]:
        """The reply. Raises ModelUnavailable, or NoReply when only this request failed."""
        attempt = 1
        while True:
            reply = Reply()
            try:
                schema = self._form.model_json_schema()
                text = "".join(self._chat.write(messages, reply, plain=self._plain, form=schema))
            except RequestFailed as failed:
                if failed.dialect and not self._plain:
                    self._plain = True
                    continue
                message = f"The language model's server at {self._place} {failed} {self._advice}".rstrip()
                if failed.dialect or (failed.again_after is None and reply.characters):
                    raise NoReply(message) from failed
                if failed.again_after is None or attempt == _ATTEMPTS:
                    raise (NoReply if failed.garbled else ModelUnavailable)(message) from failed
                self._pause(max(failed.again_after, _FIRST_PAUSE_S * 2 ** (attempt - 1)))
                attempt += 1
            else:
                return ModelReply(parse_reply(text, self._form), text[:_MAX_TEXT], reply.model or self.model)


def parse_reply(text: str, form: type[ReplyFormT]) -> ReplyFormT | None:
    """The reply if it is JSON of exactly this form; else None.

    The model's reasoning is left out. After it the reply is the whole text or, with any words before it, the only block
    between fences.
    """
    answer = "".join(without_thoughts([text], whole=True))
    fenced = _FENCED.fullmatch(answer)
    for candidate in (text, answer, fenced["reply"] if fenced else ""):
        try:
            return form.model_validate_json(candidate)
        except ValidationError:
            continue
    return None
