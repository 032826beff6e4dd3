"""What can go wrong in service/, beside what index/errors.py lists.

    ServiceError
    ├── Permanent
    │   ├── QuestionInvalid      empty, too long, or without a letter or digit
    │   ├── SettingsInvalid      an unknown key or a bad value in the environment, .env or quoth.toml
    │   ├── GeneratorUnknown     no generator of that name
    │   ├── RecordMissing        no conversation or answer of that id
    │   ├── FeedbackInvalid      feedback on a sentence that the answer does not have
    │   ├── AnswerInvalid        what was given is not an answer of Quoth
    │   ├── AnswerUnreadable     the file of an answer is not there or is not JSON
    │   └── PortTaken            another program listens there, or the address is not ours
    └── Transient
        ├── GeneratorUnavailable the language model's server does not answer
        └── StoreUnavailable     the database of the conversations is locked, gone or full

Every message names the thing, the bad value and the mend.
"""


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


class FeedbackInvalid(Permanent):
    """Feedback on a sentence that the answer does not have."""


class AnswerInvalid(Permanent):
    """What was given is not an answer of Quoth."""


class AnswerUnreadable(Permanent):
    """The file of an answer is not there or is not JSON."""


class PortTaken(Permanent):
    """Another program listens there, or this address is not ours to listen on."""


class GeneratorUnavailable(Transient):
    """The language model's server does not answer."""


class StoreUnavailable(Transient):
    """The database of the conversations does not answer: locked, gone or full."""
