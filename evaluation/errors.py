"""Errors of evaluation/, in addition to those in service/errors.py and index/errors.py.

    EvaluationError
    ├── Permanent
    │   ├── DataInvalid          a data file is malformed: which file, which line, what to change
    │   ├── SuiteInvalid         a suite file is malformed, or its data changed since it was sealed
    │   ├── RunInvalid           a run folder cannot be resumed, read or compared
    │   ├── SealInvalid          sealed cases cannot be opened, or their record of looks was changed
    │   ├── TaskUnfit            the data set lacks what the task needs
    │   ├── TargetInvalid        what --target names cannot be asked
    │   ├── SystemAnswerInvalid  another system gives no answer, or one in another form
    │   └── NoReply              the language model's server gives no complete reply to this one request
    └── Transient
        ├── EndpointUnavailable  the server that is measured does not answer
        └── ModelUnavailable     the language model's server does not answer

Every message names the thing, the bad value and the fix.
"""

from pathlib import Path


class EvaluationError(Exception):
    """Root of everything that evaluation/ raises on purpose."""


class Permanent(EvaluationError):
    """Trying again fails again."""


class Transient(EvaluationError):
    """Trying again later may succeed."""


class DataInvalid(Permanent):
    """A data file is malformed. `line` counts from 1; None if no single line is at fault (a missing or empty file)."""

    def __init__(self, file: Path, line: int | None, reason: str, fix: str) -> None:
        place = str(file) if line is None else f"{file}, line {line}"
        super().__init__(f"{place}: {reason}. {fix}" + ("" if fix.endswith("?") else "."))
        self.file = file
        self.line = line
        self.reason = reason
        self.fix = fix


class SuiteInvalid(Permanent):
    """A suite file is malformed, or its data changed since it was sealed."""


class RunInvalid(Permanent):
    """A run folder cannot be resumed, read or compared."""


class SealInvalid(Permanent):
    """Sealed cases cannot be opened, or their record of looks was changed."""


class TaskUnfit(Permanent):
    """The data set lacks what the task needs."""


class TargetInvalid(Permanent):
    """What `--target` names cannot be asked."""


class SystemAnswerInvalid(Permanent):
    """Another system gives no answer, or one in another form."""


class NoReply(Permanent):
    """The language model's server gives no complete reply to this one request: it is too long, for example."""


class EndpointUnavailable(Transient):
    """The server that is measured does not answer."""


class ModelUnavailable(Transient):
    """The language model's server does not answer."""
