"""Answers a stored question again, with the settings and passages of the stored answer, and reports what changed.

Nothing is searched for: the passages are those of the stored answer, checked against the document versions that it cites. So
a changed answer is due to a model, a prompt or Quoth itself. Documents that have a new version since then are named.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from index.errors import NotFound
from service.answering.answerer import Policy
from service.answering.checking import SupportPolicy
from service.answering.service import Service
from service.audit.versions import Versions
from service.errors import ReplayImpossible
from service.records import MADE_WITH, Answer, Question, Recording
from service.storage.conversations import StoredAnswer


@dataclass(frozen=True, slots=True)
class ReplayChange:
    """One difference. `then` and `now` are shown to people; None: absent then, or absent now."""

    what: str
    then: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Replay:
    """The new answer. `made_with`: changes of models, prompts and documents; `answer_changes`: changes of the answer."""

    answer: Answer
    made_with: tuple[ReplayChange, ...]
    answer_changes: tuple[ReplayChange, ...]


def replay(stored: StoredAnswer, service: Service) -> Replay:
    """Answer again. Raises ReplayImpossible if the answer has no recording, or a version that it was made from is missing."""
    then, recording, present = stored.answer, stored.recording, service.recording
    if recording is None or present is None:
        raise ReplayImpossible(
            f"The answer {then.id!r} was stored by a version of Quoth that did not record how answers are made. "
            "Ask its question again."
        )
    _require_passages(then, Versions(service.library))
    question = Question(then.question, stored.collection, generator=recording.generator, top_k=recording.top_k)
    policy = replace(
        service.answerer.policy,
        threshold=recording.threshold,
        support=SupportPolicy(recording.strict, recording.support_threshold),
    )
    now = _answer_again(then, question, policy, service)
    made_with = [
        *_setup_changes(recording, present),
        *_prompt_changes(then, now),
        *_document_changes(stored, service),
    ]
    return Replay(now, tuple(made_with), tuple(_answer_changes(then, now)))


def _answer_again(then: Answer, question: Question, policy: Policy, service: Service) -> Answer:
    answerer = replace(service.answerer, policy=policy)
    return answerer.from_passages(question, then.rewritten_question, then.passages, then.parts)


def _require_passages(answer: Answer, versions: Versions) -> None:
    for hit in answer.passages:
        chunk = hit.chunk
        document = versions(chunk.document_id, chunk.version)
        if document is None or document.text[chunk.start : chunk.end] != chunk.text:
            raise ReplayImpossible(
                f"The version {chunk.version[:12]} of {hit.uri} is not in any collection here, and the answer "
                f"{answer.id!r} was made from it. Index that version again, or replay it where that version is."
            )


def _setup_changes(then: Recording, now: Recording) -> Iterator[ReplayChange]:
    before, after = asdict(then), asdict(now)
    for name in MADE_WITH:
        if before[name] != after[name]:
            yield ReplayChange(name, str(before[name]), str(after[name]))


def _prompt_changes(then: Answer, now: Answer) -> Iterator[ReplayChange]:
    """The change of the prompts. A replay does not rewrite the follow-up, so an answer without a language model has none."""
    if then.prompt_hash != now.prompt_hash and not (now.prompt_hash is None and then.generator == now.generator):
        yield ReplayChange("prompts", then.prompt_hash, now.prompt_hash)


def _document_changes(stored: StoredAnswer, service: Service) -> Iterator[ReplayChange]:
    """The cited documents that now have another version, which the replay does not use, or are gone."""
    if stored.collection not in service.library.names():
        return
    collection = service.library.open(stored.collection)
    cited = {(citation.document_id, citation.version): citation.uri for citation in stored.answer.citations}
    for (document_id, version), uri in cited.items():
        try:
            current = collection.documents.get(document_id).version
        except NotFound:
            yield ReplayChange(f"document {uri}", version[:12], None)
            continue
        if current != version:
            yield ReplayChange(f"document {uri}", version[:12], current[:12])


def _answer_changes(then: Answer, now: Answer) -> Iterator[ReplayChange]:
    before, after = (
        [_describe_sentence(then, place) for place in _places(then)],
        [_describe_sentence(now, place) for place in _places(now)],
    )
    for sentence in before:
        if sentence not in after:
            yield ReplayChange("sentence", sentence, None)
    for sentence in after:
        if sentence not in before:
            yield ReplayChange("sentence", None, sentence)
    if sorted(before) == sorted(after) and before != after:
        yield ReplayChange("order of the sentences", " ".join(before), " ".join(after))
    for what, one, other in (
        ("refused", str(then.refused), str(now.refused)),
        ("generator", then.generator, now.generator),
        ("confidence", f"{then.confidence:.2f}", f"{now.confidence:.2f}"),
    ):
        if one != other:
            yield ReplayChange(what, one, other)


def _places(answer: Answer) -> range:
    return range(len(answer.sentences))


def _describe_sentence(answer: Answer, place: int) -> str:
    """A sentence with its quotes and whether they support it: what must be the same for the answer to be the same."""
    sentence = answer.sentences[place]
    quotes = {citation.number: citation.quote for citation in answer.citations}
    cited = "; ".join(f"“{quotes[number]}”" for number in sentence.citations)
    doubt = "" if sentence.supported else " (not supported)"
    return f"{sentence.text}{doubt} [{cited}]"
