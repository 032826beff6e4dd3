"""A small BERT encoder: the network on which every small model of Quoth is built.

It has only what inference and fine-tuning need: no dropout, no pooler, a fused query-key-value projection, and
PyTorch's scaled dot-product attention. `from_hugging_face` loads weights by their Hugging Face names; a test checks
that the outputs equal those of transformers' `BertModel`.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from index.inference.shape import BertShape


class Bert(nn.Module):
    """Token ids -> contextual token states."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.segments = nn.Embedding(shape.segments, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """States (B, T, width) of ids (B, T). `attention_mask` is 1 for a token and 0 for padding."""
        return self.states(self.words(input_ids), attention_mask, token_type_ids)

    def states(self, words: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """States (B, T, width) of word vectors (B, T, width)."""
        positions = torch.arange(words.shape[1], device=words.device)
        states: Tensor = self.norm(words + self.positions(positions) + self.segments(token_type_ids))
        mask = self.mask(attention_mask)
        for layer in self.layers:
            states = layer(states, mask)
        return states

    def mask(self, attention_mask: Tensor) -> Tensor:
        """What every layer masks attention with (B, 1, 1, T): true for a token. A subclass may return numbers to add."""
        return attention_mask.bool()[:, None, None, :]


class AfterWords(nn.Module):
    """An encoder after its table of words: word vectors -> contextual token states."""

    def __init__(self, bert: Bert) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, words: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """See `Bert.states`."""
        return self.bert.states(words, attention_mask, token_type_ids)


class Layer(nn.Module):
    """Self-attention and feed-forward, each followed by a residual connection and a norm."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.projection = nn.Linear(shape.width, 3 * shape.width)
        self.attended = nn.Linear(shape.width, shape.width)
        self.attention_norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.expand = nn.Linear(shape.width, shape.inner)
        self.contract = nn.Linear(shape.inner, shape.width)
        self.output_norm = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """States (B, T, width); `mask` is true where a token may be attended to, or numbers that are added to attention."""
        batch, length, width = states.shape
        mixed = self.projection(states).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4).unbind(0)
        context = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        context = context.transpose(1, 2).reshape(batch, length, width)
        states = self.attention_norm(states + self.attended(context))
        output: Tensor = self.output_norm(states + self.contract(functional.gelu(self.expand(states))))
        return output


def from_hugging_face(shape: BertShape, weights: Mapping[str, Tensor]) -> Bert:
    """An encoder in fp32 with the weights of a Hugging Face BERT state dict. `KeyError` names a missing tensor."""
    bert = Bert(shape)
    state = {
        "words.weight": weights["embeddings.word_embeddings.weight"],
        "positions.weight": weights["embeddings.position_embeddings.weight"],
        "segments.weight": weights["embeddings.token_type_embeddings.weight"],
        "norm.weight": weights["embeddings.LayerNorm.weight"],
        "norm.bias": weights["embeddings.LayerNorm.bias"],
    }
    for number in range(shape.layers):
        source, target = f"encoder.layer.{number}.", f"layers.{number}."
        for kind in ("weight", "bias"):
            parts = [weights[f"{source}attention.self.{name}.{kind}"] for name in ("query", "key", "value")]
            state[f"{target}projection.{kind}"] = torch.cat(parts)
            for ours, theirs in _HUGGING_FACE_NAMES.items():
                state[f"{target}{ours}.{kind}"] = weights[f"{source}{theirs}.{kind}"]
    bert.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return bert


_HUGGING_FACE_NAMES = {
    "attended": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "expand": "intermediate.dense",
    "contract": "output.dense",
    "output_norm": "output.LayerNorm",
}
