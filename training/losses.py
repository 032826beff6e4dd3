"""The losses: relevance, ranking, sentences and answer span by labels, and the same (but for the span) by a teacher."""

import torch
from torch import Tensor
from torch.nn import functional

from training.batches import ReaderBatch

WEIGHTS = {"relevance": 1.0, "ranking": 0.5, "choice": 1.0, "sentence": 1.5, "span": 0.3, "support": 1.0}
TAUGHT_SHARE = 0.4
"""Weight of a labelled example's own losses where a teacher has labelled it, too; the teacher's losses have weight 1."""
_SMOOTHING = 0.05


def reader_losses(relevance: Tensor, sentence: Tensor, span: Tensor, batch: ReaderBatch) -> dict[str, Tensor]:
    """Each loss by name, in fp32, from the network's logits (B,), (B, S) and (B, T, 2).

    relevance: binary cross-entropy per window. ranking: softmax over the windows of a question that has answering and
    other windows. choice: softmax over the sentences of an answering window; the probabilities of the gold sentences are added.
    sentence: binary cross-entropy per sentence, averaged over each window first. span: cross-entropy of start and end inside
    the gold sentence. Where a teacher was asked, its share is `TAUGHT_SHARE` of that, and "taught_..." follow the teacher.
    """
    relevance, sentence = relevance.float(), sentence.float()
    taught = ~batch.taught_relevance.isnan()
    share = torch.where(taught, TAUGHT_SHARE, 1.0)
    losses = {"relevance": _relevance_loss(relevance, batch.relevant, share)}
    sizes = torch.bincount(batch.group)
    labelled = batch.relevant >= 0
    positives = torch.bincount(batch.group, weights=batch.relevant.clamp_min(0))
    known_groups = torch.bincount(batch.group, weights=labelled.float()) == sizes
    both = (positives > 0) & (positives < sizes) & known_groups
    group_share = torch.ones_like(positives).scatter_reduce(0, batch.group, share.to(positives.dtype), "amin")
    losses["ranking"] = _shared_softmax(relevance, batch.relevant.clamp_min(0), batch.group, both, group_share)
    known = batch.gold >= 0
    row, gold = batch.row[known], batch.gold[known]
    logits = sentence[row, batch.place[known]]
    windows = len(relevance)
    chosen = torch.bincount(row, weights=gold, minlength=windows) > 0
    losses["choice"] = _shared_softmax(logits, gold, row, chosen, share)
    each = functional.binary_cross_entropy_with_logits(logits, gold, reduction="none")
    losses["sentence"] = _window_mean(each, row, share)
    losses["span"] = _span_loss(span.float(), batch.span)
    if taught.any():
        losses |= taught_losses(relevance, sentence, batch, taught)
    return losses


def taught_losses(relevance: Tensor, sentence: Tensor, batch: ReaderBatch, taught: Tensor) -> dict[str, Tensor]:
    """Each loss by name against a teacher's logits, over the windows that it has labelled.

    Cross-entropy with the teacher's probabilities of relevance and of each sentence; divergence (Kullback-Leibler) from its
    softmax over the windows of a question, and over the sentences of a window, the latter weighted by how relevant it finds it.
    """
    wanted = batch.taught_relevance
    losses = {
        "taught_relevance": functional.binary_cross_entropy_with_logits(relevance[taught], wanted[taught].sigmoid())
    }
    groups = int(batch.group.max()) + 1
    whole = torch.bincount(batch.group, weights=taught.float(), minlength=groups) == torch.bincount(batch.group)
    several = whole & (torch.bincount(batch.group) > 1)
    losses["taught_ranking"] = _divergence(
        relevance, wanted, batch.group, several, torch.ones(groups, device=relevance.device)
    )
    known = ~batch.taught_sentences.isnan()
    row, place, logits = batch.row[known], batch.place[known], batch.taught_sentences[known]
    own = sentence[row, place]
    weight = torch.where(taught, 0.2 + 0.8 * wanted.nan_to_num().sigmoid(), 0.0)
    losses["taught_choice"] = _divergence(own, logits, row, weight > 0, weight)
    each = functional.binary_cross_entropy_with_logits(own, logits.sigmoid(), reduction="none")
    losses["taught_sentence"] = _window_mean(each, row, torch.ones_like(weight))
    return losses


def weighted_sum(losses: dict[str, Tensor]) -> Tensor:
    """The sum of the losses, weighted by `WEIGHTS`."""
    return torch.stack([WEIGHTS[name.removeprefix("taught_")] * loss for name, loss in losses.items()]).sum()


def support_losses(logits: Tensor, batch: ReaderBatch) -> dict[str, Tensor]:
    """Binary cross-entropy by label and by teacher. Labels are smoothed, because several sources were labelled by machine."""
    logits = logits.float()
    taught = ~batch.taught_relevance.isnan()
    share = torch.where(taught, TAUGHT_SHARE, 1.0)
    smooth = torch.where(batch.relevant >= 0, batch.relevant * (1 - _SMOOTHING) + _SMOOTHING / 2, -1.0)
    losses = {"support": _relevance_loss(logits, smooth, share)}
    if taught.any():
        wanted = batch.taught_relevance[taught].sigmoid()
        losses["taught_support"] = functional.binary_cross_entropy_with_logits(logits[taught], wanted)
    return losses


def _relevance_loss(logits: Tensor, labels: Tensor, share: Tensor) -> Tensor:
    known = labels >= 0
    if not known.any():
        return logits.sum() * 0
    each = functional.binary_cross_entropy_with_logits(logits[known], labels[known], reduction="none")
    return (each * share[known]).mean()


def _window_mean(each: Tensor, row: Tensor, share: Tensor) -> Tensor:
    """The mean over windows of the mean over their sentences, times the share of each window; 0 without any sentence."""
    if not len(row):
        return each.sum()
    windows = len(share)
    counts = torch.bincount(row, minlength=windows)
    sums = torch.zeros(windows, device=each.device).index_add(0, row, each)
    return (sums[counts > 0] / counts[counts > 0] * share[counts > 0]).mean()


def _log_softmax(logits: Tensor, group: Tensor, size: int) -> Tensor:
    """The logarithm of the softmax over the members of each group."""
    peak = torch.full((size,), -1e9, device=logits.device).scatter_reduce(0, group, logits.detach(), "amax")
    total = torch.zeros(size, device=logits.device).index_add(0, group, (logits - peak[group]).exp())
    return logits - peak[group] - total.log()[group]


def _shared_softmax(logits: Tensor, gold: Tensor, group: Tensor, counted: Tensor, share: Tensor) -> Tensor:
    """Mean over the groups where `counted` is true of -log(sum of the gold members' softmax probabilities); 0 without any."""
    if not counted.any():
        return logits.sum() * 0
    right = torch.zeros(len(counted), device=logits.device)
    right = right.index_add(0, group, _log_softmax(logits, group, len(counted)).exp() * gold.float())
    return (-right[counted].clamp_min(1e-6).log() * share[counted]).mean()


def _divergence(logits: Tensor, wanted: Tensor, group: Tensor, counted: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over the counted groups of the divergence from the softmax of `wanted`; 0 without any."""
    if not counted.any() or not len(logits):
        return logits.sum() * 0
    size = len(counted)
    target = _log_softmax(wanted.nan_to_num(), group, size)
    terms = target.exp() * (target - _log_softmax(logits, group, size))
    sums = torch.zeros(size, device=logits.device).index_add(0, group, terms)
    return (sums * weight)[counted].sum() / weight[counted].sum()


def _span_loss(tokens: Tensor, span: Tensor) -> Tensor:
    if not len(span):
        return tokens.sum() * 0
    places = torch.arange(tokens.shape[1], device=tokens.device)
    inside = (places >= span[:, 1:2]) & (places < span[:, 2:3])
    logits = tokens[span[:, 0]].masked_fill(~inside.unsqueeze(-1), -1e9)
    return (
        functional.cross_entropy(logits[..., 0], span[:, 3]) + functional.cross_entropy(logits[..., 1], span[:, 4])
    ) / 2
