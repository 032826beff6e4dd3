"""What can go wrong in service/, beside what index/errors.py lists.

    ServiceError
    ├── Permanent
    │   ├── QuestionInvalid      empty, too long, or without a letter or digit
    │   ├── SettingsInvalid      an unknown key or a bad value in the environment, .env or quoth.toml
    │   ├── GeneratorUnknown     no generator of that name
    │   ├── RecordMissing        no conversation or answer of that id
    │   ├── TitleInvalid         a conversation's title is empty or too long
    │   ├── ReplayImpossible     an answer cannot be made again: not recorded, or a version is gone
    │   ├── CursorInvalid        a list is not continued from there
    │   ├── FeedbackInvalid      feedback on a sentence that the answer does not have
    │   ├── AnswerInvalid        what was given is not an answer of Quoth
    │   ├── AnswerUnreadable     the file of an answer is not there or is not JSON
    │   ├── StoreNewer           the database was made by a newer Quoth
    │   ├── StoreDamaged         the database does not read
    │   ├── UploadInvalid        an upload without bytes, or with a bad id, name, title, metadata or principal
    │   ├── UploadTooLarge       an upload of more bytes than the setting allows
    │   ├── FormatUnsupported    an upload that holds no text, or not what its name says
    │   ├── DocumentTaken        an upload would replace a document that was not uploaded
    │   ├── IdempotencyKeyReused a key that makes sending twice safe came before, with another upload
    │   ├── JobsDamaged          the database of the jobs does not read
    │   ├── PortTaken            another program listens there, or the address is not ours
    │   ├── ExposureRefused      other machines reach the address, and no key is asked for
    │   ├── KeyInvalid           no API key, or one that is unknown, expired or revoked
    │   ├── KeyMissing           no API key of that name or id to revoke
    │   ├── KeyOptionInvalid     an API key cannot be made with that name, expiry, rate or principal
    │   ├── ScopeMissing         the API key is not for this
    │   ├── ActingForbidden      the API key may not say for whom it asks
    │   ├── PrincipalsInvalid    the header that says for whom is asked does not read
    │   ├── SlackRefused         Slack does not take a token or a call, and will not later either
    │   └── OriginForbidden      a web page from elsewhere asks a server that has no keys
    └── Transient
        ├── RateExceeded         the API key has made as many requests as it may for now
        ├── SlackUnavailable     Slack does not answer
        ├── GeneratorUnavailable the language model's server does not answer
        ├── QueueFull            more jobs wait than the queue takes
        ├── JobsUnavailable      the database of the jobs, or the disk for uploads, is locked, gone or full
        ├── AnswerTimedOut       the answer took longer than is allowed
        ├── Overloaded           too many requests at once, and too many waiting
        ├── ShuttingDown         the server is about to end
        └── StoreUnavailable     the database is locked, gone or full

Every message names the thing, the bad value and the mend.
"""

import re
from collections.abc import Mapping


class ServiceError(Exception):
    """Root of everything that service/ raises on purpose."""


class Permanent(ServiceError):
    """Doing the same again fails again."""


class Transient(ServiceError):
    """The same may go through later."""


class QuestionInvalid(Permanent):
    """The question cannot be asked as it stands."""


class SettingsInvalid(Permanent):
    """A setting is unknown or has a bad value."""


class GeneratorUnknown(Permanent):
    """No generator of that name."""


class RecordMissing(Permanent):
    """No conversation or answer of that id."""


class TitleInvalid(Permanent):
    """A conversation's title is empty or too long."""


class ReplayImpossible(Permanent):
    """An answer cannot be made again: it was not recorded how, or a version that it was made from is gone."""


class CursorInvalid(Permanent):
    """A list is not continued from there."""


class FeedbackInvalid(Permanent):
    """Feedback on a sentence that the answer does not have."""


class AnswerInvalid(Permanent):
    """What was given is not an answer of Quoth."""


class AnswerUnreadable(Permanent):
    """The file of an answer is not there or is not JSON."""


class StoreNewer(Permanent):
    """The database was made by a newer Quoth."""


class StoreDamaged(Permanent):
    """The database does not read."""


class UploadInvalid(Permanent):
    """An upload without bytes, or with a bad id, name, title, metadata or principal."""


class UploadTooLarge(Permanent):
    """An upload of more bytes than the setting allows."""


class FormatUnsupported(Permanent):
    """An upload that holds no text, or not what its name says."""


class DocumentTaken(Permanent):
    """An upload would replace a document that was not uploaded."""


class IdempotencyKeyReused(Permanent):
    """An idempotency key that came before, with another upload."""


class JobsDamaged(Permanent):
    """The database of the jobs does not read."""


class PortTaken(Permanent):
    """Another program listens there, or this address is not ours to listen on."""


class ExposureRefused(Permanent):
    """Other machines reach the address, and no key is asked for."""


class KeyInvalid(Permanent):
    """No API key, or one that is unknown, expired or revoked; which of these is not said."""


class KeyMissing(Permanent):
    """No API key of that name or id to revoke."""


class KeyOptionInvalid(Permanent):
    """An API key cannot be made with that name, expiry, rate or principal."""


class ScopeMissing(Permanent):
    """The API key is not for this."""


class ActingForbidden(Permanent):
    """The API key may not say for whom it asks."""


class PrincipalsInvalid(Permanent):
    """The header that says for whom is asked does not read."""


class OriginForbidden(Permanent):
    """A web page from elsewhere asks a server that has no keys."""


class SlackRefused(Permanent):
    """Slack does not take a token or a call, and will not later either."""


class RateExceeded(Transient):
    """The API key has made as many requests as it may for now. `headers` (HTTP) say when one more is possible."""

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
    """The database of the jobs, or the disk for uploads, does not answer: locked, gone or full."""


class AnswerTimedOut(Transient):
    """The answer took longer than is allowed."""


class Overloaded(Transient):
    """Too many requests at once, and too many waiting."""


class ShuttingDown(Transient):
    """The server is about to end."""


class StoreUnavailable(Transient):
    """The database does not answer: locked, gone or full."""


def code_of(error: Exception) -> str:
    """The stable code of an error: its class's name in kebab case (`CollectionMissing` -> `collection-missing`)."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
