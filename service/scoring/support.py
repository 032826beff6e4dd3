"""The support checker: a small network that gives the probability that a cited text supports a sentence."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from index.inference.blueprint import Parts
from index.inference.runtime import Signature
from service.scoring.trained_model import ModelConfig, TrainedModel
from service.scoring.windows import CLS, SEP, Tokens, Window, windows

_EMPTY_LOGIT = -50.0


class SupportChecker(TrainedModel):
    """Checks sentences against passages. Thread-safe; CPU-bound. Make one with `SupportChecker.load`."""

    KIND = "support"
    SIGNATURE = Signature(("input_ids", "attention_mask", "token_type_ids"), (None,), head=("attention_mask",))

    @classmethod
    def make(cls, folder: Path, config: ModelConfig) -> Parts:
        """See TrainedModel."""
        from service.scoring.weights import make_support_checker  # noqa: PLC0415  (imports torch: index/inference/blueprint.py)

        return make_support_checker(folder, config)

    def check(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """For every (claim, premise): the probability that the premise supports the whole claim.

        The premise of several cited passages is their texts, joined by blank lines. A premise that is longer than the
        network's input is cut down to the sentences closest to the claim. An empty premise supports nothing: 0.
        """
        config = self.config
        logits = self.logits(pairs)
        return [_sigmoid(config.temperature * logit + config.offset) for logit in logits]

    def logits(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The network's logits before calibration; -50, which stands for minus infinity, for an empty premise."""
        windowed = [premise_window(self._tokeniser, claim, premise, self.config.limit) for claim, premise in pairs]
        rows = [{"input_ids": w.input_ids, "token_type_ids": w.token_type_ids} for w in windowed if w is not None]
        outputs = iter(self._network.run(rows))
        return [float(next(outputs)[0]) if window is not None else _EMPTY_LOGIT for window in windowed]


def _sigmoid(logit: float) -> float:
    """The logistic function, without overflow at either end."""
    small = math.exp(-abs(logit))
    return 1 / (1 + small) if logit >= 0 else small / (1 + small)


def premise_window(tokeniser: Tokenizer, claim: str, premise: str, limit: int) -> Window | None:
    """[CLS] claim [SEP] premise [SEP] in at most `limit` tokens; None if the premise has no sentence.

    A long premise is cut down to the sentences closest to the claim, in their order; a claim is cut at half the limit.
    """
    asked = tokeniser.encode(claim, add_special_tokens=False).ids[: limit // 2]
    encoding = tokeniser.encode(premise, add_special_tokens=False)
    sentences = sentence_spans(premise)
    tokens = Tokens(encoding.ids, encoding.offsets)
    room = limit - len(asked) - 3
    if len(tokens.ids) > room:
        tokens, sentences = closest_sentences(asked, tokens, sentences, room)
    cut = windows(asked, tokens, sentences, limit, head_limit=limit // 2)
    return cut[0] if sentences else None


def closest_sentences(
    claim: Sequence[int], premise: Tokens, sentences: Sequence[Span], room: int
) -> tuple[Tokens, list[Span]]:
    """The tokens and spans of the sentences that share most with the claim, at most `room` tokens, in their order.

    A sentence is ranked by the total weight of the claim's tokens in it; a token's weight is -log of the share of
    sentences that have it. Among equals the earlier sentence is taken.
    """
    owner = [_sentence_of(offset, sentences) for offset in premise.offsets]
    members: list[list[int]] = [[] for _ in sentences]
    for token, number in enumerate(owner):
        if number is not None:
            members[number].append(token)
    held = [{premise.ids[token] for token in tokens} for tokens in members]
    spread = Counter(identifier for identifiers in held for identifier in identifiers)
    claim_ids = {identifier for identifier in claim if identifier not in (CLS, SEP)}
    weight = {i: math.log((len(sentences) + 1) / spread[i]) for i in claim_ids if spread[i]}
    shares = [sum(weight.get(identifier, 0.0) for identifier in identifiers) for identifiers in held]
    chosen: list[int] = []
    used = 0
    for number in sorted(range(len(sentences)), key=lambda n: -shares[n]):
        size = len(members[number])
        if size and (used + size <= room or not chosen):
            chosen.append(number)
            used += size
    chosen.sort()
    kept = [token for number in chosen for token in members[number]]
    return Tokens([premise.ids[t] for t in kept], [premise.offsets[t] for t in kept]), [sentences[n] for n in chosen]


def _sentence_of(offset: tuple[int, int], sentences: Sequence[Span]) -> int | None:
    low, high = 0, len(sentences)
    while low < high:
        middle = (low + high) // 2
        if sentences[middle].end <= offset[0]:
            low = middle + 1
        else:
            high = middle
    return low if low < len(sentences) and sentences[low].start < offset[1] else None
