"""POST /v1/verify: prove or refute an earlier answer."""

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter

from service.access.caller import Scope
from service.answer_json import answer_of
from service.answering.checking import SupportPolicy
from service.api.dependencies import TheSession, needs
from service.api.problems import problem_responses
from service.audit.verification import Verification, verify
from service.audit.versions import Versions
from service.errors import AnswerInvalid
from service.schemas.verification import VerificationOut, VerifyRequest
from service.session.session import Session

MAX_SENTENCES = 500  # each may need the checker; no language model writes so many for one question

router = APIRouter(tags=["answers"], dependencies=[needs(Scope.ASK)])


@router.post(
    "/v1/verify",
    summary="Verify an answer",
    responses=problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def verified(body: VerifyRequest, session: TheSession) -> VerificationOut:
    """Open the cited versions, current or replaced, and prove or refute every quote, offset, number and support verdict."""
    return VerificationOut.model_validate(await session.compute(partial(_verify, body, session)))


def _verify(body: VerifyRequest, session: Session) -> Verification:
    if len(body.answer.sentences) > MAX_SENTENCES:
        raise AnswerInvalid(
            f"The answer has {len(body.answer.sentences):,} sentences; at most {MAX_SENTENCES} are verified at once. "
            "Verify it on the command line: quoth verify ANSWER.json"
        )
    return verify(
        answer_of(body.answer.model_dump()),
        Versions(
            session.service.library,
            [session.collection_name(body.collection)] if body.collection else session.collection_names(),
            session.caller.may_read,
        ),
        session.service.checker.check,
        min_support=SupportPolicy().min_support,
    )
