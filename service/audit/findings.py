"""AnswerFault and Finding: what is wrong with an answer."""

from dataclasses import dataclass
from enum import StrEnum


class AnswerFault(StrEnum):
    """The kinds of errors in an answer; the values are stable names for programs."""

    VERSION_MISSING = "version-missing"
    OFFSETS_INVALID = "offsets-invalid"
    QUOTE_DIFFERS = "quote-differs"
    SOURCE_DIFFERS = "source-differs"
    PAGE_DIFFERS = "page-differs"
    HIGHLIGHT_OUTSIDE = "highlight-outside"
    PASSAGE_DIFFERS = "passage-differs"
    NUMBERS_DIFFER = "numbers-differ"
    TEXT_DIFFERS = "text-differs"
    SUPPORT_DIFFERS = "support-differs"
    PARTS_DIFFER = "parts-differ"
    DERIVATION_DIFFERS = "derivation-differs"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: `claimed` is what the answer says, `found` what the documents or the check say instead."""

    subject: str
    fault: AnswerFault
    message: str
    claimed: str | None = None
    found: str | None = None
