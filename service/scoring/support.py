"""Does the cited passage support the sentence? One small network reads both and gives a probability."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from index.chunking.sentences import Span, sentence_spans
from index.embedding.weights import bundled_folder, read_tokeniser
from index.inference.runtime import EngineName, Form, Network
from service.scoring.files import ModelConfig, read_model
from service.scoring.networks import SupportNetwork
from service.scoring.windows import CLS, SEP, Tokens, Window, windows

KIND = "support"
_FORM = Form(("input_ids", "attention_mask", "token_type_ids"), (None,), head=("attention_mask",))


class SupportChecker:
    """Checks sentences against passages. Thread-safe; CPU-bound. `SupportChecker.load` makes one."""

    def __init__(self, config: ModelConfig, tokeniser: Tokenizer, network: Network) -> None:
        self.config = config
        self._tokeniser = tokeniser
        self._network = network

    @property
    def version(self) -> str:
        """The model's version and the start of its checksum."""
        return f"{self.config.version} ({self.config.sha256[:12]})"

    @classmethod
    def load(cls, folder: Path, cache: Path | None = None, engine: EngineName = "openvino") -> "SupportChecker":
        """The checker in `folder`, its weights compared with their checksum.

        `cache` keeps the compiled network between starts. `engine` "torch" is the fp32 reference. Raises ModelMissing or
        ModelDamaged, naming the file.
        """
        config, weights = read_model(folder, KIND)
        module = SupportNetwork(config.shape)
        module.load_state_dict(weights)
        network = Network(module.bert, _FORM, head=module.heads, cache=cache, engine=engine)
        return cls(config, read_tokeniser(bundled_folder()), network)

    def check(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """For every (claim, premise): the probability that the premise supports the whole claim.

        A premise of several cited passages is their texts, joined by blank lines. One that is longer than the network
        reads is cut down to the sentences closest to the claim. An empty premise supports nothing: 0.
        """
        config = self.config
        logits = self.logits(pairs)
        return [_sigmoid(config.temperature * logit + config.offset) for logit in logits]

    def logits(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The network's logits before calibration; minus infinity (here -50) for an empty premise."""
        windowed = [premise_window(self._tokeniser, claim, premise, self.config.limit) for claim, premise in pairs]
        rows = [{"input_ids": w.input_ids, "token_type_ids": w.token_type_ids} for w in windowed if w is not None]
        found = iter(self._network.run(rows))
        return [float(next(found)[0]) if window is not None else _NOTHING for window in windowed]


_NOTHING = -50.0


def _sigmoid(logit: float) -> float:
    """The logistic function, without overflow at either end."""
    small = math.exp(-abs(logit))
    return 1 / (1 + small) if logit >= 0 else small / (1 + small)


def premise_window(tokeniser: Tokenizer, claim: str, premise: str, limit: int) -> Window | None:
    """[CLS] claim [SEP] premise [SEP] in at most `limit` tokens, or None where the premise has no sentence.

    A long premise is cut down to the sentences closest to the claim, in their order; a claim is read up to half the limit.
    """
    asked = tokeniser.encode(claim, add_special_tokens=False).ids[: limit // 2]
    encoding = tokeniser.encode(premise, add_special_tokens=False)
    sentences = sentence_spans(premise)
    tokens = Tokens(encoding.ids, encoding.offsets)
    room = limit - len(asked) - 3
    if len(tokens.ids) > room:
        tokens, sentences = closest(asked, tokens, sentences, room)
    found = windows(asked, tokens, sentences, limit, head_limit=limit // 2)
    return found[0] if sentences else None


def closest(claim: Sequence[int], premise: Tokens, sentences: Sequence[Span], room: int) -> tuple[Tokens, list[Span]]:
    """The tokens and spans of the sentences that share most with the claim, at most `room` tokens, in their order.

    A sentence's share is the weight of the claim's tokens in it, each weighing -log of the share of sentences that have
    it; among equals the earlier one is taken.
    """
    owner = [_sentence_of(offset, sentences) for offset in premise.offsets]
    members: list[list[int]] = [[] for _ in sentences]
    for token, number in enumerate(owner):
        if number is not None:
            members[number].append(token)
    held = [{premise.ids[token] for token in tokens} for tokens in members]
    spread = Counter(identifier for identifiers in held for identifier in identifiers)
    wanted = {identifier for identifier in claim if identifier not in (CLS, SEP)}
    weight = {i: math.log((len(sentences) + 1) / spread[i]) for i in wanted if spread[i]}
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
