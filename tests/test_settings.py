"""Settings: the order of their sources, and the refusal of misspelt names and impossible values."""

import json
import os
import socket
from pathlib import Path

import pytest

from service.cli.servers import serve
from service.environment import passed_over
from service.errors import PortTaken, SettingsInvalid
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


def service_link(
    name: str, *ports: tuple[str, int], address: str = "10.96.0.7", protocol: str = "TCP"
) -> dict[str, str]:
    """What the kubelet sets in each container of a namespace with this Service (pkg/kubelet/envvars)."""
    base = name.upper().replace("-", "_")
    host = f"[{address}]" if ":" in address else address
    first = ports[0][1]
    variables = {
        f"{base}_SERVICE_HOST": address,
        f"{base}_SERVICE_PORT": str(first),
        f"{base}_PORT": f"{protocol.lower()}://{host}:{first}",
    }
    for title, port in ports:
        of_port = f"{base}_PORT_{port}_{protocol}"
        variables[of_port] = f"{protocol.lower()}://{host}:{port}"
        variables |= {f"{of_port}_PROTO": protocol.lower(), f"{of_port}_PORT": str(port), f"{of_port}_ADDR": address}
        if title:
            variables[f"{base}_SERVICE_PORT_{title.upper().replace('-', '_')}"] = str(port)
    return variables


@pytest.mark.parametrize(
    "links",
    [
        service_link("quoth", ("http", 8000)),
        service_link("quoth", ("", 443), ("metrics-port", 9000)),
        service_link("quoth", ("http", 8000), address="fd00:10:96::7"),
        service_link("quoth-llm", ("http", 8080)) | service_link("quoth", ("http", 8000)),
        service_link("quoth-port", ("port", 1)) | service_link("quoth-postgres-rw", ("", 5432)),
        service_link("quoth-dns", ("dns", 53), protocol="UDP"),
    ],
)
def test_variables_of_kubernetes_services_are_passed_over(
    monkeypatch: pytest.MonkeyPatch, links: dict[str, str]
) -> None:
    for name, value in links.items():
        monkeypatch.setenv(name, value)
    assert load().port == 8000
    assert passed_over() == frozenset(links)


def test_a_port_that_is_set_for_quoth_itself_wins_over_the_service_link(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (service_link("quoth", ("http", 80)) | {"QUOTH_PORT": "8010"}).items():
        monkeypatch.setenv(name, value)
    assert load().port == 8010


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"QUOTH_SERVICE_HOST": None, "QUOTH_SERVICE_PORT": None, "QUOTH_PORT_80_TCP": None}, "QUOTH_PORT"),
        ({"QUOTH_PORT": "tcp://10.96.0.8:80"}, r"QUOTH_PORT\) = 'tcp://10.96.0.8:80'"),
        ({"QUOTH_PORT": "tcp://10.96.0.7:81"}, r"QUOTH_PORT\) = 'tcp://10.96.0.7:81'"),
        ({"QUOTH_SERVICE_HOST": "db.example.org"}, "QUOTH_SERVICE_HOST"),
        ({"QUOTH_SERVICE_PORT_RETRIES": "many"}, "QUOTH_SERVICE_PORT_RETRIES"),
        ({"QUOTH_PORT_80_TCP_ADDR": "elsewhere"}, "QUOTH_PORT_80_TCP_ADDR"),
        ({"QUOTH_RETENTION_DAY": "30"}, "Did you mean QUOTH_RETENTION_DAYS"),
    ],
)
def test_what_only_looks_like_a_service_link_is_an_error(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str | None], said: str
) -> None:
    for name, value in (service_link("quoth", ("", 80)) | changed).items():
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=said):
        load()


def test_service_links_in_a_file_are_errors() -> None:
    Path(".env").write_text("\n".join(f"{name}={value}" for name, value in service_link("quoth", ("", 80)).items()))
    with pytest.raises(SettingsInvalid, match=r"QUOTH_SERVICE_HOST in \.env is not a setting"):
        load()


def test_an_empty_value_of_any_setting_counts_as_unset_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = load()
    for name in Settings.model_fields:
        monkeypatch.setenv(f"QUOTH_{name.upper()}", "")
    monkeypatch.setenv("QUOTH_NO_SETTING", "")
    assert load() == usual
    for name in Settings.model_fields:
        monkeypatch.delenv(f"QUOTH_{name.upper()}")
    Path(".env").write_text("".join(f"QUOTH_{name.upper()}=\n" for name in Settings.model_fields))
    assert load() == usual
    Path("quoth.toml").write_text("".join(f'{name} = ""\n' for name in Settings.model_fields))
    assert load() == usual
    Path(".env").unlink()
    assert load() == usual


def test_an_empty_variable_does_not_hide_the_value_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("quoth.toml").write_text("port = 8010\n")
    Path(".env").write_text("QUOTH_PORT=\n")
    monkeypatch.setenv("QUOTH_PORT", "")
    assert load().port == 8010


def test_the_paths_and_the_proxies_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTH_ROOT_PATH", "/docs/quoth/")
    monkeypatch.setenv("QUOTH_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    assert (load().root_path, load().trusted_proxies) == ("/docs/quoth", ("10.0.0.0/8", "::1"))
    for name, value in (
        ("QUOTH_ROOT_PATH", "quoth"),
        ("QUOTH_ROOT_PATH", "//example.org"),
        ("QUOTH_ROOT_PATH", "/a/../b"),
        ("QUOTH_ROOT_PATH", '/a"><script>'),
        ("QUOTH_TRUSTED_PROXIES", "proxy.internal"),
    ):
        monkeypatch.setenv("QUOTH_ROOT_PATH", "")
        monkeypatch.setenv("QUOTH_TRUSTED_PROXIES", "")
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsInvalid, match=name):
            load()


@pytest.mark.parametrize(
    ("public", "path", "viewer"),
    [
        ("https://example.org", "/quoth", "https://example.org/quoth"),
        ("https://example.org/quoth/", "/quoth", "https://example.org/quoth"),
        ("https://quoth.example.org/", "", "https://quoth.example.org"),
        (None, "/quoth", None),
    ],
)
def test_links_from_elsewhere_hold_the_path_under_which_quoth_is_served(
    public: str | None, path: str, viewer: str | None
) -> None:
    assert load(public_url=public, root_path=path).viewer_base == viewer


def test_the_server_logs_in_one_line_which_variables_it_passes_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    links = service_link("quoth", ("http", 80)) | service_link("quoth-llm", ("", 8080))
    for name, value in (links | {"QUOTH_HOME": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(PortTaken):  # before the models load
        serve(port=taken.getsockname()[1])
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["names"]) for line in lines] == [("info", sorted(links))]
