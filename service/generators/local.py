"""The generator `local`: a language model in this process, any causal model that transformers loads, also GGUF files."""

import importlib.util
import inspect
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from jinja2 import TemplateError

from service.errors import GeneratorUnavailable, SettingsInvalid
from service.generators.budget import TokenBudget, fit_passages
from service.generators.protocol import LINE_TOKENS, Completion, Draft, Passage, Report
from service.generators.stream_parser import parse_drafts
from service.progress import current_stages
from service.prompts import Messages, Prompts
from service.records import Usage
from service.text.thoughts import without_thoughts

_GGUF = ".gguf"
_GGUF_PACKAGES = ("gguf", "accelerate")
_HALF_WRITTEN = "\ufffd"  # what a decoder makes of the first bytes of a character


@dataclass(slots=True)
class _Reply:
    read: int = 0
    written: int = 0
    cut: bool = False


class LocalGenerator:
    """A generator and language model in this process. Thread-safe; CPU-bound. Loaded with the first question, or by `load`.

    `model` is a folder, a GGUF file, or a name on the Hugging Face hub. `temperature` 0 always takes the most probable
    token. `line_s` is the longest wait for the reply of `complete`, not counting the loading. Raises SettingsInvalid for a
    path without a model, and for a GGUF file if the packages that read it are missing.
    """

    name = "local"

    def __init__(
        self, model: str, budget: TokenBudget, prompts: Prompts, temperature: float = 0.0, line_s: float = 15.0
    ) -> None:
        _check_model_path(model)
        self._model_name = model
        self._budget = budget
        self._prompts = prompts
        self._temperature = temperature
        self._line_s = line_s
        self._loading = Lock()
        self._model: Any = None
        self._cache_name = ""
        self._tokenizer: Any = None

    def load(self) -> None:
        """Load the model unless it is loaded. Raises SettingsInvalid when it cannot be loaded."""
        with self._loading:
            if self._model is not None:
                return
            # transformers takes 2.3 s to import (measured): only users of this generator wait for it
            from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

            path = Path(self._model_name)
            source, file = (str(path.parent), path.name) if path.suffix.lower() == _GGUF else (self._model_name, None)
            dtype = "auto" if file is None else torch.float32  # GGUF weights stay packed, which is fastest
            try:
                self._tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=file)
                model: Any = AutoModelForCausalLM.from_pretrained(source, gguf_file=file, dtype=dtype)
                self._cache_name = _cache_name(model)
                self._model = model.eval()
            except Exception as error:
                reason = str(error).strip().partition("\n")[0][:300]
                raise SettingsInvalid(
                    f"llm_model = {self._model_name!r} cannot be loaded: {reason} "
                    "Name a folder or GGUF file with a causal language model."
                ) from error

    def generate(
        self, question: str, passages: Sequence[Passage], parts: Sequence[str] = ()
    ) -> Iterator[Draft | Report]:
        """Yield each sentence as soon as it is written, then the Report. Closing the iterator stops the model."""
        self.load()
        context = getattr(self._model.config, "max_position_embeddings", self._budget.context)
        budget = TokenBudget(min(self._budget.context, context), self._budget.answer)
        messages, shown = fit_passages(question, passages, self._prompts, budget.room, self.tokens, parts)
        reply = _Reply()
        pieces = self._pieces(self._prompt(messages), reply, self._budget.answer, self._temperature)
        failure: GeneratorUnavailable | None = None
        try:
            yield from parse_drafts(pieces, shown, lambda: reply.cut)
        except GeneratorUnavailable as error:
            failure = error
        yield Report(
            self._prompts.hash, Usage(reply.read, reply.written), tuple(self._notes(reply, len(passages) - shown))
        )
        if failure:
            raise failure

    def tokens(self, text: str) -> int:
        """See LanguageModel."""
        self.load()
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def complete(self, messages: Messages) -> Completion:
        """See LanguageModel."""
        self.load()
        reply = _Reply()
        until = time.monotonic() + self._line_s
        pieces = self._stop_at(self._pieces(self._prompt(messages), reply, LINE_TOKENS, 0.0), until)
        text = "".join(without_thoughts(pieces, lambda: reply.cut, whole=True))
        return Completion(text, Usage(reply.read, reply.written))

    def _stop_at(self, pieces: Iterator[str], until: float) -> Iterator[str]:
        for piece in pieces:
            if time.monotonic() > until:
                raise GeneratorUnavailable(
                    f"The language model did not answer in time (llm_rewrite_timeout_s = {self._line_s:g})."
                )
            yield piece

    def _notes(self, reply: _Reply, left_out: int) -> Iterator[str]:
        if left_out:
            yield f"The language model's context held {left_out} fewer passages than were found."
        if reply.cut:
            yield f"The language model was stopped after {self._budget.answer:,} tokens; the end may be missing."

    def _prompt(self, messages: Messages) -> torch.Tensor:
        """Token ids (1, n) by the model's chat template; a model without a template gets the messages as plain text."""
        both = f"{messages.instructions}\n\n{messages.request}"
        if self._tokenizer.chat_template is None:
            ids = self._tokenizer(f"{both}\n\n", return_tensors="pt")["input_ids"]
        else:
            system = [
                {"role": "system", "content": messages.instructions},
                {"role": "user", "content": messages.request},
            ]
            try:
                ids = self._apply_template(system)
            except TemplateError:  # some templates have no system message
                ids = self._apply_template([{"role": "user", "content": both}])
        assert isinstance(ids, torch.Tensor)
        return ids

    def _apply_template(self, conversation: list[dict[str, str]]) -> Any:
        return self._tokenizer.apply_chat_template(
            conversation, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )["input_ids"]

    def _pieces(self, prompt: torch.Tensor, reply: _Reply, max_tokens: int, temperature: float) -> Iterator[str]:
        """Generate at most `max_tokens` tokens and yield their text as it is decoded, never half a character."""
        ends = self._end_tokens()
        reply.read = prompt.shape[1]
        written: list[int] = []
        shown, settled = 0, 0  # tokens passed on as text; tokens before them that decoding may need
        cache = None
        ids = prompt.to(self._model.device)
        stages = current_stages()
        while len(written) < max_tokens:
            stages.raise_if_stopped()
            with torch.inference_mode():
                output = self._model(input_ids=ids, use_cache=True, logits_to_keep=1, **{self._cache_name: cache})
            cache = output[self._cache_name]
            token = _next_token(output.logits[0, -1], temperature)
            reply.written += 1
            if token in ends:
                return
            written.append(token)
            ids = torch.tensor([[token]], device=self._model.device)
            before, after = self._decode(written[settled:shown]), self._decode(written[settled:])
            if len(after) > len(before) and not after.endswith(_HALF_WRITTEN):
                settled, shown = shown, len(written)
                yield after[len(before) :]
        reply.cut = True

    def _decode(self, tokens: list[int]) -> str:
        text = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert isinstance(text, str)
        return text

    def _end_tokens(self) -> frozenset[int]:
        named = getattr(self._model.generation_config, "eos_token_id", None)
        several = named if isinstance(named, list) else [named]
        return frozenset(token for token in [*several, self._tokenizer.eos_token_id] if token is not None)


def _cache_name(model: Any) -> str:
    """The keyword for the keys and values of earlier tokens: transformers renamed `past_key_values` to `cache` in 5.24."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


def _next_token(logits: torch.Tensor, temperature: float) -> int:
    if temperature == 0:
        return int(logits.argmax())
    return int(torch.multinomial(torch.softmax(logits.float() / temperature, dim=-1), 1))


def _check_model_path(model: str) -> None:
    path = Path(model)
    if path.suffix.lower() == _GGUF:
        if not path.is_file():
            raise SettingsInvalid(f"llm_model = {model!r}: there is no such file. Give the path of a GGUF file.")
        missing = [package for package in _GGUF_PACKAGES if importlib.util.find_spec(package) is None]
        if missing:
            raise SettingsInvalid(
                f"llm_model = {model!r} is a GGUF file; to read it, run: pip install {' '.join(missing)}"
            )
    elif path.is_dir() and not (path / "config.json").is_file():
        raise SettingsInvalid(
            f"llm_model = {model!r} is a folder without config.json. Give the folder that holds the model itself."
        )
    elif path.is_absolute() and not path.exists():
        raise SettingsInvalid(f"llm_model = {model!r}: there is no such folder. Give the folder of a model.")
