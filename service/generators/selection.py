"""Settings -> the generators that can be asked for, by name."""

from service.errors import SettingsInvalid
from service.generators.budget import Budget
from service.generators.draft import Generator
from service.generators.extractive import Extractive
from service.prompts import load_prompts
from service.settings import Settings

# The client of `remote` takes 0.5 s to import, what `local` needs 2.3 s (measured): only who sets them waits for them.
# ruff: noqa: PLC0415


def generators(settings: Settings) -> dict[str, Generator]:
    """`extractive` always; `remote` with a base URL and a model; `local` with a model and no base URL.

    Raises SettingsInvalid when the one that `settings.generator` names is not among them, or a prompt or model cannot be used.
    """
    if settings.llm_base_url and not settings.llm_base_url.startswith(("http://", "https://")):
        raise SettingsInvalid(
            f"llm_base_url = {settings.llm_base_url!r} is no URL. Give it whole, for example http://localhost:11434/v1."
        )
    available: dict[str, Generator] = {Extractive.name: Extractive()}
    prompts = load_prompts(settings.prompts_folder)
    budget = Budget(settings.llm_context_tokens, settings.llm_max_tokens)
    if settings.llm_model and budget.room <= 0:
        raise SettingsInvalid(
            f"llm_context_tokens = {budget.context} leaves no room for passages beside llm_max_tokens = {budget.answer}. "
            "Raise the first, or lower the second."
        )
    if settings.llm_model and settings.llm_base_url:
        from service.generators.remote import Remote
        from service.generators.server import Server

        server = Server.of(settings)
        assert server is not None
        available[Remote.name] = Remote(server, budget, prompts, settings.llm_temperature)
    elif settings.llm_model:
        from service.generators.local import Local

        available[Local.name] = Local(settings.llm_model, budget, prompts, settings.llm_temperature)
    if settings.generator not in available:
        needed = "llm_base_url and llm_model" if settings.generator == "remote" else "llm_model and no llm_base_url"
        raise SettingsInvalid(f"generator = {settings.generator!r} needs {needed}. Set them, or take `extractive`.")
    return available
