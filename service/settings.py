"""Settings: one flat class, read once from QUOTH_* variables, `.env` and `quoth.toml`, then passed in.

What is set closer to the call wins: arguments, then the environment, then `.env`, then `quoth.toml` (both in the
working directory), then the defaults below. An unknown key is an error: a setting silently ignored is worse than none.
"""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError

from service.errors import SettingsInvalid

PREFIX = "QUOTH_"
DOTENV = Path(".env")
TOML = Path("quoth.toml")

GeneratorName = Literal["extractive", "local", "remote"]
SupportPolicy = Literal["strict", "mark"]
LogLevel = Literal["debug", "info", "warning", "error"]


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class _PrefixedDotEnv(DotEnvSettingsSource):
    """The keys of `.env` that are ours; other programs may keep theirs in the same file."""

    def __call__(self) -> dict[str, Any]:
        return {key: value for key, value in super().__call__().items() if key in self.settings_cls.model_fields}


class Settings(BaseSettings):
    """Everything that can be set. The name of the variable is QUOTH_ and the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=DOTENV, toml_file=TOML, extra="forbid", frozen=True, validate_default=True
    )

    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("quoth"),
        description="folder that holds all state: collections and conversations",
    )
    database_url: SecretStr | None = Field(
        None,
        description="database of conversations, feedback and keys, for example postgresql://user:password@host/name; "
        "an SQLite file in the home folder when left out",
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="conversations unused for so many days are deleted; kept for ever when left out",
    )
    collection: str = Field("default", description="collection used when none is named")
    host: str = Field("127.0.0.1", description="address that `quoth serve` listens on")
    port: int = Field(8000, ge=0, le=65535, description="port that `quoth serve` listens on; 0 takes a free one")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        description="host names that requests may address, separated by commas; `*` allows all. "
        "It keeps other web sites from reading a local server through DNS rebinding",
    )
    allow_anonymous: bool = Field(
        False,
        description="listen beyond this machine though there is no API key: whoever reaches the server may do everything",
    )
    principals_header: str = Field(
        "X-Quoth-Principals",
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="header in which a key made with --acts-for-others says for whom it asks",
    )
    encoder: str = Field(
        "all-MiniLM-L6-v2", description="sentence-transformers model, by name or path, for new collections"
    )
    generator: GeneratorName = Field("extractive", description="who words the answer")
    top_k: int = Field(8, ge=1, le=100, description="passages that an answer is written from")
    rerank: bool = Field(True, description="let the reader reorder what the search found")
    rerank_depth: int = Field(12, ge=1, le=200, description="passages that the reader reorders")
    target_precision: float = Field(
        0.72,
        ge=0.5,
        lt=1.0,
        description="share of the answered questions that the documents should answer, measured where half of the questions "
        "have no answer and most of those are near misses; a higher value refuses more often",
    )
    support_policy: SupportPolicy = Field(
        "strict", description="an unsupported sentence is dropped (strict) or kept and flagged (mark)"
    )
    max_question_chars: int = Field(4000, ge=1, le=100_000, description="longest question that is read, in characters")
    max_upload_bytes: int = Field(100 * 2**20, ge=1, description="largest file that may be uploaded, in bytes")
    worker: bool = Field(
        True, description="let `quoth serve` run the process that indexes uploads; else run `quoth work`"
    )
    max_body_bytes: int = Field(
        2 * 1024 * 1024,  # a question of 100,000 characters, each escaped as \\uXXXX\\uXXXX, gets a clear answer
        ge=1024,
        description="longest request body that is read, in bytes, but for uploads; longer ones get 413",
    )
    body_timeout_s: float = Field(
        30.0,
        gt=0,
        description="time in which a request's body has to arrive, in seconds (one more for each 32 KiB); slower ones get 408",
    )
    answer_timeout_s: float = Field(
        300.0,
        gt=0,
        description="longest time that an answer may take, in seconds; then it ends with answer-timed-out (503)",
    )
    max_requests: int = Field(64, ge=1, description="requests that are worked on at once")
    max_waiting_requests: int = Field(
        128, ge=0, description="requests that wait for their turn beyond those; further ones get 503"
    )
    shutdown_grace_s: float = Field(
        20.0, ge=0, description="time that answers have to end once the server is told to stop, in seconds"
    )
    log_level: LogLevel = Field("info", description="least severe log line that is written")
    otel_endpoint: str | None = Field(
        None,
        description="OpenTelemetry collector (OTLP over HTTP) that traces are sent to, such as http://localhost:4318",
    )
    llm_base_url: str | None = Field(None, description="OpenAI-compatible server for the generator `remote`")
    llm_api_key: SecretStr | None = Field(None, description="key for that server")
    llm_model: str | None = Field(None, description="model on that server, or a local model's folder or GGUF file")
    llm_timeout_s: float = Field(60.0, gt=0, description="longest wait for that server's next words, in seconds")
    llm_max_tokens: int = Field(
        512, ge=16, le=8192, description="longest answer that a language model may write, in tokens"
    )
    llm_context_tokens: int = Field(
        4096, ge=512, description="tokens that the language model reads and writes at once; more passages fit into more"
    )
    llm_temperature: float = Field(0.0, ge=0, le=2, description="0 writes the likeliest words; more varies them")
    llm_rewrite: bool = Field(
        True,
        description="let the language model that words the answers rewrite follow-ups, too, so that they stand alone",
    )
    llm_rewrite_timeout_s: float = Field(
        15.0,
        gt=0,
        description="longest wait for that, in seconds; then the follow-up is read without the language model",
    )
    public_url: str | None = Field(
        None,
        description="address at which people reach this server, for links into documents: https://quoth.example.org",
    )
    slack_bot_token: SecretStr | None = Field(None, description="bot token of the Slack app (xoxb-...)")
    slack_app_token: SecretStr | None = Field(None, description="app-level token (xapp-...), for `quoth slack`")
    slack_signing_secret: SecretStr | None = Field(
        None, description="signing secret of the Slack app, for events over HTTP at /slack/events"
    )
    slack_collections: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        (),
        description="collections, separated by commas, that every member may choose for a channel in Slack, beside the usual "
        "one; administrators of the workspace may choose any",
    )
    slack_api_url: str = Field("https://slack.com/api/", description="where Slack's Web API is reached")
    prompts_folder: Path | None = Field(
        None, description="folder with prompts of your own, each replacing the shipped file of the same name"
    )

    @classmethod
    def settings_customise_sources(  # noqa: D102  (pydantic-settings calls it; the order is the module's docstring)
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (replaced by the prefixed one)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (not offered)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, _PrefixedDotEnv(settings_cls), TomlConfigSettingsSource(settings_cls))

    @property
    def cache(self) -> Path:
        """Where converted networks are kept; deleting it costs time only."""
        return self.home / "cache"

    @property
    def uploads(self) -> Path:
        """Where the files that were uploaded are kept."""
        return self.home / "uploads"

    @property
    def jobs_path(self) -> Path:
        """Where the jobs that index them are kept (SQLite)."""
        return self.home / "jobs.sqlite"

    @property
    def store_path(self) -> Path:
        """The SQLite file that they are in unless `database_url` says otherwise."""
        return self.home / "conversations.sqlite"

    @property
    def store_url(self) -> str:
        """URL of the database of conversations, feedback and keys."""
        return self.database_url.get_secret_value() if self.database_url else f"sqlite:///{self.store_path}"


def load(**overrides: Any) -> Settings:
    """Read the settings; `overrides` (None values are left out) win over every file and variable.

    Raises SettingsInvalid that names each bad key, its value (unless it is a secret) and what to write instead.
    """
    _refuse_unknown(os.environ, "the environment")
    if DOTENV.is_file():
        _refuse_unknown(dotenv_values(DOTENV), str(DOTENV))
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsInvalid("; ".join(_explain(problem) for problem in error.errors())) from None
    except (SettingsError, ValueError) as error:  # a TOML file that does not parse is a ValueError
        raise SettingsInvalid(f"{TOML} or {PREFIX}*: {error}. Correct it, or remove it.") from error
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def _refuse_unknown(keys: Iterable[str], where: str) -> None:
    for key in keys:
        name = key.upper()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in Settings.model_fields:
            raise SettingsInvalid(
                f"{key} in {where} is not a setting. {_advice(name.removeprefix(PREFIX).lower(), PREFIX)}"
            )


def _advice(name: str, prefix: str = "") -> str:
    close = difflib.get_close_matches(name, Settings.model_fields, n=1)
    offer = (lambda field: f"{prefix}{field.upper()}") if prefix else str
    if close:
        return f"Did you mean {offer(close[0])}? Else remove it."
    return f"Remove it; the settings are {', '.join(offer(field) for field in Settings.model_fields)}."


def _explain(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{name!r} in {TOML} is not a setting. {_advice(name)}"
    field = Settings.model_fields.get(name)
    secret = field is not None and SecretStr.__name__ in str(field.annotation)
    value = "" if secret else f" = {problem['input']!r}"
    return (
        f"setting {name} ({PREFIX}{name.upper()}){value}: {problem['msg']}. It is: {field.description if field else ''}"
    )
