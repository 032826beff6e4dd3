"""Settings: one flat class, read once from QUOTH_* variables, `.env` and `quoth.toml`, then passed in.

The first source that has a setting wins: arguments, the environment, `.env`, `quoth.toml` (both in the working directory),
the defaults below. An unknown key is an error: a setting that is silently ignored is worse than none. An empty value counts as
unset, and variables that Kubernetes sets for its Services are passed over.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError

from service.environment import (
    DOTENV,
    PREFIX,
    TOML,
    Environment,
    FilledToml,
    Names,
    Networks,
    Origins,
    PrefixedDotEnv,
    UrlPath,
    passed_over,
)
from service.errors import SettingsInvalid

GeneratorName = Literal["extractive", "local", "remote"]
SupportMode = Literal["strict", "mark"]
CollectionsPlace = Literal["home", "database"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """All settings. The environment variable of a field is QUOTH_ and the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=DOTENV,
        env_ignore_empty=True,
        toml_file=TOML,
        extra="forbid",
        frozen=True,
        validate_default=True,
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
    storage_url: str | None = Field(
        None,
        min_length=1,
        description="where search tables (Lance) are kept, and uploaded files if `collections_in` is database: a folder, or "
        "s3://bucket/prefix, reached as the store's environment variables say; when left out, FAISS and Tantivy search in the "
        "home folder",
    )
    cache_folder: Path | None = Field(
        None,
        description="folder that keeps the compiled networks, which several homes may share; "
        "`cache` in the home folder when left out",
    )
    collections_in: CollectionsPlace = Field(
        "home",
        description="where collections, uploads and their jobs are kept: in the home folder (home), or in the PostgreSQL "
        "database of `database_url` (database), where several machines index into the same ones and answer from them",
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="days after which an unused conversation is deleted; kept for ever when left out",
    )
    collection: str = Field("default", description="collection that is used when none is given")
    host: str = Field("127.0.0.1", description="address that `quoth serve` listens on")
    port: int = Field(8000, ge=0, le=65535, description="port that `quoth serve` listens on; 0 takes a free one")
    allowed_hosts: Names = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        description="host names that requests may address, separated by commas; `*` allows all. "
        "It keeps other web sites from reading a local server through DNS rebinding",
    )
    allow_anonymous: bool = Field(
        False,
        description="listen beyond this machine without any API key: everyone who reaches the server may do everything",
    )
    root_path: UrlPath = Field(
        "",
        description="path under which a proxy serves Quoth, such as /quoth; a proxy may also name it in `X-Forwarded-Prefix`",
    )
    trusted_proxies: Networks = Field(
        ("127.0.0.1", "::1"),
        description="addresses or networks of proxies, separated by commas, whose `X-Forwarded-*` headers are believed; "
        "`*` believes everybody",
    )
    require_keys: bool = Field(
        False,
        description="let nobody in without an API key, on any address, also while no key exists",
    )
    embed_origins: Origins = Field(
        (),
        description="web sites, separated by commas, whose pages may hold the question box `<quoth-ask>`, "
        "such as https://intranet.example.org: exactly these origins, with a key",
    )
    reports_folder: Path | None = Field(
        None,
        description="folder with runs of `quoth eval`, whose reports administrators read on the page `/gaps`",
    )
    principals_header: str = Field(
        "X-Quoth-Principals",
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="header in which a key made with --acts-for-others says for whom it asks",
    )
    encoder: str = Field(
        "all-MiniLM-L6-v2", description="sentence-transformers model, by name or path, for new collections"
    )
    generator: GeneratorName = Field("extractive", description="what writes the answer: extractive, local or remote")
    top_k: int = Field(8, ge=1, le=100, description="passages that an answer is written from")
    rerank: bool = Field(True, description="let the reader reorder the search results")
    rerank_depth: int = Field(12, ge=1, le=200, description="passages that the reader reorders")
    target_precision: float = Field(
        0.78,
        ge=0.5,
        lt=1.0,
        description="share of the answered questions whose answer the documents contain, measured where half of the questions "
        "have no answer and most of those are near misses; a higher value refuses more often",
    )
    support_policy: SupportMode = Field(
        "strict", description="an unsupported sentence is dropped (strict) or kept and flagged (mark)"
    )
    max_question_chars: int = Field(
        4000, ge=1, le=100_000, description="longest question that is accepted, in characters"
    )
    max_upload_bytes: int = Field(100 * 2**20, ge=1, description="largest file that may be uploaded, in bytes")
    worker: bool = Field(
        True, description="let `quoth serve` run the process that indexes uploads; otherwise run `quoth work`"
    )
    max_body_bytes: int = Field(
        2 * 1024 * 1024,  # a question of 100,000 characters, each escaped as \\uXXXX\\uXXXX, gets a clear answer
        ge=1024,
        description="longest request body that is accepted, in bytes, except uploads; longer ones get 413",
    )
    body_timeout_s: float = Field(
        30.0,
        gt=0,
        description="time in which a request's body must arrive, in seconds (one more for each 32 KiB); slower ones get 408",
    )
    answer_timeout_s: float = Field(
        300.0,
        gt=0,
        description="longest time that an answer may take, in seconds; then it ends with answer-timed-out (503)",
    )
    max_requests: int = Field(64, ge=1, description="requests that are handled at once")
    max_waiting_requests: int = Field(
        128, ge=0, description="requests that wait in the queue beyond those; further ones get 503"
    )
    shutdown_grace_s: float = Field(
        20.0,
        ge=0,
        description="time that running answers have to finish after the server was asked to stop, in seconds",
    )
    log_level: LogLevel = Field("info", description="least severe log line that is written")
    otel_endpoint: str | None = Field(
        None,
        description="OpenTelemetry collector (OTLP over HTTP) that traces are sent to, such as http://localhost:4318",
    )
    llm_base_url: str | None = Field(None, description="OpenAI-compatible server for the generator `remote`")
    llm_api_key: SecretStr | None = Field(None, description="key for that server")
    llm_model: str | None = Field(None, description="model on that server, or a local model's folder or GGUF file")
    llm_timeout_s: float = Field(
        60.0,
        gt=0,
        description="longest wait for that server's next words, in seconds; a whole answer may take five times as long",
    )
    llm_max_tokens: int = Field(
        512, ge=16, le=8192, description="longest answer that a language model may write, in tokens"
    )
    llm_context_tokens: int = Field(
        4096,
        ge=512,
        description="tokens of the language model's context, prompt and answer together; passages that do not fit are left "
        "out, the least relevant first",
    )
    llm_temperature: float = Field(
        0.0, ge=0, le=2, description="0 writes the most likely words; a higher value varies them"
    )
    llm_rewrite: bool = Field(
        True,
        description="let the language model that writes the answers also rewrite follow-ups so that they stand alone",
    )
    llm_rewrite_timeout_s: float = Field(
        15.0,
        gt=0,
        description="longest wait for that, in seconds; then the follow-up is rewritten without the language model",
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
    slack_collections: Names = Field(
        (),
        description="collections, separated by commas, that every member may choose for a channel in Slack, besides the "
        "default one; administrators of the workspace may choose any",
    )
    slack_api_url: str = Field("https://slack.com/api/", description="address of Slack's Web API")
    prompts_folder: Path | None = Field(
        None, description="folder with your own prompts, each replacing the shipped file of the same name"
    )

    @classmethod
    def settings_customise_sources(  # noqa: D102  (pydantic-settings calls it; the order is the module's docstring)
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (replaced by the one without service links)
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (replaced by the prefixed one)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (not offered)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, Environment(settings_cls), PrefixedDotEnv(settings_cls), FilledToml(settings_cls))

    @property
    def viewer_base(self) -> str | None:
        """The address of the page for links from elsewhere: `public_url`, which ends with `root_path`."""
        if self.public_url is None:
            return None
        address = self.public_url.rstrip("/")
        return address if address.endswith(self.root_path) else f"{address}{self.root_path}"

    @property
    def cache(self) -> Path:
        """The folder of compiled networks; deleting it costs only time."""
        return self.cache_folder or self.home / "cache"

    @property
    def collections_cache(self) -> Path:
        """The folder of what is made of collections in a database; deleting it costs only time. Never shared by homes."""
        return self.home / "cache" / "collections"

    @property
    def incoming(self) -> Path:
        """The folder of files on their way to or from where machines share them; deleting it costs those on their way."""
        return self.home / "cache" / "incoming"

    @property
    def uploads(self) -> Path:
        """The folder of uploaded files, unless machines share them."""
        return self.home / "uploads"

    @property
    def jobs_path(self) -> Path:
        """The SQLite file of the jobs that index uploads, unless machines share them."""
        return self.home / "jobs.sqlite"

    @property
    def store_path(self) -> Path:
        """The SQLite file of conversations, feedback and keys, unless `database_url` is set."""
        return self.home / "conversations.sqlite"

    @property
    def store_url(self) -> str:
        """The URL of the database of conversations, feedback and keys."""
        return self.database_url.get_secret_value() if self.database_url else f"sqlite:///{self.store_path}"


def load(**overrides: Any) -> Settings:
    """Read the settings. `overrides` (except None values) win over every file and variable.

    Raises SettingsInvalid, which names each bad key, its value (unless it is a secret) and what to write instead.
    """
    links = passed_over()
    _refuse_unknown({name: value for name, value in os.environ.items() if name not in links}, "the environment")
    if DOTENV.is_file():
        _refuse_unknown(dotenv_values(DOTENV), str(DOTENV))
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsInvalid("; ".join(_explain(problem) for problem in error.errors())) from None
    except (SettingsError, ValueError) as error:  # a TOML file that does not parse is a ValueError
        raise SettingsInvalid(f"{TOML} or {PREFIX}*: {error}. Correct it, or remove it.") from error
    if settings.require_keys and settings.allow_anonymous:
        raise SettingsInvalid(
            "require_keys and allow_anonymous (--allow-anonymous) contradict each other: nobody gets in without a key, or "
            "everybody does. Leave one of them out."
        )
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def _refuse_unknown(variables: Mapping[str, str | None], where: str) -> None:
    for key, value in variables.items():
        name = key.upper()
        if value and name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in Settings.model_fields:
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
