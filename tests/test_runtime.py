"""index.inference.runtime and index.inference.bert: fast path against reference, order, padding, cache, threads."""

import copy
import fcntl
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from index.embedding.weights import bundled_folder
from index.inference import cache
from index.inference.bert import Bert, from_hugging_face
from index.inference.blueprint import Blueprint, Parts
from index.inference.cache import CompiledCache
from index.inference.runtime import Network, Signature, length_batches
from index.inference.shape import BertShape
from tests.mounted import can_mount, read_only, small_disk

SMALL = BertShape(vocabulary=50, positions=64, width=24, layers=2, heads=3, inner=48)
SIGNATURE = Signature(("input_ids", "attention_mask", "token_type_ids"), ("input_ids",))


def blueprint_of(module, head=None):
    """The blueprint of modules in memory, identified by their weights."""
    weights = sha256()
    for part in (module, head) if head else (module,):
        for name, tensor in part.state_dict().items():
            weights.update(name.encode() + tensor.numpy().tobytes())
    parts = Parts(module, head)
    return Blueprint(type(module).__name__, weights.hexdigest(), repr(module), ("index.inference.bert",), lambda: parts)


def network_of(module, signature, head=None, **options):
    return Network(blueprint_of(module, head), signature, **options)


@pytest.fixture(scope="module")
def small() -> Bert:
    torch.manual_seed(0)
    return Bert(SMALL).eval()


def rows(lengths):
    rng = np.random.default_rng(1)
    return [
        {"input_ids": rng.integers(1, 50, n), "token_type_ids": (np.arange(n) > n // 2).astype(np.int64)}
        for n in lengths
    ]


def test_the_encoder_equals_transformers_with_the_same_weights():
    from transformers import BertModel

    folder = bundled_folder()
    ours = from_hugging_face(BertShape(), load_file(folder / "model.safetensors")).eval()
    theirs = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    ids = torch.tensor([[101, 2054, 2003, 1037, 3899, 102, 0, 0], [101, 4248, 2829, 4419, 14523, 2058, 999, 102]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1, 0, 0], [1] * 8])
    types = torch.tensor([[0, 0, 0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]])
    with torch.inference_mode():
        expected = theirs(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        found = ours(ids, mask, types)
    assert torch.allclose(found[mask.bool()], expected[mask.bool()], atol=1e-5)


def test_openvino_agrees_with_torch_and_keeps_the_order_of_the_rows(small):
    asked = rows([5, 31, 2, 17, 1, 31])
    fast = network_of(small, SIGNATURE, batch_tokens=64).run(asked)
    reference = network_of(small, SIGNATURE, engine="torch").run(asked)
    for row, (one,), (other,) in zip(asked, fast, reference, strict=True):
        assert one.shape == other.shape == (len(row["input_ids"]), 24)
        assert np.abs(one - other).max() < 0.05  # bf16 states of size 1


class PositionNetwork(nn.Module):
    """The state at each given position, and the number of positions without padding."""

    def forward(self, states, places, attention_mask):
        chosen = torch.gather(states, 1, places[:, :, None].expand(-1, -1, states.shape[2]))
        return chosen, attention_mask.sum(1)


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_a_head_takes_the_output_of_the_network_and_inputs_of_other_lengths(small, engine):
    asked = [row | {"places": np.arange(0, len(row["input_ids"]), 3)} for row in rows([5, 31, 17])]
    form = Signature(SIGNATURE.inputs, ("places", None), head=("places", "attention_mask"))
    states = [row[0] for row in network_of(small, SIGNATURE, engine="torch").run(asked)]
    network = network_of(small, form, head=PositionNetwork(), engine=engine)
    assert network.engine_name == engine
    for row, expected, (chosen, length) in zip(asked, states, network.run(asked), strict=True):
        assert length == len(expected)
        assert chosen.shape == (len(row["places"]), 24)
        assert np.abs(chosen - expected[row["places"]]).max() < 0.05


def test_padding_and_other_rows_do_not_change_a_row(small):
    network = network_of(small, SIGNATURE, engine="torch")
    asked = rows([4, 20])
    ((alone,),) = network.run(asked[:1])
    together, _ = network.run(asked)
    assert np.allclose(alone, together[0], atol=1e-5)


def test_no_rows_give_no_results(small):
    assert network_of(small, SIGNATURE, engine="torch").run([]) == []


def test_a_batch_holds_at_most_the_budget_in_padded_tokens():
    assert length_batches([3, 10, 4, 10, 1], 20) == [[1, 3], [2, 0, 4]]


def test_streams_get_equally_many_batches_of_about_equal_size():
    lengths = [160, 144, 160, 128, 144, 160, 144, 160, 144, 128, 160, 144]
    cut = length_batches(lengths, 1024, streams=2)
    assert sorted(number for batch in cut for number in batch) == list(range(12))
    assert [len(batch) for batch in cut] == [6, 6]
    assert [len(batch) for batch in length_batches(lengths, 1024, streams=16)] == [1] * 12
    assert [len(batch) for batch in length_batches([16] * 100 + [256], 1024, streams=2)] == [2, 33, 33, 33]


def test_a_row_longer_than_the_budget_is_a_batch_of_its_own():
    assert length_batches([50, 2], 10) == [[0], [1]]


def test_the_cache_serves_the_next_start_and_a_damaged_file_is_replaced(small, tmp_path, caplog):
    asked = rows([7])
    ((first,),) = network_of(small, SIGNATURE, cache=tmp_path).run(asked)
    (blob,) = tmp_path.iterdir()
    written = blob.stat().st_mtime_ns
    ((second,),) = network_of(small, SIGNATURE, cache=tmp_path).run(asked)
    assert np.array_equal(first, second)
    assert blob.stat().st_mtime_ns == written
    blob.write_bytes(b"broken")
    network = network_of(small, SIGNATURE, cache=tmp_path)
    assert network.engine_name == "openvino"
    assert np.array_equal(network.run(asked)[0][0], first)
    assert str(blob) in caplog.text
    assert blob.stat().st_size > 100


TINY = Signature(("input_ids", "attention_mask"), ("input_ids",))


class Tiny(nn.Module):
    """Multiplies; compiled in a moment."""

    def __init__(self, factor=2.0):
        super().__init__()
        self.factor = nn.Parameter(torch.full((1, 1, 64), factor))

    def forward(self, input_ids, attention_mask):
        return (input_ids * attention_mask).float().unsqueeze(-1) * self.factor


def damages(blob, other):
    """What can befall a file of the cache, by name."""
    content, half = blob.read_bytes(), blob.stat().st_size // 2
    return {
        "zeroed middle": content[: half // 2] + bytes(half) + content[half // 2 + half :],
        "truncated": content[:half],
        "empty": b"",
        "one bit": content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :],
        "longer": content + b"x",
        "swapped": other.read_bytes(),
        "without its checksum": content[32:],
    }


def test_a_file_of_the_cache_that_is_not_as_it_was_written_is_compiled_again(tmp_path, caplog):
    asked = [{"input_ids": np.arange(1, 8)}]
    ((expected,),) = network_of(Tiny(), TINY, cache=tmp_path / "cache").run(asked)
    network_of(Tiny(3.0), TINY, cache=tmp_path / "other")
    (blob,), (other,) = (tmp_path / "cache").iterdir(), (tmp_path / "other").iterdir()
    for name, content in damages(blob, other).items():
        blob.write_bytes(content)
        caplog.clear()
        network = network_of(Tiny(), TINY, cache=blob.parent)
        assert network.engine_name == "openvino"
        assert np.array_equal(network.run(asked)[0][0], expected), name
        assert f"{blob} is damaged" in caplog.text, name
        assert [file.name for file in blob.parent.iterdir()] == [blob.name]
        assert blob.read_bytes() != content, name
    caplog.clear()
    network_of(Tiny(), TINY, cache=blob.parent)
    assert caplog.text == ""


def test_a_compiled_network_that_does_not_compute_is_compiled_again(tmp_path, caplog):
    asked = [{"input_ids": np.arange(1, 8)}]
    ((expected,),) = network_of(Tiny(), TINY, cache=tmp_path).run(asked)
    (blob,) = tmp_path.iterdir()
    assert network_of(Tiny(float("nan")), TINY, cache=tmp_path / "broken").engine_name == "torch"
    CompiledCache(tmp_path).write(blob.stem, b"no network")
    network = network_of(Tiny(), TINY, cache=tmp_path)
    assert f"{blob} does not run" in caplog.text
    assert np.array_equal(network.run(asked)[0][0], expected)


def test_networks_run_without_a_cache_that_can_be_written(tmp_path, caplog):
    asked = [{"input_ids": np.arange(1, 8)}]
    ((expected,),) = network_of(Tiny(), TINY).run(asked)
    (tmp_path / "file").write_text("in the way")
    closed = tmp_path / "closed"
    closed.mkdir()
    with read_only(closed):
        for folder in (closed, closed / "below", tmp_path / "file"):
            network = network_of(Tiny(), TINY, cache=folder)
            assert network.engine_name == "openvino"
            assert np.array_equal(network.run(asked)[0][0], expected)
            assert f"cannot be kept in {folder}" in caplog.text
    assert list(closed.iterdir()) == []


@can_mount
@pytest.mark.parametrize("spare", [cache._SPARE_BYTES, -(10**9)], ids=["too little space", "no space while writing"])
def test_a_full_disk_leaves_no_part_of_a_compiled_network(tmp_path, caplog, monkeypatch, spare):
    monkeypatch.setattr(cache, "_SPARE_BYTES", spare)
    with small_disk(tmp_path / "disk", "4k") as disk:
        network = network_of(Tiny(), TINY, cache=disk)
        assert network.engine_name == "openvino"
        assert network.run([{"input_ids": np.arange(1, 8)}])
        assert "full" in caplog.text
        assert list(disk.iterdir()) == []


def test_what_a_killed_process_was_writing_is_deleted_and_what_another_writes_is_not(tmp_path):
    (tmp_path / f"{'a' * 32}.compiled.1.2.partial").write_bytes(b"half")
    (tmp_path / f"{'c' * 32}.blob").write_bytes(b"kept by an earlier version, without a checksum")
    written = tmp_path / f"{'b' * 32}.compiled.3.4.partial"
    with written.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        network_of(Tiny(), TINY, cache=tmp_path)
        assert sorted(path.suffix for path in tmp_path.iterdir()) == [".compiled", ".partial"]
        assert written.exists()


def test_other_weights_are_another_entry_of_the_cache(small, tmp_path):
    network_of(small, SIGNATURE, cache=tmp_path)
    network_of(Bert(SMALL), SIGNATURE, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_threads_get_their_own_results(small):
    network = network_of(small, SIGNATURE)
    asked = rows(range(1, 33))
    expected = network.run(asked)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: network.run(asked), range(12)):
            assert all(np.allclose(a[0], b[0], atol=1e-6) for a, b in zip(found, expected, strict=True))


def test_other_rows_in_a_shared_run_change_a_result_only_by_rounding(small):
    network = network_of(small, SIGNATURE, engine="torch", batch_tokens=256)
    asked = [rows([n])[0] for n in range(1, 41)]
    alone = [network.run([row])[0][0] for row in asked]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda row: network.run([row])[0][0], asked * 5))
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(alone * 5, together, strict=True))


class Unconvertible(nn.Module):
    def forward(self, input_ids, attention_mask):
        return torch.from_numpy(np.sort(input_ids.numpy(), axis=1)).float(), torch.linalg.eigvals(torch.eye(2)).real


def test_a_network_that_openvino_cannot_convert_runs_on_torch_with_a_warning(caplog):
    form = Signature(("input_ids", "attention_mask"), ("input_ids", None))
    network = network_of(Unconvertible(), form)
    assert network.engine_name == "torch"
    assert "Unconvertible" in caplog.text


def test_openvino_sends_no_telemetry():
    with pytest.raises(ImportError):
        import openvino_telemetry  # noqa: F401


def test_the_first_two_calls_of_a_process_may_be_concurrent():
    script = """
import threading
import numpy as np, torch
from index.inference.blueprint import Blueprint, Parts
from index.inference.runtime import Network, Signature

class Twice(torch.nn.Module):
    def forward(self, input_ids, attention_mask):
        return (input_ids * attention_mask).float().unsqueeze(-1) * 2.0

blueprint = Blueprint("Twice", "none", "", (), lambda: Parts(Twice()))
network = Network(blueprint, Signature(("input_ids", "attention_mask"), ("input_ids",)))
barrier = threading.Barrier(2)
def call():
    barrier.wait()
    (row,) = network.run([{"input_ids": np.array([1, 2, 3])}])
    assert row[0][:, 0].tolist() == [2.0, 4.0, 6.0]
threads = [threading.Thread(target=call) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True, timeout=120)


def test_weights_in_half_precision_are_kept_as_such_and_compute_the_same(small, tmp_path, monkeypatch):
    module = copy.deepcopy(small).half().float()
    asked = rows([5, 31])
    sizes, results = [], []
    for name in ("half", "whole"):
        network = network_of(module, SIGNATURE, cache=tmp_path / name)
        results.append([output for (output,) in network.run(asked)])
        sizes.append(sum(file.stat().st_size for file in (tmp_path / name).iterdir()))
        monkeypatch.setattr("index.inference.conversion._is_in_half_precision", lambda module: False)
    assert all(np.array_equal(one, other) for one, other in zip(*results, strict=True))
    weights = sum(tensor.numel() for tensor in module.state_dict().values())
    assert sizes[1] - sizes[0] > weights  # of four bytes for each, two are saved, but for small ones


def test_networks_that_earlier_versions_kept_are_deleted(small, tmp_path):
    (tmp_path / f"{'a' * 32}.network").write_bytes(b"x")
    (tmp_path / f"{'a' * 32}.blob").write_bytes(b"x")
    network_of(small, SIGNATURE, cache=tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".compiled"]


def test_files_of_others_in_the_folder_of_the_cache_stay(tmp_path):
    names = {"film.partial", "disk.blob", "home.network", "program.compiled"}
    for name in names:
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (0, 0))
    network_of(Tiny(), TINY, cache=tmp_path)
    assert names < {path.name for path in tmp_path.iterdir()}


def test_what_cannot_be_deleted_keeps_no_network_out_of_the_cache(tmp_path, caplog):
    (tmp_path / f"{'a' * 32}.blob").mkdir()
    (tmp_path / f"{'a' * 32}.compiled.1.2.partial").mkdir()
    network_of(Tiny(), TINY, cache=tmp_path)
    assert len([path for path in tmp_path.iterdir() if path.is_file()]) == 1
    assert caplog.text == ""


def test_networks_that_nobody_uses_any_more_are_deleted_after_a_month(tmp_path):
    def days_ago(days):
        return time.time() - days * 86_400

    network_of(Tiny(), TINY, cache=tmp_path)
    (used,) = tmp_path.iterdir()
    old, young = (tmp_path / f"{letter * 32}.compiled" for letter in "ab")
    for kept, days in ((old, 31), (young, 29)):
        kept.write_bytes(b"x")
        os.utime(kept, (days_ago(days),) * 2)
    os.utime(used, (days_ago(31),) * 2)
    network_of(Tiny(), TINY, cache=tmp_path)  # which is a use
    network_of(Tiny(3.0), TINY, cache=tmp_path)  # whose writing deletes
    assert {young, used} < set(tmp_path.iterdir())
    assert not old.exists()
