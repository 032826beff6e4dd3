"""A start that finds its compiled networks needs no torch, and finds none that anything else was compiled to."""

import ast
import gc
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from index.embedding import minilm
from index.errors import ModelDamaged
from index.inference import compiling
from index.inference.blueprint import Blueprint, Parts
from index.inference.cache import CompiledCache
from index.inference.openvino_import import openvino
from index.inference.runtime import Network, Signature
from index.inference.shape import BertShape
from service.answering.service import Service
from service.scoring import trained_model
from service.scoring.networks import ReaderNetwork
from service.scoring.reader import Reader
from service.scoring.trained_model import ModelConfig
from service.scoring.weights import write_model

ROOT = Path(__file__).parent.parent
HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "safetensors.torch",
    "matplotlib",
    "scipy",
    "sklearn",
    "pandas",
}
SIGNATURE = Signature(("input_ids", "attention_mask"), ("input_ids",))
ROWS = [{"input_ids": np.arange(1, 8)}]


class Times(nn.Module):
    """Multiplies; compiled in a moment."""

    def forward(self, input_ids, attention_mask):
        return (input_ids * attention_mask).float().unsqueeze(-1) * torch.full((1, 1, 64), 2.0)


class Counted:
    """A way to make `Times` that counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return Parts(Times())


def blueprint(make, **other):
    return replace(Blueprint("Times", "weights", "sizes", (), make), **other)


def test_a_network_is_made_once_for_all_starts_with_the_same_blueprint(tmp_path):
    make = Counted()
    first = Network(blueprint(make), SIGNATURE, cache=tmp_path).run(ROWS)
    assert make.calls == 1
    again = Network(blueprint(make), SIGNATURE, cache=tmp_path).run(ROWS)
    assert make.calls == 1
    assert np.array_equal(first[0][0], again[0][0])
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-1])
    Network(blueprint(make), SIGNATURE, cache=tmp_path)
    assert make.calls == 2


def test_a_network_runs_on_when_its_kept_file_is_replaced_or_deleted(tmp_path):
    Network(blueprint(Counted()), SIGNATURE, cache=tmp_path)
    network = Network(blueprint(Counted()), SIGNATURE, cache=tmp_path)
    before = network.run(ROWS)
    (kept,) = tmp_path.iterdir()
    CompiledCache(tmp_path).write(kept.stem, b"another")
    gc.collect()
    assert np.array_equal(network.run(ROWS)[0][0], before[0][0])
    kept.unlink()
    assert np.array_equal(network.run(ROWS)[0][0], before[0][0])


class OtherCore(openvino.Core):
    """A core that runs on another CPU, as far as it says."""

    said: ClassVar[dict[str, object]] = {}

    def get_property(self, device, name):
        return self.said.get(name) or super().get_property(device, name)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A folder with the code that makes `Times`, and with a cache that holds the network compiled."""
    at = tmp_path_factory.mktemp("compiled")
    (at / "made_here.py").write_text("WIDTH = 1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(at)
        Network(blueprint(Counted(), code=("made_here",)), SIGNATURE, cache=at / "cache")
    return at


@pytest.mark.parametrize(
    "what",
    [
        "nothing",
        "weights",
        "sizes",
        "code",
        "conversion",
        "openvino",
        "torch",
        "machine",
        "CPU",
        "capabilities",
        "settings",
    ],
)
def test_whatever_a_compiled_network_depends_on_gives_another_one(tmp_path, monkeypatch, compiled, what):
    at = shutil.copytree(compiled, tmp_path / "at")
    monkeypatch.syspath_prepend(at)
    make = Counted()
    plan = blueprint(make, code=("made_here",))
    if what == "code":
        (at / "made_here.py").write_text("WIDTH = 2\n")
    elif what == "conversion":
        monkeypatch.setattr(compiling, "_CONVERSION", "made_here")
    elif what == "openvino":
        monkeypatch.setattr(compiling.openvino, "__version__", "1.0")
    elif what == "torch":
        monkeypatch.setattr(compiling, "version", lambda package: "1.0")
    elif what == "machine":
        monkeypatch.setattr(compiling.platform, "machine", lambda: "z80")
    elif what in ("CPU", "capabilities"):
        said = {"FULL_DEVICE_NAME": "Z80"} if what == "CPU" else {"OPTIMIZATION_CAPABILITIES": ["FP32"]}
        monkeypatch.setattr(OtherCore, "said", said)
        monkeypatch.setattr(compiling.openvino, "Core", OtherCore)
    elif what == "settings":
        monkeypatch.setitem(compiling._SETTINGS, "NUM_STREAMS", compiling.STREAMS + 1)
    elif what != "nothing":
        plan = replace(plan, **{what: "other"})
    Network(plan, SIGNATURE, cache=at / "cache")
    assert make.calls == (what != "nothing")
    assert entries(at / "cache") == 1 + (what != "nothing")


def test_the_code_that_makes_a_network_is_read_and_not_run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "unready.py").write_text("raise RuntimeError\n")
    assert blueprint(Counted(), code=("unready",)).fingerprint != blueprint(Counted()).fingerprint
    with pytest.raises(ModuleNotFoundError, match="no_such_code: there is no such module"):
        _ = blueprint(Counted(), code=("no_such_code",)).fingerprint


# What the networks' code imports beside other code that makes networks: sizes, which the fingerprint has; a pair of modules;
# bytes compared with their hash; config.json read; errors.
NEEDLESS = {
    "index.inference.shape",
    "index.inference.blueprint",
    "index.embedding.weights",
    "service.scoring.trained_model",
    "index.errors",
}


@pytest.mark.parametrize("code", [minilm._CODE, trained_model._CODE], ids=["encoder", "reader and support checker"])
def test_all_code_of_ours_that_makes_a_network_is_in_its_fingerprint(code):
    for module in code:
        tree = ast.parse(Path(importlib.util.find_spec(module).origin).read_text())
        imports = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        ours = {name for name in imports if name.split(".")[0] in ("index", "service", "models")}
        assert ours <= {*code, *NEEDLESS}


TINY = BertShape(width=24, layers=1, heads=3, inner=48)


def written_reader(at, seed, shape=TINY):
    torch.manual_seed(seed)
    config = ModelConfig("reader", "1", "none", shape, 256, "")
    write_model(at, config, ReaderNetwork(shape).state_dict())
    return at


def entries(cache):
    return len(list(cache.iterdir()))


def test_a_reader_with_other_weights_or_another_shape_is_compiled_by_itself(tmp_path):
    cache = tmp_path / "cache"
    reader = Reader.load(written_reader(tmp_path / "a", 1), cache)
    assert entries(cache) == 2  # its body and its head
    Reader.load(tmp_path / "a", cache)
    assert entries(cache) == 2
    other = Reader.load(written_reader(tmp_path / "b", 2), cache)
    assert entries(cache) == 4
    assert reader.score("How long?", ["Very long."]) != other.score("How long?", ["Very long."])
    config = json.loads((tmp_path / "b" / "config.json").read_text())
    config["shape"]["norm_epsilon"] = 1e-5
    (tmp_path / "b" / "config.json").write_text(json.dumps(config))
    Reader.load(tmp_path / "b", cache)
    assert entries(cache) == 6


def test_a_model_that_is_replaced_before_its_first_use_is_not_kept_as_the_one_that_was_loaded(tmp_path):
    cache = tmp_path / "cache"
    reader = Reader.load(written_reader(tmp_path / "a", 1), cache, when_needed=True)
    written_reader(tmp_path / "a", 2)
    with pytest.raises(ModelDamaged, match=r"a/model\.safetensors: SHA-256 is"):
        reader.prepare()
    assert not cache.exists()


def test_damaged_weights_are_refused_although_the_compiled_network_is_kept(tmp_path):
    at = written_reader(tmp_path / "a", 1)
    Reader.load(at, tmp_path / "cache")
    shutil.copy(written_reader(tmp_path / "b", 2) / "model.safetensors", at)
    with pytest.raises(ModelDamaged, match=r"a/model\.safetensors: SHA-256 is"):
        Reader.load(at, tmp_path / "cache")


QUESTION = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
ASK = f"""
sys.argv = ["quoth", "ask", {QUESTION!r}]
from quoth import main
try:
    main()
except SystemExit as end:
    assert not end.code
"""
SERVE = f"""
import json, urllib.request
from service.composition.http import create_app
from service.composition.service import assemble
from service.composition.store import open_store
from service.settings import load
from tests.conftest import Loopback

store = open_store(load())
with Loopback(create_app(assemble(load()), store)) as url:
    body = json.dumps({{"question": {QUESTION!r}}}).encode()
    request = urllib.request.Request(url + "/v1/chat", body, {{"Content-Type": "application/json"}})
    print(urllib.request.urlopen(request).read().decode())
store.close()
"""


@pytest.mark.parametrize("program", [ASK, SERVE], ids=["quoth ask", "the service"])
def test_a_start_that_finds_its_compiled_networks_loads_no_torch(service: Service, home: Path, program: str) -> None:
    service.library.open("default").search("ready", k=1)  # the encoder is compiled
    code = f"import sys\n{program}\nprint('LOADED', *({HEAVY!r} & sys.modules.keys()))"
    env = os.environ | {"QUOTH_HOME": str(home), "QUOTH_DATABASE_URL": f"sqlite:///{home / 'asked.sqlite'}"}
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=env, capture_output=True, text=True)
    said, _, loaded = done.stdout.rpartition("LOADED")
    assert "six cyberattacks" in said
    assert loaded.split() == []
