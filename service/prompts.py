"""Loads the prompts in prompts/ and fills them in: the messages for a language model. No prompt is written in code.

A placeholder is a name in double braces. Every prompt must use exactly the placeholders that it is given: an unknown or
missing one is an error when the prompts are loaded, not when a question is asked. The hash of the files that were used is
part of every Answer.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from secrets import token_hex

from service.errors import SettingsInvalid
from service.records import Turn

SUFFIX = ".txt"
_PLACEHOLDERS: Mapping[str, frozenset[str]] = {
    "answer_instructions": frozenset({"refusal", "fence"}),
    "answer_passage": frozenset({"number", "title", "text"}),
    "answer_request": frozenset({"fence", "passages", "question"}),
    "answer_parts": frozenset({"question", "parts"}),
    "rewrite_instructions": frozenset({"fence"}),
    "rewrite_turn": frozenset({"question", "answer"}),
    "rewrite_request": frozenset({"fence", "turns", "question"}),
}
_PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_CONTROL = re.compile(
    r"<(?=\|[^|<>\n]{1,40}\|>|/?s>|/?think>|(?:start|end)_of_turn>|/?SYS>>|[｜][^<>\n]{1,40}>|/?(?:passages|conversation)-)|\[(?=/?INST\])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Messages:
    """What a model is sent: the standing instructions (system) and the request (user)."""

    instructions: str
    request: str


@dataclass(frozen=True, slots=True)
class NumberedPassage:
    """A passage as a model sees it: its text under its title. Its number is its position in the list, from 1."""

    title: str
    text: str


@dataclass(frozen=True)
class Prompts:
    """The prompts by name, as loaded by `load_prompts`; `hash` is the SHA-256 of their names and contents, in hex."""

    texts: Mapping[str, str]

    @property
    def hash(self) -> str:
        """Identifies the prompts that were sent: it covers the files, not the values that were filled in."""
        digest = sha256()
        for name in sorted(self.texts):
            digest.update(f"{name}\n{len(self.texts[name])}\n{self.texts[name]}\n".encode())
        return digest.hexdigest()

    def answer(
        self,
        question: str,
        passages: Sequence[NumberedPassage],
        refusal: str,
        fence: str | None = None,
        parts: Sequence[str] = (),
    ) -> Messages:
        """The messages that ask for an answer. `parts` are the parts of a question of several.

        `fence` marks where passages begin and end. It is random unless given, so that no document can close it. Control
        tokens of chat templates (`<|im_end|>`, `[INST]` ...) are broken up in the passages and the question.
        """
        fence = fence or token_hex(6)
        shown = "\n\n".join(
            self._fill(
                "answer_passage",
                number=str(number),
                title=break_control_words(passage.title),
                text=break_control_words(passage.text),
            )
            for number, passage in enumerate(passages, 1)
        )
        asked = break_control_words(question)
        if parts:
            listed = "\n".join(f"- {break_control_words(part)}" for part in parts)
            asked = self._fill("answer_parts", question=asked, parts=listed)
        return Messages(
            self._fill("answer_instructions", refusal=refusal, fence=fence),
            self._fill("answer_request", fence=fence, passages=shown.strip(), question=asked),
        )

    def rewrite(self, question: str, turns: Sequence[Turn], fence: str | None = None) -> Messages:
        """The messages that ask to rewrite `question`, asked after `turns`, so that it stands alone. `fence`: see `answer`."""
        fence = fence or token_hex(6)
        shown = "\n\n".join(
            self._fill(
                "rewrite_turn", question=break_control_words(turn.question), answer=break_control_words(turn.answer)
            )
            for turn in turns
        )
        return Messages(
            self._fill("rewrite_instructions", fence=fence),
            self._fill("rewrite_request", fence=fence, turns=shown, question=break_control_words(question)),
        )

    def _fill(self, name: str, **values: str) -> str:
        return fill(self.texts[name], values)


def load_prompts(folder: Path | None = None) -> Prompts:
    """The prompts that ship with Quoth, each replaced by the file of the same name in `folder` if there is one.

    Raises SettingsInvalid for a missing folder, a file that replaces no prompt, a file that is not UTF-8, and unknown or
    missing placeholders.
    """
    texts = {name: shipped_prompt(name, placeholders) for name, placeholders in _PLACEHOLDERS.items()}
    for path in [] if folder is None else _prompt_files(folder):
        texts[path.stem] = _read(path)
        _check(str(path), texts[path.stem], _PLACEHOLDERS[path.stem])
    return Prompts(texts)


def shipped_prompt(name: str, placeholders: Collection[str]) -> str:
    """The text of prompts/NAME.txt. Raises SettingsInvalid when it does not use exactly these placeholders."""
    text = (files("prompts") / f"{name}{SUFFIX}").read_text(encoding="utf-8")
    _check(f"prompts/{name}{SUFFIX}", text, frozenset(placeholders))
    return text


def fill(text: str, values: Mapping[str, str]) -> str:
    """The prompt with each placeholder replaced by its value; braces inside a value are not replaced."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text).strip()


def _prompt_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SettingsInvalid(f"prompts_folder = {str(folder)!r} is no folder. Create it, or remove the setting.")
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    for path in paths:
        if not (files("prompts") / path.name).is_file():
            raise SettingsInvalid(
                f"{path} replaces no prompt. The prompts are {', '.join(f'{name}{SUFFIX}' for name in _PLACEHOLDERS)}. "
                "Rename the file, or remove it."
            )
    return [path for path in paths if path.stem in _PLACEHOLDERS]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsInvalid(f"{path} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error


def _check(source: str, text: str, expected: frozenset[str]) -> None:
    used = set(_PLACEHOLDER.findall(text))
    unknown, missing = sorted(used - expected), sorted(expected - used)
    names = ", ".join(f"{{{{{name}}}}}" for name in sorted(expected))
    if unknown:
        raise SettingsInvalid(f"{source} has the unknown placeholder {{{{{unknown[0]}}}}}. It must use {names}.")
    if missing:
        raise SettingsInvalid(f"{source} lacks the placeholder {{{{{missing[0]}}}}}. It must use {names}.")


def break_control_words(text: str) -> str:
    """The text with a blank inside every control token of a chat template and everything that looks like a fence."""
    return _CONTROL.sub(lambda match: f"{match.group()} ", text)
