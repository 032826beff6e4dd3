"""Settings: the order of their sources, and the refusal of misspelt names and impossible values."""

import os
from pathlib import Path

import pytest

from service.errors import SettingsInvalid
from service.settings import Settings, load


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("QUOTH_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_the_source_closest_to_the_call_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("quoth.toml").write_text('port = 1\ntop_k = 1\nrerank_depth = 1\ncollection = "toml"\n')
    assert (load().port, load().top_k) == (1, 1)
    Path(".env").write_text("QUOTH_PORT=2\nQUOTH_TOP_K=2\nQUOTH_RERANK_DEPTH=2\n")
    assert (load().port, load().collection) == (2, "toml")
    monkeypatch.setenv("QUOTH_PORT", "3")
    monkeypatch.setenv("QUOTH_TOP_K", "3")
    settings = load(port=4)
    assert (settings.port, settings.top_k, settings.rerank_depth, settings.collection) == (4, 3, 2, "toml")


def test_an_argument_that_was_not_given_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTH_HOST", "::1")
    assert load(host=None).host == "::1"


def test_a_misspelt_variable_is_reported_with_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTH_TOPK", "3")
    with pytest.raises(SettingsInvalid, match=r"QUOTH_TOPK in the environment .* QUOTH_TOP_K"):
        load()


def test_a_misspelt_key_in_a_file_is_reported_with_the_file() -> None:
    Path(".env").write_text("QUOTH_COLECTION=x\n")
    with pytest.raises(SettingsInvalid, match=r"QUOTH_COLECTION in \.env .* QUOTH_COLLECTION"):
        load()
    Path(".env").unlink()
    Path("quoth.toml").write_text("colection = 'x'\n")
    with pytest.raises(SettingsInvalid, match=r"'colection' in quoth\.toml .*collection\?"):
        load()


def test_variables_of_other_programs_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    Path(".env").write_text("OPENAI_API_KEY=x\nDEBUG=1\n")
    assert load().port == 8000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUOTH_PORT", "70000"),
        ("QUOTH_PORT", "http"),
        ("QUOTH_SUPPORT_POLICY", "lax"),
        ("QUOTH_TARGET_PRECISION", "1.5"),
    ],
)
def test_an_impossible_value_is_reported_with_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=rf"{name}\) = '{value}': .*It is: "):
        load()


def test_a_malformed_file_is_an_error() -> None:
    Path("quoth.toml").write_text("port = = 1\n")
    with pytest.raises(SettingsInvalid, match=r"quoth\.toml"):
        load()


def test_a_secret_appears_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTH_LLM_API_KEY", "sk-4711")
    settings = load()
    assert "4711" not in f"{settings} {settings!r} {settings.model_dump_json()}"
    assert settings.llm_api_key is not None
    assert settings.llm_api_key.get_secret_value() == "sk-4711"
    monkeypatch.setenv("QUOTH_DATABASE_URL", "postgresql://quoth:p4711@db/quoth")
    settings = load()
    assert "4711" not in f"{settings} {settings!r} {settings.model_dump_json()}"
    assert settings.store_url == "postgresql://quoth:p4711@db/quoth"
    monkeypatch.delenv("QUOTH_DATABASE_URL")
    monkeypatch.setenv("QUOTH_PORT", "sk-4711")
    monkeypatch.delenv("QUOTH_LLM_API_KEY")
    Path("quoth.toml").write_text("llm_api_key = 4711\n")
    monkeypatch.delenv("QUOTH_PORT")
    with pytest.raises(SettingsInvalid, match="llm_api_key") as caught:
        load()
    assert "4711" not in str(caught.value)


def test_a_list_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTH_ALLOWED_HOSTS", "docs.example.org, localhost")
    assert load().allowed_hosts == ("docs.example.org", "localhost")


def test_the_home_is_absolute_and_holds_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QUOTH_HOME", "here")
    settings = load()
    assert settings.home == tmp_path / "here"
    assert str(settings.home) in settings.store_url


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
