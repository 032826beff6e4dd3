"""The networks of the reader and the support checker: one BERT encoder each, with small heads on top.

Training and inference share these classes; a model folder holds their weights. A teacher brings an encoder of its own.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from index.inference.bert import Bert
from index.inference.shape import BertShape

_HEAD_WIDTH = 256


class ReaderNetwork(nn.Module):
    """Question and passage in one pass: relevance, sentence scores, and the answer's start and end.

    The input of the sentence head is the mean state of the sentence's tokens with the state of [CLS].
    """

    def __init__(self, shape: BertShape, encoder: Bert | None = None) -> None:
        super().__init__()
        self.bert = encoder or Bert(shape)
        self.relevance = Head(shape.width, shape.width)
        self.sentence = Head(2 * shape.width, _HEAD_WIDTH)
        self.span = nn.Linear(shape.width, 2)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, sentence_ids: Tensor, firsts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The outputs of the heads for integer inputs (B, T); see ReaderHeads."""
        states = self.bert(input_ids, attention_mask, token_type_ids)
        logits: tuple[Tensor, Tensor, Tensor] = self.heads(states, sentence_ids, firsts)
        return logits

    @property
    def heads(self) -> "ReaderHeads":
        """The heads, which take the states of `bert`."""
        return ReaderHeads(self.relevance, self.sentence, self.span)


class ReaderHeads(nn.Module):
    """The heads of a reader, without its encoder."""

    def __init__(self, relevance: "Head", sentence: "Head", span: nn.Linear) -> None:
        super().__init__()
        self.relevance = relevance
        self.sentence = sentence
        self.span = span

    def forward(self, states: Tensor, sentence_ids: Tensor, firsts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Relevance logits (B,), sentence logits (B, S), and logits of answer start and end (B, T, 2).

        `states` (B, T, width). `sentence_ids` (B, T) numbers the sentences from 1; 0 is outside any sentence. `firsts`
        (B, S) is the position of one token of each sentence; its values beyond a passage's last sentence are ignored.
        """
        first = states[:, :1]
        numbers = sentence_ids.gather(1, firsts)
        members = (numbers[:, :, None] == sentence_ids[:, None, :]).to(states.dtype)
        means = members @ states / members.sum(-1, keepdim=True)
        sentence = self.sentence(torch.cat([means, first.expand_as(means)], dim=-1))
        return self.relevance(first).squeeze(1), sentence, self.span(states)


class SupportNetwork(nn.Module):
    """Claim and premise in one pass: the logit that the premise supports the whole claim."""

    def __init__(self, shape: BertShape, encoder: Bert | None = None) -> None:
        super().__init__()
        self.bert = encoder or Bert(shape)
        self.support = Head(2 * shape.width, shape.width)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Support logits (B,) of integer inputs (B, T)."""
        logits: Tensor = self.heads(self.bert(input_ids, attention_mask, token_type_ids), attention_mask)
        return logits

    @property
    def heads(self) -> "SupportHeads":
        """The heads, which take the states of `bert`."""
        return SupportHeads(self.support)


class SupportHeads(nn.Module):
    """The head of a support network, without its encoder."""

    def __init__(self, support: "Head") -> None:
        super().__init__()
        self.support = support

    def forward(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        """Support logits (B,) of states (B, T, width), from [CLS] and the mean state of all tokens."""
        weight = attention_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * weight).sum(1) / weight.sum(1)
        support: Tensor = self.support(torch.cat([states[:, 0], mean], dim=-1))
        return support


class Head(nn.Module):
    """Two linear layers with a GELU between them, ending in one logit."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, inner)
        self.outer = nn.Linear(inner, 1)

    def forward(self, states: Tensor) -> Tensor:
        """Logits (...,) of states (..., width)."""
        logits: Tensor = self.outer(functional.gelu(self.inner(states)))
        return logits.squeeze(-1)
