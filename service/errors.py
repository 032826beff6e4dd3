"""What can go wrong in service/, beside what index/errors.py lists.

    ServiceError
    ├── Permanent
    │   ├── QuestionInvalid      empty, too long, or without a letter or digit
    │   ├── SettingsInvalid      an unknown key or a bad value in the environment, .env or quoth.toml
    │   └── GeneratorUnknown     no generator of that name
    └── Transient
        └── GeneratorUnavailable the language model's server does not answer

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


class GeneratorUnavailable(Transient):
    """The language model's server does not answer."""
