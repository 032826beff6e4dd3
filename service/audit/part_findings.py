"""Checks the parts of an answer: that they hold its sentences, and that what is said to be missing is a part. Pure."""

from collections.abc import Iterator

from service.audit.findings import AnswerFault, Finding
from service.parts.missing import is_missing_sentence
from service.records import Answer


def part_findings(answer: Answer) -> Iterator[Finding]:
    """Check that each sentence belongs to parts as its kind says, and that a part is refused only without a statement."""
    owners: dict[int, list[int]] = {}
    for number, part in enumerate(answer.parts):
        inside = [place for place in part.sentences if 0 <= place < len(answer.sentences)]
        for place in inside:
            owners.setdefault(place, []).append(number)
        is_stated = any(answer.sentences[place].kind == "stated" for place in inside)
        if part.refused == is_stated or len(inside) < len(part.sentences):
            yield Finding(
                f"part {number + 1}",
                AnswerFault.PARTS_DIFFER,
                "A part is refused if no sentence states its answer, and its sentences are those of the answer.",
                claimed=part.question,
            )
    for place, sentence in enumerate(answer.sentences):
        if sentence.kind != "missing":
            continue
        named = [answer.parts[number].question for number in owners.get(place, ())]
        if sentence.citations or not any(is_missing_sentence(sentence.text, question) for question in named):
            yield Finding(
                f"sentence {place + 1}",
                AnswerFault.PARTS_DIFFER,
                "A sentence that names a missing part cites nothing and names a part without an answer.",
                claimed=sentence.text,
            )
