"""`quoth doctor` reports what works and what does not, one check at a time, and how to fix it."""

import os
from pathlib import Path

import pytest

from index.errors import ModelDamaged
from index.library import Library
from index.records import Document
from service.answering.service import Service
from service.cli import doctor
from service.composition.service import describe_models
from service.scoring.support import SupportChecker
from service.settings import Settings
from service.storage.database import Database
from tests.shared_networks import shared_encoder


def test_an_old_python_is_broken_and_a_new_one_is_not() -> None:
    assert doctor.check_python((3, 10, 12)).state == "broken"
    assert doctor.check_python((3, 11, 0)).state == "ok"


def test_a_missing_library_is_named() -> None:
    check = doctor.check_libraries(lambda name: None if name == "openvino" else "1.0")
    assert (check.state, check.finding) == ("broken", "missing: openvino")
    assert doctor.check_libraries(lambda name: "1.0").state == "ok"


@pytest.mark.parametrize(("free", "state"), [(5_000_000_000, "ok"), (500_000_000, "warning"), (50_000_000, "broken")])
def test_a_nearly_full_disk_is_reported_early(tmp_path: Path, free: int, state: str) -> None:
    check = doctor.check_disk(tmp_path / "not" / "yet", free)
    assert check.state == state
    assert str(tmp_path) in check.finding


def test_a_home_that_is_a_file_is_broken(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("in the way")
    assert doctor.check_home(home).state == "broken"
    assert doctor.check_home(tmp_path).state == "ok"
    assert doctor.check_home(tmp_path / "new").state == "ok"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_home_that_cannot_be_written_is_broken(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert doctor.check_home(tmp_path).state == "broken"
    tmp_path.chmod(0o700)


def test_a_damaged_model_is_named_with_its_file() -> None:
    def load() -> str:
        raise ModelDamaged("reader/model.safetensors: sha256 is 1, expected 2.")

    check = doctor.check_models(load)
    assert check.state == "broken"
    assert "reader/model.safetensors" in check.finding
    assert doctor.check_models(lambda: "all there").state == "ok"


def test_a_model_that_loads_but_does_not_run_is_broken() -> None:
    def run() -> str:
        raise RuntimeError("no kernel for this shape")

    check = doctor.check_models(run)
    assert (check.state, check.finding) == ("broken", "they load, but do not run: no kernel for this shape")


def test_models_are_run_not_only_loaded(home: Path, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=home)
    assert describe_models(settings).startswith("encoder all-MiniLM")
    monkeypatch.setattr(SupportChecker, "check", lambda _self, pairs: [float("nan")] * len(pairs))
    with pytest.raises(ModelDamaged, match="The support checker rates a sentence that fits nan"):
        describe_models(settings)


def test_unreadable_conversations_are_broken(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    path = settings.store_path
    assert doctor.check_conversations(settings).state == "ok"
    assert not path.exists()
    path.write_bytes(b"no database " * 1000)
    assert doctor.check_conversations(settings).state == "broken"
    path.unlink()
    Database(settings.store_url).close()
    assert doctor.check_conversations(settings).state == "ok"


@pytest.mark.parametrize(
    ("given", "state", "said"),
    [
        ({}, "ok", "not set up"),
        ({"slack_app_token": "xapp-1"}, "warning", "bot token is missing"),
        ({"slack_bot_token": "xoxb-1"}, "warning", "no way for Slack"),
        ({"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1"}, "ok", "Socket Mode: quoth slack"),
        ({"slack_bot_token": "xoxb-1", "slack_signing_secret": "s"}, "ok", "HTTP: quoth serve"),
    ],
)
def test_slack_is_set_up_completely_or_not_at_all(tmp_path: Path, given: dict[str, str], state: str, said: str) -> None:
    check = doctor.check_slack(Settings(home=tmp_path, **given))
    assert check.state == state
    assert said in check.finding


def test_collections_are_counted_and_a_missing_default_names_the_command_that_creates_it(tmp_path: Path) -> None:
    library = Library(tmp_path, shared_encoder())
    (missing,) = doctor.check_collections(library, "papers")
    assert (missing.state, missing.fix) == ("warning", "Run `quoth index FOLDER --collection papers` to make it.")
    text = "One sentence stands here. Another one follows it."
    collection = library.open_or_create("papers")
    collection.add(Document("d1", "v1", "file:///a.txt", "A", "text/plain", text))
    (waiting,) = doctor.check_collections(library, "papers")
    assert waiting.state == "warning"
    assert "documents: 1," in waiting.finding
    assert "wait for their vectors" in waiting.finding
    library.close()


def test_an_unreadable_ledger_is_broken_and_the_others_are_still_checked(tmp_path: Path) -> None:
    library = Library(tmp_path, shared_encoder())
    library.open_or_create("good")
    library.close()
    bad = tmp_path / "collections" / "bad" / "ledger.sqlite"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"no ledger " * 1000)
    fresh = Library(tmp_path, shared_encoder())
    states = {check.name: check.state for check in doctor.check_collections(fresh, "good")}
    assert states == {"Collection bad": "broken", "Collection good": "ok"}
    fresh.close()


def test_the_doctor_checks_everything_and_changes_nothing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    checks = list(doctor.examine(settings, lambda: Library(settings.home, shared_encoder()), lambda: "all there"))
    assert [check.name for check in checks] == [
        "Python",
        "Libraries",
        "Home",
        "Disk",
        "Models",
        "Conversations",
        "Slack",
        "Collection default",
    ]
    assert [check.state for check in checks] == ["ok"] * 7 + ["warning"]
    assert not settings.home.exists()
