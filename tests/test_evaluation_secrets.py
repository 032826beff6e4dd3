"""What a run writes down about the Quoth that it measured holds no secret: no key, no password in an address."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from evaluation.errors import EndpointUnavailable
from evaluation.targets import LocalTarget, RemoteTarget, without_password
from index.embedding.encoder import HashedEncoder
from index.library import Library
from service.answering.service import Service
from service.settings import Settings


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("http://me:canary@host:8000/v1", "http://host:8000/v1"),
        ("https://canary@host", "https://host"),
        ("http://host/a@b", "http://host/a@b"),
        ("no address: me@host", "no address: me@host"),
        (7, 7),
        (None, None),
    ],
)
def test_an_address_is_shown_without_its_name_and_password(value: object, shown: object) -> None:
    assert without_password(value) == shown


def test_the_settings_in_a_manifest_hold_no_secret(tmp_path: Path) -> None:
    secret: dict[str, Any] = {
        name: SecretStr("canary-1")
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    assert {"llm_api_key", "database_url", "slack_bot_token"} <= set(secret)
    settings = Settings(home=tmp_path, llm_base_url="http://me:canary-2@host/v1", **secret)
    library = Library(tmp_path, HashedEncoder())
    library.open_or_create("default")
    service = Service(settings, library, None, None, None, None)  # type: ignore[arg-type]
    described = json.dumps(LocalTarget(service, "default").describe())
    library.close()
    assert "http://host/v1" in described
    assert "canary" not in described


def test_the_error_of_an_endpoint_names_it_without_its_password() -> None:
    target = RemoteTarget("http://me:canary@127.0.0.1:9", None, key="quoth_canary", timeout_s=1)
    with pytest.raises(EndpointUnavailable, match=r"http://127\.0\.0\.1:9/v1/collections") as caught:
        target.describe()
    target.close()
    assert "canary" not in str(caught.value)
