"""POST /v1/verify: is an answer what it says it is?"""

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter
from pydantic import Field

from service.access.caller import Scope
from service.answer_json import answer_of
from service.answering.checking import SupportPolicy
from service.api.dependencies import TheParts, needs
from service.api.problems import documented
from service.api.schemas.answers import AnswerOut
from service.api.schemas.base import CollectionName, Record, Request
from service.audit.verification import Fault, Verdict, Verification, verify
from service.audit.versions import Versions
from service.errors import AnswerInvalid
from service.session.session import Parts

MOST_SENTENCES = 500  # each may need the checker; no model that is asked for one answer writes as many

router = APIRouter(tags=["answers"], dependencies=[needs(Scope.ASK)])


class VerifyRequest(Request):
    """An answer, exactly as it was given, and where to look for what it cites."""

    answer: AnswerOut
    collection: CollectionName | None = Field(None, description="the only collection to look in; all when left out")


class FindingOut(Record):
    """One thing that is not as the answer says: what it holds (`claimed`), and what is there instead (`found`)."""

    subject: str = Field(examples=["citation 2"])
    fault: Fault
    message: str
    claimed: str | None
    found: str | None


class VerificationOut(Record):
    """`proved`: all holds. `refuted`: something is otherwise. `unproved`: a cited version is not here, nothing else is wrong.

    `quotes` counts the quotes and passages that are literal, `quoted` the sentences made of their quotes, `checked` those
    whose support verdict the checker confirms.
    """

    verdict: Verdict
    quotes: int
    quoted: int
    checked: int
    findings: tuple[FindingOut, ...]


@router.post(
    "/v1/verify",
    summary="Verify an answer",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def verified(body: VerifyRequest, parts: TheParts) -> VerificationOut:
    """Open the cited versions, current or replaced, and prove or refute every quote, offset, number and support verdict."""
    return VerificationOut.model_validate(await parts.compute(partial(_verified, body, parts)))


def _verified(body: VerifyRequest, parts: Parts) -> Verification:
    if len(body.answer.sentences) > MOST_SENTENCES:
        raise AnswerInvalid(
            f"The answer has {len(body.answer.sentences):,} sentences; at most {MOST_SENTENCES} are verified at once. "
            "Verify it on the command line: quoth verify ANSWER.json"
        )
    return verify(
        answer_of(body.answer.model_dump()),
        Versions(
            parts.service.library,
            [parts.named(body.collection)] if body.collection else parts.names(),
            parts.caller.may_read,
        ),
        parts.service.checker.check,
        enough=SupportPolicy().enough,
    )
