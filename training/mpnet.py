"""MPNet as a teacher's encoder (Song et al. 2020), over the word pieces of BERT: its own are the same, four further on.

Positions count in two ways: each has an embedding, and attention has a bias for the distance between two tokens. Segments have
an embedding here that MPNet has not; it begins at zero. `mpnet_from_hugging_face` loads weights by their Hugging Face names.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from service.scoring.networks import Head, ReaderHeads, SupportHeads
from service.scoring.windows import CLS, SEP

_START, _PAD, _END, _SHIFT = 0, 1, 2, 4
_FIRST_POSITION = 2
_SENTENCE_WIDTH = 256


@dataclass(frozen=True)
class MPNetShape:
    """Sizes of an MPNet encoder. The defaults are those of all-mpnet-base-v2."""

    vocabulary: int = 30527
    positions: int = 514
    width: int = 768
    layers: int = 12
    heads: int = 12
    inner: int = 3072
    buckets: int = 32
    norm_epsilon: float = 1e-5
    dropout: float = 0.1


class MPNet(nn.Module):
    """BERT token ids -> contextual token states."""

    def __init__(self, shape: MPNetShape) -> None:
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.segments = nn.Embedding(2, shape.width)
        nn.init.zeros_(self.segments.weight)
        self.norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.distances = nn.Embedding(shape.buckets, shape.heads)
        self.layers = nn.ModuleList(MPNetLayer(shape) for _ in range(shape.layers))
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """States (B, T, width) of BERT's ids (B, T). `attention_mask` is 1 for a token and 0 for padding."""
        visible = attention_mask.bool()
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        embedded = self.words(_own_ids(input_ids, visible)) + self.positions(positions + _FIRST_POSITION)
        states: Tensor = self.dropout(self.norm(embedded + self.segments(token_type_ids)))
        bias = self.distances(_buckets(positions, self.shape.buckets)).permute(2, 0, 1)[None]
        bias = bias.masked_fill(~visible[:, None, None, :], -1e4)
        for layer in self.layers:
            states = layer(states, bias)
        return states


class MPNetLayer(nn.Module):
    """Self-attention and feed-forward, each followed by a residual connection and a norm."""

    def __init__(self, shape: MPNetShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.projection = nn.Linear(shape.width, 3 * shape.width)
        self.attended = nn.Linear(shape.width, shape.width)
        self.attention_norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.expand = nn.Linear(shape.width, shape.inner)
        self.contract = nn.Linear(shape.inner, shape.width)
        self.output_norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """States (B, T, width); `bias` (B, heads, T, T) is added to what attention compares."""
        batch, length, width = states.shape
        mixed = self.projection(states).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4).unbind(0)
        context = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        context = context.transpose(1, 2).reshape(batch, length, width)
        states = self.attention_norm(states + self.dropout(self.attended(context)))
        output: Tensor = self.output_norm(states + self.dropout(self.contract(functional.gelu(self.expand(states)))))
        return output


def _own_ids(input_ids: Tensor, visible: Tensor) -> Tensor:
    """MPNet's ids of BERT's."""
    own = torch.where(input_ids == CLS, _START, torch.where(input_ids == SEP, _END, input_ids + _SHIFT))
    return torch.where(visible, own, _PAD)


def _buckets(positions: Tensor, count: int) -> Tensor:
    """The bucket of the distance between any two positions (T, T): near ones one by one, far ones on a logarithmic scale."""
    half, exact, farthest = count // 2, count // 4, 128
    distance = positions[:, None] - positions[None, :]
    far = distance.abs().clamp_min(1).float()
    scaled = exact + (torch.log(far / exact) / math.log(farthest / exact) * (half - exact)).long()
    within = torch.where(distance.abs() < exact, distance.abs(), scaled.clamp_max(half - 1))
    return within + torch.where(distance < 0, half, 0)


class TeacherReader(nn.Module):
    """A reader network on MPNet."""

    def __init__(self, shape: MPNetShape) -> None:
        super().__init__()
        self.bert = MPNet(shape)
        self.relevance = Head(shape.width, shape.width)
        self.sentence = Head(2 * shape.width, _SENTENCE_WIDTH)
        self.span = nn.Linear(shape.width, 2)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, sentence_ids: Tensor, firsts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The outputs of the heads for integer inputs (B, T); see ReaderHeads."""
        heads = ReaderHeads(self.relevance, self.sentence, self.span)
        logits: tuple[Tensor, Tensor, Tensor] = heads(
            self.bert(input_ids, attention_mask, token_type_ids), sentence_ids, firsts
        )
        return logits


class TeacherSupport(nn.Module):
    """A support network on MPNet."""

    def __init__(self, shape: MPNetShape) -> None:
        super().__init__()
        self.bert = MPNet(shape)
        self.support = Head(2 * shape.width, shape.width)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Support logits (B,) of integer inputs (B, T)."""
        heads = SupportHeads(self.support)
        logits: Tensor = heads(self.bert(input_ids, attention_mask, token_type_ids), attention_mask)
        return logits


def mpnet_from_hugging_face(shape: MPNetShape, weights: Mapping[str, Tensor]) -> MPNet:
    """An encoder in fp32 with the weights of a Hugging Face MPNet state dict. `KeyError` names a missing tensor."""
    encoder = MPNet(shape)
    state = {
        "words.weight": weights["embeddings.word_embeddings.weight"],
        "positions.weight": weights["embeddings.position_embeddings.weight"],
        "segments.weight": encoder.segments.weight,
        "norm.weight": weights["embeddings.LayerNorm.weight"],
        "norm.bias": weights["embeddings.LayerNorm.bias"],
        "distances.weight": weights["encoder.relative_attention_bias.weight"],
    }
    for number in range(shape.layers):
        source, target = f"encoder.layer.{number}.", f"layers.{number}."
        for kind in ("weight", "bias"):
            state[f"{target}projection.{kind}"] = torch.cat(
                [weights[f"{source}attention.attn.{p}.{kind}"] for p in "qkv"]
            )
            for ours, theirs in _HUGGING_FACE_NAMES.items():
                state[f"{target}{ours}.{kind}"] = weights[f"{source}{theirs}.{kind}"]
    encoder.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return encoder


def read_mpnet(folder: Path) -> MPNet:
    """The encoder in a folder in the form of Hugging Face: config.json, model.safetensors."""
    facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = MPNetShape(
        vocabulary=facts["vocab_size"],
        positions=facts["max_position_embeddings"],
        width=facts["hidden_size"],
        layers=facts["num_hidden_layers"],
        heads=facts["num_attention_heads"],
        inner=facts["intermediate_size"],
        buckets=facts["relative_attention_num_buckets"],
        norm_epsilon=facts["layer_norm_eps"],
    )
    return mpnet_from_hugging_face(shape, load_file(folder / "model.safetensors"))


_HUGGING_FACE_NAMES = {
    "attended": "attention.attn.o",
    "attention_norm": "attention.LayerNorm",
    "expand": "intermediate.dense",
    "contract": "output.dense",
    "output_norm": "output.LayerNorm",
}

_NETWORKS: Mapping[str, type[TeacherReader] | type[TeacherSupport]] = {
    "reader": TeacherReader,
    "support": TeacherSupport,
}


def new_teacher(kind: str, encoder: MPNet) -> TeacherReader | TeacherSupport:
    """A teacher of a kind ("reader" or "support") with that encoder and new heads."""
    network = _NETWORKS[kind](encoder.shape)
    network.bert.load_state_dict(encoder.state_dict())
    return network


def write_teacher(path: Path, kind: str, network: TeacherReader | TeacherSupport) -> None:
    """Write a teacher into one file, in fp16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().half().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, path, {"kind": kind, "shape": json.dumps(asdict(network.bert.shape))})


def read_teacher(path: Path) -> tuple[str, nn.Module]:
    """Kind and network of the file that `write_teacher` wrote."""
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
        network = _NETWORKS[facts["kind"]](MPNetShape(**json.loads(facts["shape"])))
        network.load_state_dict({name: file.get_tensor(name).float() for name in file.keys()})  # noqa: SIM118 - no mapping
    return facts["kind"], network
