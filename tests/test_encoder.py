"""The encoders: vectors equal to the reference, fingerprints, and missing or damaged models."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index.embedding.encoder import SentenceEncoder
from index.embedding.minilm import MiniLM
from index.embedding.weights import bundled_folder, folder_hash, read_verified
from index.errors import ModelDamaged, ModelMissing

TEXTS = [
    "Seoul blames the North.",
    "x",
    "",
    "emoji 🎉 and e\u0301 accents, 漢字, עברית",
    "A much longer text that goes on. " * 60,
    "Offsets are counted in code points.\r\n\fPages too.\0",
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(scope="module")
def encoder(cache: Path) -> SentenceEncoder:
    return SentenceEncoder(cache=cache)


def test_vectors_are_those_of_sentence_transformers_in_fp32(encoder: SentenceEncoder) -> None:
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(bundled_folder()), device="cpu")
    expected = reference.encode(TEXTS, normalize_embeddings=True)
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (vectors * expected).sum(axis=1).min() > 0.995
    exact = MiniLM(bundled_folder(), engine="torch").encode(TEXTS)
    assert (exact * expected).sum(axis=1).min() > 0.9999


def test_any_other_model_is_run_by_sentence_transformers(encoder: SentenceEncoder) -> None:
    other = SentenceEncoder(str(bundled_folder()))
    assert (other.dimension, other.max_tokens) == (encoder.dimension, encoder.max_tokens) == (384, 256)
    assert (other.encode(TEXTS) * encoder.encode(TEXTS)).sum(axis=1).min() > 0.995
    assert other.fingerprint == f"{bundled_folder()}@{folder_hash(bundled_folder())[:16]}"
    assert other.encode([]).shape == (0, 384)


def test_the_bundled_model_has_two_names(encoder: SentenceEncoder) -> None:
    assert encoder.fingerprint == "all-MiniLM-L6-v2@53aa51172d142c89"
    assert SentenceEncoder("sentence-transformers/all-MiniLM-L6-v2").fingerprint == encoder.fingerprint


def test_token_offsets_are_code_points_of_the_whole_text(encoder: SentenceEncoder) -> None:
    text = "🎉 Naïve words " * 300
    offsets = encoder.token_offsets(text)
    assert len(offsets) > 3 * 256
    assert {text[start:end] for start, end in offsets} == {"🎉", "Naïve", "words"}
    assert encoder.token_offsets("").shape == (0, 2)


def test_a_missing_model_is_reported_with_how_to_get_it() -> None:
    encoder = SentenceEncoder("nobody/no-such-model")
    with pytest.raises(
        ModelMissing, match=r"'nobody/no-such-model' is neither a folder nor .* hf download nobody/no-such-model"
    ):
        encoder.encode(["x"])
    with pytest.raises(ModelMissing):
        _ = encoder.fingerprint


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelDamaged, match=r"model\.safetensors: SHA-256 is .*, expected 53aa5117"):
        MiniLM(tmp_path)
    with pytest.raises(ModelMissing, match="gone"):
        read_verified(tmp_path / "gone", "")
    with pytest.raises(ModelDamaged, match="sentence-transformers cannot load it"):
        SentenceEncoder(str(tmp_path)).encode(["x"])


def test_neither_opening_a_collection_nor_cutting_chunks_loads_a_model() -> None:
    script = """
import sys
from index.collection import Collection
from index.embedding.encoder import SentenceEncoder
encoder = SentenceEncoder()
facts = encoder.fingerprint, encoder.dimension, encoder.max_tokens, len(encoder.token_offsets("some words"))
assert facts[1:] == (384, 256, 2), facts
print(sorted(name for name in ("torch", "openvino", "transformers") if name in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent
    )
    assert done.stdout == "[]\n"
