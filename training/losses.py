"""The reader's losses (relevance, ranking, sentences, answer span) and their weighted sum."""

import torch
from torch import Tensor
from torch.nn import functional

from training.batches import ReaderBatch

WEIGHTS = {"relevance": 1.0, "ranking": 0.5, "choice": 1.0, "sentence": 1.5, "span": 0.3}


def reader_losses(relevance: Tensor, sentence: Tensor, span: Tensor, batch: ReaderBatch) -> dict[str, Tensor]:
    """Each loss by name, in fp32, from the network's logits (B,), (B, S) and (B, T, 2).

    relevance: binary cross-entropy per window. ranking: softmax over the windows of a question that has answering and
    other windows. choice: softmax over the sentences of an answering window; the probabilities of the gold sentences are added.
    sentence: binary cross-entropy per sentence, averaged over each window first. span: cross-entropy of start and end inside
    the gold sentence.
    """
    relevance, sentence = relevance.float(), sentence.float()
    losses = {"relevance": functional.binary_cross_entropy_with_logits(relevance, batch.relevant)}
    sizes = torch.bincount(batch.group)
    positives = torch.bincount(batch.group, weights=batch.relevant)
    both = (positives > 0) & (positives < sizes)
    losses["ranking"] = _shared_softmax(relevance, batch.relevant, batch.group, both)
    known = batch.gold >= 0
    row, gold = batch.row[known], batch.gold[known]
    logits = sentence[row, batch.place[known]]
    windows = len(relevance)
    chosen = torch.bincount(row, weights=gold, minlength=windows) > 0
    losses["choice"] = _shared_softmax(logits, gold, row, chosen)
    each = functional.binary_cross_entropy_with_logits(logits, gold, reduction="none")
    counts = torch.bincount(row, minlength=windows)
    losses["sentence"] = (
        torch.zeros(windows).index_add(0, row, each)[counts > 0].div(counts[counts > 0]).mean()
        if len(row)
        else each.sum()
    )
    losses["span"] = _span_loss(span.float(), batch.span)
    return losses


def weighted_sum(losses: dict[str, Tensor]) -> Tensor:
    """The sum of the losses, weighted by `WEIGHTS`."""
    return torch.stack([WEIGHTS[name] * loss for name, loss in losses.items()]).sum()


def _shared_softmax(logits: Tensor, gold: Tensor, group: Tensor, counted: Tensor) -> Tensor:
    """Mean over the groups where `counted` is true of -log(sum of the gold members' softmax probabilities); 0 without any."""
    size = len(counted)
    if not counted.any():
        return logits.sum() * 0
    peak = torch.full((size,), -1e9).scatter_reduce(0, group, logits.detach(), "amax")
    weight = (logits - peak[group]).exp()
    everything = torch.zeros(size).index_add(0, group, weight)
    right = torch.zeros(size).index_add(0, group, weight * gold)
    return -(right[counted] / everything[counted]).clamp_min(1e-6).log().mean()


def _span_loss(tokens: Tensor, span: Tensor) -> Tensor:
    if not len(span):
        return tokens.sum() * 0
    places = torch.arange(tokens.shape[1])
    inside = (places >= span[:, 1:2]) & (places < span[:, 2:3])
    logits = tokens[span[:, 0]].masked_fill(~inside.unsqueeze(-1), -1e9)
    return (
        functional.cross_entropy(logits[..., 0], span[:, 3]) + functional.cross_entropy(logits[..., 1], span[:, 4])
    ) / 2
