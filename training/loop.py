"""The training loop: time or step budget, learning rate, mean of the last weights, checkpoints, resume."""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

Item = TypeVar("Item")


@dataclass(frozen=True)
class TrainingBudget:
    """Length and learning rates of a run: minutes, share of them for the cool-down, peak rates of encoder and heads.

    `steps`, where given, sets the length instead of `minutes`, so that a busy machine trains as much as an idle one.
    """

    minutes: float
    cool: float
    encoder_rate: float
    head_rate: float
    checkpoint_minutes: float = 3.0
    steps: int | None = None


AVERAGED_SHARE = 1 / 3
"""The last part of a run, whose weights are averaged (Izmailov et al. 2018, stochastic weight averaging)."""


def best_device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Training:
    """One run, kept in a folder: `checkpoint.pt` to resume from, `log.jsonl` with every measurement.

    `network.bert` is the encoder. Its word embeddings are frozen: they are half the weights,
    and a batch updates few of them. With `frozen_layers`, so are the position embeddings and that many of its first layers.
    The network is trained on `device`; when the run ends, it has the mean of the weights of the last third.
    """

    def __init__(
        self,
        network: nn.Module,
        folder: Path,
        budget: TrainingBudget,
        frozen_layers: int = 0,
    ) -> None:
        self.device = best_device()
        self.network = network.to(self.device)
        self.budget = budget
        self.step = 0
        self.seconds = 0.0
        self._averaged = 0
        self._mean: dict[str, Tensor] = {}
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        bert = network.get_submodule("bert")
        for part in _frozen_parts(bert, frozen_layers):
            part.requires_grad_(False)
        encoder = [p for p in bert.parameters() if p.requires_grad]
        encoder_ids = {id(p) for p in bert.parameters()}
        heads = [p for p in network.parameters() if id(p) not in encoder_ids]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": encoder, "lr": 0.0, "peak": budget.encoder_rate},
                {"params": heads, "lr": 0.0, "peak": budget.head_rate},
            ],
            betas=(0.9, 0.98),
            weight_decay=0.01,
            fused=True,
        )

    @property
    def share(self) -> float:
        """Share of the budget already used, 0 to 1."""
        if self.budget.steps is not None:
            return self.step / self.budget.steps if self.step < self.budget.steps else 1.0
        return min(1.0, self.seconds / (60 * self.budget.minutes))

    def resume(self) -> bool:
        """Load the last checkpoint of the folder. False where the folder has none."""
        path = self._folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, weights_only=True, map_location=self.device)
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        self._averaged, self._mean = state["averaged"], state["mean"]
        return True

    def save(self) -> None:
        """Write the checkpoint; an interrupted write leaves the previous one in place."""
        state = {
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "averaged": self._averaged,
            "mean": self._mean,
        }
        part = self._folder / "checkpoint.part"
        torch.save(state, part)
        part.replace(self._folder / "checkpoint.pt")

    def log(self, **facts: object) -> None:
        """Append a line to log.jsonl and print it."""
        line = json.dumps({"step": self.step, "minutes": round(self.seconds / 60, 2), **facts})
        with (self._folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def run(
        self,
        items: Iterable[Item],
        losses: Callable[[nn.Module, Item], tuple[dict[str, Tensor], Tensor]],
        measure: Callable[[], None],
        measure_minutes: float,
    ) -> None:
        """Take one optimiser step per item until the budget is spent; `losses` returns the named losses and their sum.

        `measure` runs every `measure_minutes` of training and, with the mean weights, at the end. Its time does not count
        towards the budget; that of making the items does, since a GPU works on a step while the next item is made.
        """
        sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=self.device))
        counted, saved, measured = 0, self.seconds, self.seconds
        begin = time.monotonic()
        for item in _take_while(items, lambda: self.share < 1):
            rate = rate_factor(self.share, cool=self.budget.cool)
            for group in self._optimizer.param_groups:
                group["lr"] = group["peak"] * rate
            with torch.autocast(self.device.type, dtype=torch.bfloat16):
                named, loss = losses(self.network, item)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            self.step += 1
            if self.share >= 1 - AVERAGED_SHARE:
                self._add_to_mean()
            self.seconds += time.monotonic() - begin
            begin = time.monotonic()
            counted += 1
            for name, value in named.items():
                sums[name] += value.detach()
            if counted == 50:
                means = {name: round(float(value) / counted, 4) for name, value in sums.items()}
                self.log(rate=round(rate, 3), **means)
                sums.clear()
                counted = 0
            if self.seconds - saved > 60 * self.budget.checkpoint_minutes:
                self.save()
                saved = self.seconds
            if self.seconds - measured > 60 * measure_minutes:
                measure()
                measured = self.seconds
                begin = time.monotonic()
        self.save()
        self._use_mean()
        measure()

    @torch.no_grad()
    def _add_to_mean(self) -> None:
        """Add the trained weights to their mean."""
        self._averaged += 1
        for name, weight in self.network.named_parameters():
            if weight.requires_grad:
                known = self._mean.setdefault(name, weight.detach().clone())
                known.lerp_(weight.detach(), 1 / self._averaged)

    @torch.no_grad()
    def _use_mean(self) -> None:
        """Give the network the mean weights, where there are any."""
        weights = dict(self.network.named_parameters())
        for name, mean in self._mean.items():
            weights[name].copy_(mean)


def _frozen_parts(bert: nn.Module, layers: int) -> Iterator[nn.Module]:
    yield bert.get_submodule("words")
    if layers:
        yield bert.get_submodule("positions")
        yield bert.get_submodule("segments")
        yield bert.get_submodule("norm")
        for number in range(layers):
            yield bert.get_submodule(f"layers.{number}")


def _take_while(items: Iterable[Item], going: Callable[[], bool]) -> Iterator[Item]:
    for item in items:
        if not going():
            return
        yield item


def rate_factor(share: float, warm: float = 0.03, cool: float = 0.2) -> float:
    """The multiplier of the peak rate at `share` (0 to 1) of the budget: linear up, constant, then 1 - sqrt down to 0.

    The shape is warm-up, stable, decay (Hu et al. 2024, MiniCPM) with the square-root cool-down of Haegele et al. 2024. It
    depends on the share alone, so a run with a shorter budget cools down too.
    """
    if share < warm:
        return max(share / warm, 0.01)
    if share < 1 - cool:
        return 1.0
    return float(max(0.0, 1 - ((min(share, 1.0) - (1 - cool)) / cool) ** 0.5))
