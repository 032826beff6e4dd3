"""The network of all-MiniLM-L6-v2: its encoder, and the mean of its states. Apart from minilm.py, which runs without torch."""

from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor, nn

from index.embedding.weights import read_verified
from index.inference.bert import Bert, from_hugging_face
from index.inference.blueprint import Parts
from index.inference.shape import BertShape


def make_minilm(weights: Path, sha256: str, shape: BertShape) -> Parts:
    """The network with the weights in a file. Raises `ModelMissing` or `ModelDamaged`.

    They are rounded to half precision, for half the space; the table of words, which is outside, is not.
    """
    exact = load(read_verified(weights, sha256))
    return Parts(MeanPooled(from_hugging_face(shape, {name: tensor.half() for name, tensor in exact.items()})))


class MeanPooled(nn.Module):
    """The mean of the token states where the mask is 1, which is the pooling that the model was trained with."""

    def __init__(self, bert: Bert) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, words: Tensor, attention_mask: Tensor) -> Tensor:
        """Mean states (B, width) of word vectors (B, T, width)."""
        states = self.bert.states(words, attention_mask, torch.zeros_like(attention_mask))
        weights = attention_mask[:, :, None].to(states.dtype)
        pooled: Tensor = (states * weights).sum(dim=1) / weights.sum(dim=1)
        return pooled
