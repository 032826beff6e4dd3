"""MPNet (Song et al. 2020) as a teacher's encoder: a BERT whose attention has a bias for the distance between two tokens.

Its word pieces are BERT's, four further on, and its positions begin at two. Both are undone when the weights are loaded, so
that it takes BERT's ids. Segments have an embedding here that MPNet has not; it begins at zero.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from index.inference.bert import Bert, from_hugging_face
from index.inference.shape import BertShape
from service.scoring.networks import ReaderNetwork, SupportNetwork
from service.scoring.windows import CLS, SEP

_BUCKETS = 32
_DROPOUT = 0.1
_START, _END, _SHIFT = 0, 2, 4
_FIRST_POSITION = 2
_BERT_NAMES = {
    ".attn.q.": ".self.query.",
    ".attn.k.": ".self.key.",
    ".attn.v.": ".self.value.",
    ".attn.o.": ".output.dense.",
    ".attention.LayerNorm.": ".attention.output.LayerNorm.",
}
NETWORKS: Mapping[str, type[ReaderNetwork] | type[SupportNetwork]] = {
    "reader": ReaderNetwork,
    "support": SupportNetwork,
}


class MPNet(Bert):
    """BERT token ids -> contextual token states, with dropout in training."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__(shape)
        self.distances = nn.Embedding(_BUCKETS, shape.heads)
        for name, part in self.named_modules():
            if name == "norm" or name.endswith((".attended", ".contract")):
                part.register_forward_hook(_drop)

    def mask(self, attention_mask: Tensor) -> Tensor:
        """What is added to attention between two tokens (B, heads, T, T), by their distance; -1e4 for padding."""
        positions = torch.arange(attention_mask.shape[1], device=attention_mask.device)
        bias: Tensor = self.distances(_distance_buckets(positions)).permute(2, 0, 1)[None]
        hidden = ~attention_mask.bool()[:, None, None, :]
        return bias.masked_fill(hidden, -1e4)


def _drop(module: nn.Module, _: object, states: Tensor) -> Tensor:
    return functional.dropout(states, _DROPOUT, module.training)


def _distance_buckets(positions: Tensor) -> Tensor:
    """The bucket of the distance between any two positions (T, T): near ones one by one, far ones on a logarithmic scale."""
    half, exact, farthest = _BUCKETS // 2, _BUCKETS // 4, 128
    distance = positions[:, None] - positions[None, :]
    far = distance.abs().clamp_min(1).float()
    scaled = exact + (torch.log(far / exact) / math.log(farthest / exact) * (half - exact)).long()
    within = torch.where(distance.abs() < exact, distance.abs(), scaled.clamp_max(half - 1))
    return within + torch.where(distance < 0, half, 0)


def mpnet_from_hugging_face(shape: BertShape, weights: Mapping[str, Tensor]) -> MPNet:
    """An encoder in fp32 with the weights of a Hugging Face MPNet state dict. `KeyError` names a missing tensor.

    `shape` counts BERT's word pieces and positions: four and two fewer than MPNet's.
    """
    words = weights["embeddings.word_embeddings.weight"]
    own = words[_SHIFT:].clone()
    own[CLS], own[SEP] = words[_START], words[_END]
    renamed = {_bert_name(name): tensor for name, tensor in weights.items()} | {
        "embeddings.word_embeddings.weight": own,
        "embeddings.position_embeddings.weight": weights["embeddings.position_embeddings.weight"][_FIRST_POSITION:],
        "embeddings.token_type_embeddings.weight": torch.zeros(shape.segments, shape.width),
    }
    distances = weights["encoder.relative_attention_bias.weight"].float()
    encoder = MPNet(shape)
    encoder.load_state_dict({**from_hugging_face(shape, renamed).state_dict(), "distances.weight": distances})
    return encoder


def _bert_name(name: str) -> str:
    for theirs, berts in _BERT_NAMES.items():
        name = name.replace(theirs, berts)
    return name


def read_mpnet(folder: Path) -> MPNet:
    """The encoder in a folder in the form of Hugging Face: config.json, model.safetensors."""
    facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = BertShape(
        vocabulary=facts["vocab_size"] - _SHIFT,
        positions=facts["max_position_embeddings"] - _FIRST_POSITION,
        width=facts["hidden_size"],
        layers=facts["num_hidden_layers"],
        heads=facts["num_attention_heads"],
        inner=facts["intermediate_size"],
        norm_epsilon=facts["layer_norm_eps"],
    )
    return mpnet_from_hugging_face(shape, load_file(folder / "model.safetensors"))


def new_teacher(kind: str, encoder: MPNet) -> ReaderNetwork | SupportNetwork:
    """A teacher of a kind ("reader" or "support") with that encoder and new heads."""
    return NETWORKS[kind](encoder.shape, encoder)


def write_teacher(path: Path, kind: str, network: ReaderNetwork | SupportNetwork) -> None:
    """Write a teacher into one file, in fp16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().half().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, path, {"kind": kind, "shape": json.dumps(asdict(network.bert.shape))})


def read_teacher(path: Path) -> tuple[str, nn.Module]:
    """Kind and network of the file that `write_teacher` wrote."""
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
        network = new_teacher(facts["kind"], MPNet(BertShape(**json.loads(facts["shape"]))))
        network.load_state_dict({name: file.get_tensor(name).float() for name in file.keys()})  # noqa: SIM118 - no mapping
    return facts["kind"], network
