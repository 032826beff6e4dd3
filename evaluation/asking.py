"""A language model's reply in one strict form: the prompt from prompts/, the form as a JSON schema, and nothing repaired.

The server is any that speaks the OpenAI chat protocol; the client is the one that the generator `remote` uses. The schema is
sent along for servers that can hold a model to it, temperature 0 and a fixed seed are asked for, and the reply is read as if
neither had been heeded.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from evaluation.errors import ModelUnavailable, NoReply
from service.generators.budget import Budget
from service.generators.openai_client import ChatServer, Reply, RequestFailed, Server
from service.prompts import Messages, fill, inert, shipped

_ATTEMPTS = 3
_FIRST_PAUSE_S = 0.5
_SHOWN = 500


class Form(BaseModel):
    """What a reply must be: exactly these fields, each of exactly its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


FormT = TypeVar("FormT", bound=Form)


@dataclass(frozen=True, slots=True)
class Asked(Generic[FormT]):
    """A reply. `form` is None when it is not of the form; `text` is its beginning; `model` the name that the server gives."""

    form: FormT | None
    text: str
    model: str


class Asker(Generic[FormT]):
    """Fills in prompts/NAME_instructions.txt and prompts/NAME_request.txt, and asks `server` for a reply of the form `form`.

    The instructions take {{fence}} and `settled`, which is the same for every request; the request takes {{fence}} and
    `placeholders`. The fence is a hash of the values, so no text in them can close it, and the same values make the same
    request. `pause` waits for seconds; `mend` is added to a failure's message.
    """

    def __init__(
        self,
        server: Server,
        name: str,
        placeholders: Collection[str],
        form: type[FormT],
        *,
        settled: dict[str, str] | None = None,
        longest: int = 1024,
        mend: str = "",
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.model = server.model
        self._place = server.place
        self._chat = ChatServer(server, Budget(context=longest, answer=longest), temperature=0.0)
        self._settled = settled or {}
        self._instructions = shipped(f"{name}_instructions", {"fence", *self._settled})
        self._request = shipped(f"{name}_request", {"fence", *placeholders})
        self._form = form
        self._mend = mend
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
        """What is sent for these values. Words that models take for control are broken up in them."""
        harmless = {name: inert(value) for name, value in values.items()}
        fence = sha256("\0".join(harmless.values()).encode()).hexdigest()[:16]
        return Messages(
            fill(self._instructions, {"fence": fence, **self._settled}),
            fill(self._request, {"fence": fence, **harmless}),
        )

    def ask(self, messages: Messages) -> Asked[FormT]:
        """The reply. Raises ModelUnavailable, or NoReply when only this request came to nothing."""
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
                told = f"The language model's server at {self._place} {failed} {self._mend}".rstrip()
                if failed.dialect or (failed.again_after is None and reply.characters):
                    raise NoReply(told) from failed
                if failed.again_after is None or attempt == _ATTEMPTS:
                    raise ModelUnavailable(told) from failed
                self._pause(max(failed.again_after, _FIRST_PAUSE_S * 2 ** (attempt - 1)))
                attempt += 1
            else:
                return Asked(parsed(text, self._form), text[:_SHOWN], reply.model or self.model)


def parsed(text: str, form: type[FormT]) -> FormT | None:
    """The reply if it is exactly the form, as JSON and nothing around it; else None."""
    try:
        return form.model_validate_json(text)
    except ValidationError:
        return None
