"""What a stream yields, and server-sent events -> that."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from index.records import Hit
from service.answer_json import answer_of, citation_of, hit_of, sentence_of
from service.client.problems import Unavailable, problem
from service.records import Answer, Citation, Sentence


@dataclass(frozen=True, slots=True)
class Passages:
    """Stream event: what is being read for the question, best first."""

    passages: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Stream event: a checked sentence, with the citations that it is the first to use."""

    sentence: Sentence
    citations: tuple[Citation, ...]


Event = Passages | Told | Answer
"""What a stream yields; the whole Answer comes last."""


class Events:
    """Lines of server-sent events -> events."""

    def __init__(self) -> None:
        self._name = ""
        self._data: list[str] = []
        self._whole = False

    def feed(self, line: str) -> Iterable[Event]:
        """The event that ends with this line, if one does."""
        name, _, value = line.partition(":")
        if line:
            if name == "event":
                self._name = value.strip()
            elif name == "data":
                self._data.append(value.removeprefix(" "))
            return ()
        if not self._data:
            return ()
        data = json.loads("\n".join(self._data))
        self._data = []
        return (self._event(data),)

    def end(self) -> None:
        """Raise Unavailable when the stream stopped before its answer."""
        if not self._whole:
            raise Unavailable("The stream broke off before the answer was whole. Ask again.")

    def _event(self, data: Any) -> Event:
        if self._name == "passages":
            return Passages(tuple(hit_of(hit) for hit in data["passages"]))
        if self._name == "sentence":
            return Told(sentence_of(data["sentence"]), tuple(citation_of(one) for one in data["citations"]))
        if self._name == "answer":
            self._whole = True
            return answer_of(data)
        raise problem(int(data["status"]), data, None)
