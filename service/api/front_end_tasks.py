"""What chat front ends ask by themselves: a title or tags for a conversation, follow-up questions, completions of typed text.

Open WebUI, LibreChat, LobeChat and others send such a task to the model that a person talks to, with the conversation inside.
It is no question to the documents. A task is recognised by two things together, which a person's question about titles or tags
does not have: an instruction about the conversation itself, and a form for the output, made for a program. Pure.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from service.api.schemas.openai import CompletionRequest, Message

_HEAD, _TAIL = 4000, 1500  # where in a message an instruction stands, in code points; between lies the conversation
_FIRST_SENTENCES = 4  # of a message without tags, in which the instruction stands: not somewhere in a pasted text
_LAST_BLOCKS = 8  # paragraphs at the end of a message, in which the instruction stands if the conversation comes first
_OPENING_TAG, _CLOSING_TAG = "<chat_history>", "</chat_history>"

_LIST_ITEM = re.compile(r"\n\s{0,8}(?:\d\.|[-*])\s+")
_SENTENCE = re.compile(r"[^.!?\n]{8,400}[.!?]?")
_VERB = re.compile(
    r"\b(?:create|generate|write|provide|suggest|propose|produce|make|give|compose|come up with|return|summari[sz]e|extracts?"
    r"|analy[sz]e)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\s*(?:what|which|who|whose|where|when|why|how|is|are|was|were|do|does|did|can|could)\b", re.IGNORECASE
)
_CONVERSATION = re.compile(
    r"\b(?:chat|conversation|dialogue|dialog|discussion|assistant message)\b"
    r"|\b(?:previous|following|above|first|user|user's)\s(?:user\s)?(?:query|message|prompt|question)\b",
    re.IGNORECASE,
)
_TITLE = re.compile(r"\b(?:title|header|heading|headline)\b", re.IGNORECASE)
_LIST = re.compile(r"\b(?:tags|follow[- ]?ups?|suggestions|search queries)\b", re.IGNORECASE)
_FORM = re.compile(
    r"\b\w{1,9}(?:\s?[-–]\s?|\sto\s|\sor\s)\w{1,9}[-\s]words?\b"  # 3-5 word
    r"|\b\w{1,9}[-\s]words?\b[-\s,](?:or|at|max)"  # 5 words or less
    r"|\b(?:maximum|max|most|up to|under|within|more than|less than|fewer than|longer than)(?:\sof)?\s\w{1,9}\s(?:words|char)"
    r"|\bonly\s(?:return|respond|output|reply|the title)\b|\b(?:return|respond|output|reply)\b[^.\n]{0,30}\bonly\b"
    r"|\b(?:no|not|without|avoid|don't)\b[^.\n]{0,60}\b(?:quotes|quotation|punctuation|formatting)\b"
    r"|\bJSON\b|<chat_history>|^#{2,4}\s(?:Task|Output|Chat History)\b",
    re.IGNORECASE | re.MULTILINE,
)
_JSON_OBJECT = re.compile(r'\{\s*"(\w{1,40})"\s*:\s*([\["])')
_JSON_ARRAY = re.compile(r"\bJSON array\b", re.IGNORECASE)
_EMOJI = re.compile(r"\bfacial expression\b[^.\n]{0,60}\bemoji\b", re.IGNORECASE)
_TASK_HEADING = "### Task"
_TOOLS = "Available Tools:"

_SPEAKER = re.compile(
    r"^[ \t]*(?:\|\|>|<)?(user_message|user|human|assistant_message|assistant|ai|response)(?:>|[ \t]?:)[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_PERSON = ("user", "user_message", "human")
_LEAD_IN = re.compile(r"(?:here is|this is|below is)\b[^:\n]{0,80}:\s*", re.IGNORECASE)
_TAG = re.compile(r"<sender>\w{1,20}</sender>|</?\w{1,20}>")
_WHAT_IS = re.compile(
    r"(?:what|who|where|which)(?:'s| is| are| was| were)\s+(?:the\s+|an?\s+)?(?=\S+\s+\S)", re.IGNORECASE
)
_NO_LAST_WORDS = frozenset("a an and are at by do does for from in is of on or the to was were with".split())
_BEGINNING = 20_000  # of a conversation, in which the person's first words stand
_TITLE_WORDS, _TITLE_CHARACTERS = 5, 60


@dataclass(frozen=True, slots=True)
class _Task:
    """What a front end wants: a title of the conversation; or something else, whose form the instruction shows."""

    kind: Literal["title", "tool", "emoji", "other"]
    instruction: str
    conversation: str = ""


def front_end_reply(request: CompletionRequest) -> str | None:
    """The reply to a front end's own task, in the form that it asks for; None if the request is a person's question.

    A title is the beginning of the person's first question. Tags, follow-up questions, search queries, tool calls and
    completions are empty: without a language model they would be guesses.
    """
    task = _task(request.messages)
    if task is None:
        return None
    if task.kind == "emoji":
        return "🙂"
    if task.kind == "tool":
        return '{"tool_calls": []}' if "tool_calls" in task.instruction else ""
    return _in_form(_title(task.conversation) if task.kind == "title" else "", task, request)


def _task(messages: Sequence[Message]) -> _Task | None:
    asked = [message.text for message in messages if message.role == "user"]
    if not asked or messages[-1].role == "assistant":
        return None
    *earlier, last = asked
    for system in (message.text for message in messages if message.role in ("system", "developer")):
        if system.startswith(_TOOLS):
            return _Task("tool", system)
        kind = _kind(system[:_HEAD], _FIRST_SENTENCES) if not earlier else None
        if kind is not None:
            return _Task(kind, system[:_HEAD], system if _SPEAKER.search(system) else last)
    if _EMOJI.search(last[:_HEAD]):
        return _Task("emoji", last[:_HEAD])
    return _task_in_tags(last) or _task_in_words(last, earlier)


def _task_in_tags(text: str) -> _Task | None:
    """The task of a message that has the conversation in tags, as Open WebUI sends it."""
    end = text.rfind(_CLOSING_TAG)
    start = text.rfind(_OPENING_TAG, 0, max(end, 0))
    if start < 0:
        return None
    instruction = f"{text[:start][:_HEAD]}\n{_OPENING_TAG}\n{text[end:][-_TAIL:]}"
    kind = _kind(instruction)
    if kind is None and "JSON" in instruction and _JSON_OBJECT.search(instruction):
        kind = "other"  # completions of what is typed, prompts for images
    return _Task(kind, instruction, text[start + len(_OPENING_TAG) : end]) if kind else None


def _task_in_words(text: str, earlier: Sequence[str]) -> _Task | None:
    """The task of a message without tags: the conversation follows, comes first ("Here is the query: ..."), or is `earlier`."""
    kind = _kind(text[:_HEAD], _FIRST_SENTENCES)
    if kind is not None:
        inside = text if _SPEAKER.search(text) else text.partition(": ")[2] or text.partition(":\n")[2]
        return _Task(kind, text[:_HEAD], earlier[0] if earlier and inside != text else inside)
    lead_in = _LEAD_IN.match(text)
    blocks = text.split("\n\n") if lead_in else []
    for place in range(max(1, len(blocks) - _LAST_BLOCKS), len(blocks)):
        instruction = "\n\n".join(blocks[place:])[:_HEAD]
        kind = _kind(instruction, 1)
        if lead_in and kind is not None:
            return _Task(kind, instruction, "\n\n".join(blocks[:place])[lead_in.end() :])
    return None


def _kind(instruction: str, sentences: int | None = None) -> Literal["title", "other"] | None:
    """The kind of task that the first `sentences` of the instruction ask for, or all of them; None for no task."""
    if not _FORM.search(instruction):
        return None
    for sentence in _SENTENCE.findall(_LIST_ITEM.sub("; ", instruction))[:sentences]:
        about = sentence if not instruction.startswith(_TASK_HEADING) else instruction
        if _VERB.search(sentence) and _CONVERSATION.search(about) and not _ASKS.match(sentence):
            if _TITLE.search(sentence):
                return "title"
            if _LIST.search(sentence):
                return "other"
    return None


def _title(conversation: str) -> str:
    """The beginning of what the person says first in the conversation."""
    words = _TAG.sub(" ", _first_words(conversation)).strip(" \n\t\"'“”`")
    words = _WHAT_IS.sub("", next((line.strip() for line in words.splitlines() if line.strip()), ""), count=1)
    kept: list[str] = words.split()[:_TITLE_WORDS]
    while len(kept) > 1 and (kept[-1].lower() in _NO_LAST_WORDS or len(" ".join(kept)) > _TITLE_CHARACTERS):
        kept.pop()
    title = " ".join(kept)[:_TITLE_CHARACTERS].strip(" \"'“”`#*_.,;:!?")
    return f"{title[:1].upper()}{title[1:]}" if title else "Conversation"


def _first_words(conversation: str) -> str:
    """What the person says first; all of a conversation in which no speaker is named."""
    return next(
        (words for speaker, words in _turns(conversation) if words and speaker in _PERSON), conversation[:_BEGINNING]
    )


def _turns(conversation: str) -> Iterator[tuple[str, str]]:
    conversation = conversation[:_BEGINNING]
    marks = list(_SPEAKER.finditer(conversation))
    ends = [*(mark.start() for mark in marks[1:]), len(conversation)]
    for mark, end in zip(marks, ends, strict=False):
        yield mark[1].lower(), conversation[mark.end() : end].strip()


def _in_form(text: str, task: _Task, request: CompletionRequest) -> str:
    """`text` in the form that the task shows, or else `response_format`; lists in it are empty."""
    shown = _JSON_OBJECT.search(task.instruction)
    schema = request.response_format.json_schema if request.response_format else None
    if shown:
        return json.dumps({shown[1]: [] if shown[2] == "[" else text}, ensure_ascii=False)
    if schema is not None:
        return json.dumps(_filled(schema.get("schema", schema), text), ensure_ascii=False)
    if _JSON_ARRAY.search(task.instruction):
        return "[]"
    if request.wants_json:
        return json.dumps({"title": text} if text else {}, ensure_ascii=False)
    return text


def _filled(schema: Any, text: str) -> dict[str, Any]:
    """An object with the properties of a JSON schema: `title` is `text`, everything else is empty."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    empty = {"array": [], "object": {}, "boolean": False, "integer": 0, "number": 0}
    return {
        name: text if name == "title" else empty.get(str(kind.get("type")) if isinstance(kind, dict) else "", "")
        for name, kind in (properties if isinstance(properties, dict) else {}).items()
    }
