"""The four ways to ask another system: a file of answers, a chat endpoint, a command, a Python function."""

import hashlib
import json
import os
import pkgutil
import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import httpx

from evaluation.cases import Case
from evaluation.datasets.records import json_lines
from evaluation.errors import DataInvalid, EndpointUnavailable, SystemAnswerInvalid, TargetInvalid
from evaluation.systems.answer import SystemAnswer, read_answer
from evaluation.systems.citation_styles import CitationStyle, read_reply
from evaluation.targets import chat_messages, without_password

Ask = Callable[[str], object]
"""A function that answers a question: with a text, or an object of the form in `answer`."""

_COMMAND, _PYTHON = "command:", "python:"
_WEB = ("http://", "https://")


class SystemTarget(Protocol):
    """Another system. Thread-safe."""

    def answer(self, case: Case) -> SystemAnswer:
        """Its answer to the question of a case, after the case's history. Raises an EvaluationError."""
        ...

    def describe(self) -> Mapping[str, object]:
        """What the manifest records about it."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


def open_target(
    spec: str,
    *,
    model: str | None = None,
    citations: CitationStyle = "list",
    key: str | None = None,
    timeout_s: float = 120.0,
) -> SystemTarget:
    """The target that a text names: `answers.jsonl`, `https://host/v1`, `command: PROGRAM ...` or `python:module:function`.

    `model`, `citations` and `key` are for an endpoint. Raises TargetInvalid.
    """
    if spec.startswith(_WEB):
        return ChatTarget(spec, model or "default", citations, key, timeout_s)
    if model is not None or key is not None:
        raise TargetInvalid(f"{spec}: a model and a key are for an endpoint (https://host/v1). Leave them out.")
    if spec.startswith(_COMMAND):
        return CommandTarget(shlex.split(spec.removeprefix(_COMMAND)), timeout_s)
    if spec.startswith(_PYTHON):
        return FunctionTarget(_function(spec.removeprefix(_PYTHON)), spec)
    if not Path(spec).is_file():
        raise TargetInvalid(
            f"{spec}: no such file. Name a file of answers, https://host/v1, 'command: PROGRAM' or python:module:function."
        )
    return FileTarget(Path(spec))


class FileTarget:
    """Answers in a file of JSON lines, by the case's `id`. Raises DataInvalid with the line at fault."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._answers: dict[str, SystemAnswer] = {}
        for record in json_lines(file):
            id = record.text("id")
            if id in self._answers:
                raise DataInvalid(file, record.line, f"a second answer to case {id!r}", "Keep one answer for each case")
            self._answers[id] = read_answer(record.value, f"{file}, line {record.line}")

    def answer(self, case: Case) -> SystemAnswer:
        """The answer with the case's id. SystemAnswerInvalid if the file has none."""
        if case.id not in self._answers:
            raise SystemAnswerInvalid(f"{self._file}: no answer to case {case.id!r}. Add a line with this id.")
        return self._answers[case.id]

    def describe(self) -> Mapping[str, object]:
        """The file's name and hash."""
        return {"system": self._file.name, "sha256": hashlib.sha256(self._file.read_bytes()).hexdigest()}

    def close(self) -> None:
        """Nothing is held."""


class ChatTarget:
    """An OpenAI-compatible server at `address`, which ends before /chat/completions; its citations stand in `style`."""

    def __init__(self, address: str, model: str, style: CitationStyle, key: str | None, timeout_s: float) -> None:
        self._address = address.rstrip("/").removesuffix("/chat/completions")
        self._model, self._style = model, style
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=timeout_s)

    def answer(self, case: Case) -> SystemAnswer:
        """The reply to the question after the turns before it."""
        where = f"{without_password(self._address)}/chat/completions"
        try:
            body = {"model": self._model, "messages": chat_messages(case), "temperature": 0, "stream": False}
            if self._style == "ragflow":
                body["extra_body"] = {"reference": True}
            response = self._client.post(f"{self._address}/chat/completions", json=body)
            response.raise_for_status()
            reply = response.json()
        except httpx.HTTPStatusError as error:
            status, text = error.response.status_code, error.response.text[:300]
            raise EndpointUnavailable(f"{where}: status {status}: {text}. Check the server and its log.") from error
        except (httpx.TransportError, ValueError) as error:
            raise EndpointUnavailable(f"{where}: {type(error).__name__}: {error}. Is the server running?") from error
        return read_reply(reply, self._style, where)

    def describe(self) -> Mapping[str, object]:
        """The address without a password, the model and the style of citations."""
        return {"system": without_password(self._address), "model": self._model, "citations": self._style}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class CommandTarget:
    """A program that reads a question on standard input and writes an answer: a text, or JSON of the form in `answer`."""

    def __init__(self, command: list[str], timeout_s: float) -> None:
        if not command:
            raise TargetInvalid("command: names no program. Write 'command: PROGRAM ...'.")
        self._command, self._timeout = command, timeout_s

    def answer(self, case: Case) -> SystemAnswer:
        """What the program writes; CASE_ID and CASE_HISTORY (JSON) are in its environment."""
        turns = [{"question": turn.question, "answer": turn.answer} for turn in case.history]
        given = {**os.environ, "CASE_ID": case.id, "CASE_HISTORY": json.dumps(turns)}
        try:
            ran = subprocess.run(
                self._command,
                input=case.question,
                capture_output=True,
                text=True,
                timeout=self._timeout,
                check=True,
                env=given,
            )
        except subprocess.CalledProcessError as error:
            message = error.stderr.strip()[-300:] or "without a message"
            raise SystemAnswerInvalid(
                f"{self._command[0]} ended with {error.returncode}: {message}. Run it by hand."
            ) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SystemAnswerInvalid(f"{self._command[0]}: {error}. Run it by hand.") from error
        written = ran.stdout.strip()
        return read_answer(json.loads(written) if written.startswith("{") else written, self._command[0])

    def describe(self) -> Mapping[str, object]:
        """The command."""
        return {"system": shlex.join(self._command)}

    def close(self) -> None:
        """Nothing is held."""


class FunctionTarget:
    """A Python function that takes a question and returns a text or an object of the form in `answer`."""

    def __init__(self, ask: Ask, name: str) -> None:
        self._ask, self._name = ask, name

    def answer(self, case: Case) -> SystemAnswer:
        """What the function returns."""
        return read_answer(self._ask(case.question), self._name)

    def describe(self) -> Mapping[str, object]:
        """The function's name."""
        return {"system": self._name}

    def close(self) -> None:
        """Nothing is held."""


def _function(name: str) -> Ask:
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise TargetInvalid(f"python:{name}: {error}. Write python:module:function, importable from here.") from error
    if not callable(found):
        raise TargetInvalid(f"python:{name} is no function. Write python:module:function.")
    ask: Ask = found
    return ask
