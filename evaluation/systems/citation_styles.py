"""How the reply of a chat endpoint carries its citations. Pure.

`none`: it has none. `list`: markers such as [2] or [^2] in the text count the entries of a list in the reply (`citations`,
`sources`, `references`, `documents` or `annotations`, beside the message, in it, or in the field `quoth` of another Quoth);
without markers, all entries are cited. `ragflow`: the list is the message's `reference`, which RAGFlow must be asked for;
markers such as [ID:2] count it from 0 or name its keys, and without markers nothing is cited. `json`: the message is itself a
JSON object of the form in `answer`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from evaluation.errors import SystemAnswerInvalid
from evaluation.systems.answer import Source, SystemAnswer, read_answer, says_nothing, source_of
from service.text.plain import without_sources

CitationStyle = Literal["none", "list", "ragflow", "json"]
CITATION_STYLES: tuple[CitationStyle, ...] = get_args(CitationStyle)

_LISTS = ("citations", "sources", "references", "reference", "documents", "annotations")
_MARKER = re.compile(r"\[\^?(\d{1,3})\]")
_ANY_MARKER = re.compile(r"\s*\[\^?\d{1,3}\]")
_RAGFLOW_MARKER = re.compile(r"\[ID:\s*(\d+)\]|##(\d+)\$\$")
_ANY_RAGFLOW_MARKER = re.compile(rf"\s*(?:{_RAGFLOW_MARKER.pattern})")
_FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL)


def read_reply(body: object, style: CitationStyle, where: str) -> SystemAnswer:
    """The answer in the body of a chat completion. Raises SystemAnswerInvalid."""
    choices = body.get("choices") if isinstance(body, Mapping) else None
    message = (
        choices[0].get("message") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    )
    text = message.get("content") if isinstance(message, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(message, Mapping) or not isinstance(text, str):
        said = f" ({body['message']})" if isinstance(body, Mapping) and body.get("message") else ""
        raise SystemAnswerInvalid(
            f"{where}: the reply has no message{said}. Is it an OpenAI-compatible /chat/completions?"
        )
    if style == "json":
        fenced = _FENCE.match(text.strip())
        try:
            return read_answer(json.loads(fenced[1] if fenced else text), where)
        except ValueError as error:
            raise SystemAnswerInvalid(
                f"{where}: the message is no JSON ({error}). Choose another --citations."
            ) from error
    if style == "none":
        return SystemAnswer(text, says_nothing(text))
    if style == "ragflow":
        return _from_ragflow(text, message.get("reference"))
    quoth = body.get("quoth")
    if isinstance(quoth, Mapping):  # its text ends with the list of sources, which is no part of the answer
        text = without_sources(text)
    places = [place for place in (quoth, body, message) if isinstance(place, Mapping)]
    listed = [source for source in _listed(*places) if source is not None]
    numbers = [int(number) for number in dict.fromkeys(_MARKER.findall(text))]
    cited = [listed[number - 1] for number in numbers if 0 < number <= len(listed)] if numbers else listed
    plain = _ANY_MARKER.sub("", text) if listed else text
    return SystemAnswer(plain, says_nothing(plain), citations=tuple(cited), contexts=tuple(listed) or None)


def _from_ragflow(text: str, reference: object) -> SystemAnswer:
    """A reply without a reference says nothing about its sources; one with a reference and no markers cites nothing."""
    chunks = reference.get("chunks") if isinstance(reference, Mapping) else reference
    if isinstance(chunks, list):
        chunks = {str(number): chunk for number, chunk in enumerate(chunks)}
    named = chunks if isinstance(chunks, Mapping) else {}
    sources = {number: source for number, chunk in named.items() if (source := source_of(chunk)) is not None}
    markers = [first or second for first, second in _RAGFLOW_MARKER.findall(text)]
    cited = tuple(sources[number] for number in dict.fromkeys(markers) if number in sources)
    plain = _ANY_RAGFLOW_MARKER.sub("", text)
    contexts = tuple(sources.values())
    return SystemAnswer(plain, says_nothing(plain), citations=cited if contexts else None, contexts=contexts or None)


def _listed(*places: Mapping[str, Any]) -> Iterator[Source | None]:
    for place in reversed(places):
        for name in _LISTS:
            listed = place.get(name)
            if isinstance(listed, Mapping):
                listed = listed.get("chunks", list(listed.values()))
            if isinstance(listed, list) and listed:
                yield from map(source_of, listed)
                return
