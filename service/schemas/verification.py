"""The JSON of `POST /v1/verify` and `quoth verify --json`."""

from pydantic import Field

from service.audit.findings import AnswerFault
from service.audit.verification import Verdict
from service.schemas.answers import AnswerOut
from service.schemas.base import CollectionName, Record, Request


class VerifyRequest(Request):
    """An answer, exactly as it was given, and where to look for what it cites."""

    answer: AnswerOut
    collection: CollectionName | None = Field(None, description="the only collection to look in; all when left out")


class FindingOut(Record):
    """One thing that is not as the answer says: what it holds (`claimed`), and what is there instead (`found`)."""

    subject: str = Field(examples=["citation 2"])
    fault: AnswerFault
    message: str
    claimed: str | None
    found: str | None


class VerificationOut(Record):
    """`proved`: all holds. `refuted`: something is otherwise. `unproved`: a cited version is not here, nothing else is wrong.

    `quotes` counts the quotes and passages that are literal, `quoted` the sentences made of their quotes, `checked` those
    whose support verdict the checker confirms, `derived` those that Quoth worked out and that come out the same.
    """

    verdict: Verdict
    quotes: int
    quoted: int
    checked: int
    derived: int = 0
    findings: tuple[FindingOut, ...]
