"""The table of word vectors outside the compiled network: the same results, and only the rows asked for in memory."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from index.embedding.weights import bundled_folder
from index.errors import ModelDamaged
from index.inference.bert import AfterWords, Bert
from index.inference.blueprint import Blueprint, Parts
from index.inference.runtime import Network, Signature
from index.inference.shape import BertShape
from index.inference.words import word_vectors
from models import folder

SIGNATURE = Signature(("input_ids", "attention_mask", "token_type_ids"), ("input_ids",))
SMALL = BertShape(vocabulary=50, positions=64, width=24, layers=2, heads=3, inner=48)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (bundled_folder() / "model.safetensors", "embeddings.word_embeddings.weight"),
        (folder("reader") / "model.safetensors", "bert.words.weight"),
    ],
    ids=["fp32", "fp16"],
)
def test_the_table_is_the_tensor_of_the_file(path: Path, name: str) -> None:
    assert np.array_equal(word_vectors(path, name), load_file(path)[name].numpy())


def test_a_file_without_the_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"other": torch.ones(2, 2)}, path)
    with pytest.raises(ModelDamaged, match=rf"{re.escape(str(path))}: not a safetensors file with words"):
        word_vectors(path, "words")
    header = json.dumps({"words": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 8]}}).encode()
    cut = len(header).to_bytes(8, "little") + header
    for content in (b"", b"short", cut, cut + bytes(16)):
        path.write_bytes(content)
        with pytest.raises(ModelDamaged, match=re.escape(str(path))):
            word_vectors(path, "words")


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_vectors_looked_up_outside_give_what_the_whole_network_gives(engine: str) -> None:
    torch.manual_seed(0)
    bert = Bert(SMALL).eval()
    rows = [{"input_ids": np.arange(1, n), "token_type_ids": np.arange(1, n) % 2} for n in (5, 20, 33)]
    whole = Blueprint("whole", "", "", (), lambda: Parts(bert))
    after = Blueprint("after", "", "", (), lambda: Parts(AfterWords(bert)), bert.words.weight.detach().numpy())
    expected = Network(whole, SIGNATURE, engine="torch").run(rows)
    network = Network(after, SIGNATURE, engine=engine)
    assert network.engine_name == engine
    for (found,), (states,) in zip(network.run(rows), expected, strict=True):
        assert np.abs(found - states).max() < (0.05 if engine == "openvino" else 1e-6)  # bf16 states of size 1
