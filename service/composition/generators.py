"""Settings -> the generators that can word answers, and the rewriters of follow-ups, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.errors import SettingsInvalid
from service.followups.rewriter import Rewriter
from service.generators.budget import TokenBudget
from service.generators.extractive import ExtractiveGenerator
from service.generators.protocol import LINE_TOKENS, Generator
from service.prompts import load_prompts
from service.settings import Settings

# The client of `remote` takes 0.1 s to import, what `local` needs 2.3 s (measured): only those who configure them wait.
# ruff: noqa: PLC0415


@dataclass(frozen=True, slots=True)
class Generators:
    """The available generators by name, and the rewriters of those that are language models, by the same names."""

    generators: Mapping[str, Generator]
    rewriters: Mapping[str, Rewriter] = field(default_factory=dict)


def make_generators(settings: Settings) -> Generators:
    """`extractive` always; `remote` with a base URL and a model; `local` with a model and no base URL.

    Raises SettingsInvalid if `settings.generator` is not among them, or a prompt or model cannot be used.
    """
    if settings.llm_base_url and not settings.llm_base_url.startswith(("http://", "https://")):
        raise SettingsInvalid(
            f"llm_base_url = {settings.llm_base_url!r} is not a URL. Give all of it, for example http://localhost:11434/v1."
        )
    available: dict[str, Generator] = {ExtractiveGenerator.name: ExtractiveGenerator()}
    rewriters: dict[str, Rewriter] = {}
    prompts = load_prompts(settings.prompts_folder)
    budget = TokenBudget(settings.llm_context_tokens, settings.llm_max_tokens)
    line = TokenBudget(settings.llm_context_tokens, LINE_TOKENS)
    if settings.llm_model and budget.room <= 0:
        raise SettingsInvalid(
            f"llm_context_tokens = {budget.context} leaves no room for passages beside llm_max_tokens = {budget.answer}. "
            "Raise the first, or lower the second."
        )
    if settings.llm_model and settings.llm_base_url:
        from service.generators.openai_client import ModelEndpoint
        from service.generators.remote import RemoteGenerator

        server = ModelEndpoint.of(settings)
        assert server is not None
        remote = RemoteGenerator(server, budget, prompts, settings.llm_temperature, settings.llm_rewrite_timeout_s)
        available[RemoteGenerator.name] = remote
        rewriters[RemoteGenerator.name] = Rewriter(remote, prompts, line.room)
    elif settings.llm_model:
        from service.generators.local import LocalGenerator

        local = LocalGenerator(
            settings.llm_model, budget, prompts, settings.llm_temperature, settings.llm_rewrite_timeout_s
        )
        available[LocalGenerator.name] = local
        rewriters[LocalGenerator.name] = Rewriter(local, prompts, line.room)
    if settings.generator not in available:
        needed = "llm_base_url and llm_model" if settings.generator == "remote" else "llm_model and no llm_base_url"
        raise SettingsInvalid(f"generator = {settings.generator!r} needs {needed}. Set them, or take `extractive`.")
    return Generators(available, rewriters if settings.llm_rewrite else {})
