"""The errors of service/, besides those of index/errors.py.

    ServiceError
    ├── Permanent
    │   ├── QuestionInvalid      empty, too long, or without a letter or digit
    │   ├── SettingsInvalid      an unknown key or a bad value in the environment, .env or quoth.toml
    │   ├── GeneratorUnknown     no generator of that name
    │   ├── RecordMissing        no conversation, answer or job of that id
    │   ├── RecordDamaged        a stored conversation or answer cannot be read
    │   ├── TitleInvalid         a conversation's title is empty or too long
    │   ├── ReplayImpossible     an answer cannot be replayed: not recorded, or a version is missing
    │   ├── CursorInvalid        a cursor that is not one of this list
    │   ├── FeedbackInvalid      feedback on a sentence that the answer does not have
    │   ├── AnswerInvalid        the given data is not an answer of Quoth
    │   ├── AnswerUnreadable     the file of an answer is missing or is not JSON
    │   ├── StoreNewer           the database was created by a newer Quoth
    │   ├── StoreDamaged         the database cannot be read
    │   ├── UploadInvalid        an upload without bytes, or with a bad id, name, title, metadata or principal
    │   ├── UploadTooLarge       an upload of more bytes than the setting allows
    │   ├── FormatUnsupported    an upload without text, or whose content contradicts its name
    │   ├── DocumentTaken        an upload would replace a document that was not uploaded
    │   ├── DocumentDuplicate    an upload that must be new has the bytes of a document that is there
    │   ├── IdempotencyKeyReused an idempotency key that was used before, with another upload
    │   ├── JobsDamaged          the database of the jobs cannot be read
    │   ├── PortTaken            another program uses the port, or the address is not this machine's
    │   ├── ExposureRefused      other machines reach the address, and no key exists
    │   ├── KeyInvalid           no API key, or one that is unknown, expired or revoked
    │   ├── KeysLost             API keys were made, and the database holds none of them
    │   ├── KeysKept             API keys that exist cannot be given up
    │   ├── KeyMissing           no API key of that name or id to revoke
    │   ├── KeyOptionInvalid     an API key cannot have that name, expiry, rate or principal
    │   ├── ScopeMissing         the API key lacks the scope
    │   ├── ActingForbidden      the API key may not ask for others
    │   ├── PrincipalsInvalid    the header with the principals cannot be read
    │   ├── SlackRefused         Slack rejects a token or a call, and will reject it again
    │   └── OriginForbidden      a web page of another site calls a server that has no keys
    └── Transient
        ├── RateExceeded         the API key has used up its rate for now
        ├── SlackUnavailable     Slack does not answer
        ├── GeneratorUnavailable the language model's server does not answer
        ├── QueueFull            more jobs wait than the queue takes
        ├── JobsUnavailable      the database of the jobs, or the disk for uploads, is locked, missing, read-only or full
        ├── AnswerTimedOut       the answer took longer than is allowed
        ├── Overloaded           too many requests at once, and too many waiting
        ├── ShuttingDown         the server is stopping
        ├── NotReady             the server cannot do its work now, for a reason that the caller may not read
        └── StoreUnavailable     the database is locked, missing or full
            └── StoreMissing     the database is gone or empty, and must not be begun anew

Every message names the thing, the bad value and the fix. The Python client adds Refused and Unavailable, for what a server
answers (service/client/responses.py).
"""

import re
from collections.abc import Mapping

from index.errors import shorten


class ServiceError(Exception):
    """Root of every error that service/ raises on purpose."""

    def __str__(self) -> str:
        """The message, shortened."""
        return shorten(super().__str__())


class Permanent(ServiceError):
    """The same call fails again."""


class Transient(ServiceError):
    """The same call may succeed later."""


class QuestionInvalid(Permanent):
    """The question is empty, too long, or without a letter or digit."""


class SettingsInvalid(Permanent):
    """A setting is unknown or has a bad value."""


class GeneratorUnknown(Permanent):
    """No generator of that name."""


class RecordMissing(Permanent):
    """No conversation, answer or job of that id."""


class RecordDamaged(Permanent):
    """A stored conversation or answer cannot be read; the others can."""


class TitleInvalid(Permanent):
    """A conversation's title is empty or too long."""


class ReplayImpossible(Permanent):
    """An answer cannot be replayed: how it was made was not recorded, or a version that it used is missing."""


class CursorInvalid(Permanent):
    """The cursor is not one of this list."""


class FeedbackInvalid(Permanent):
    """Feedback on a sentence that the answer does not have."""


class AnswerInvalid(Permanent):
    """The given data is not an answer of Quoth."""


class AnswerUnreadable(Permanent):
    """The file of an answer is missing or is not JSON."""


class StoreNewer(Permanent):
    """The database was created by a newer Quoth."""


class StoreDamaged(Permanent):
    """The database cannot be read."""


class UploadInvalid(Permanent):
    """An upload without bytes, or with a bad id, name, title, metadata or principal."""


class UploadTooLarge(Permanent):
    """An upload of more bytes than the setting allows."""


class FormatUnsupported(Permanent):
    """An upload without text, or whose content contradicts its name."""


class DocumentTaken(Permanent):
    """An upload would replace a document that was not uploaded."""


class DocumentDuplicate(Permanent):
    """An upload that must be new has the bytes of a document that is there already."""


class IdempotencyKeyReused(Permanent):
    """An idempotency key that was used before, with another upload."""


class JobsDamaged(Permanent):
    """The database of the jobs cannot be read."""


class PortTaken(Permanent):
    """Another program uses the port, or the address is not this machine's."""


class ExposureRefused(Permanent):
    """Other machines reach the address, and no key exists."""


class KeyInvalid(Permanent):
    """No API key, or one that is unknown, expired or revoked; the message does not say which."""


class KeysLost(Permanent):
    """API keys were made, and the database holds none of them: it was lost, emptied or replaced."""


class KeysKept(Permanent):
    """API keys that exist cannot be given up: they are revoked, one by one."""


class KeyMissing(Permanent):
    """No API key of that name or id to revoke."""


class KeyOptionInvalid(Permanent):
    """An API key cannot have that name, expiry, rate or principal."""


class ScopeMissing(Permanent):
    """The API key lacks the scope."""


class ActingForbidden(Permanent):
    """The API key may not ask for others."""


class PrincipalsInvalid(Permanent):
    """The header with the principals cannot be read."""


class OriginForbidden(Permanent):
    """A web page of another site calls a server that has no keys."""


class SlackRefused(Permanent):
    """Slack rejects a token or a call, and will reject it again."""


class RateExceeded(Transient):
    """The API key has used up its rate for now. `headers` (HTTP) say when the next request is possible."""

    def __init__(self, message: str, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.headers = headers


class SlackUnavailable(Transient):
    """Slack does not answer."""


class GeneratorUnavailable(Transient):
    """The language model's server does not answer."""


class QueueFull(Transient):
    """More jobs wait than the queue takes."""


class JobsUnavailable(Transient):
    """The database of the jobs, or the disk for uploads, does not answer: locked, missing, read-only or full."""


class AnswerTimedOut(Transient):
    """The answer took longer than is allowed."""


class Overloaded(Transient):
    """Too many requests at once, and too many waiting."""


class ShuttingDown(Transient):
    """The server is stopping."""


class NotReady(Transient):
    """The server cannot do its work now, for a reason that the caller may not read."""


class StoreUnavailable(Transient):
    """The database does not answer: locked, missing or full."""


class StoreMissing(StoreUnavailable):
    """The database is gone or empty, and must not be begun anew: its API keys would be forgotten."""


def code_of(error: Exception) -> str:
    """The stable code of an error: its class's name in kebab case (`CollectionMissing` -> `collection-missing`)."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
