"""The training loop: a time budget, checkpoints, resume, and a learning rate that cools down at the end."""

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

from training.schedule import factor

Item = TypeVar("Item")


@dataclass(frozen=True)
class Budget:
    """How long and how fast: minutes of training, share of it that cools down, peak rates of encoder and heads.

    `steps`, where given, is the length instead: the same on a busy machine as on an idle one.
    """

    minutes: float
    cool: float
    encoder_rate: float
    head_rate: float
    checkpoint_minutes: float = 3.0
    steps: int | None = None


class Training:
    """One run in a folder: `checkpoint.pt` to resume from, `log.jsonl` with every measurement.

    `network.bert` is the encoder; its word embeddings stay as they are (half the weights, and a batch moves few of them).
    """

    def __init__(self, network: nn.Module, folder: Path, budget: Budget) -> None:
        self.network = network
        self.budget = budget
        self.step = 0
        self.seconds = 0.0
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        bert = network.get_submodule("bert")
        bert.get_submodule("words").requires_grad_(False)
        slow = [p for p in bert.parameters() if p.requires_grad]
        inside = {id(p) for p in bert.parameters()}
        fast = [p for p in network.parameters() if id(p) not in inside]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": slow, "lr": 0.0, "peak": budget.encoder_rate},
                {"params": fast, "lr": 0.0, "peak": budget.head_rate},
            ],
            betas=(0.9, 0.98),
            weight_decay=0.01,
            fused=True,
        )

    @property
    def share(self) -> float:
        """Share of the budget that is used up, 0 to 1."""
        if self.budget.steps is not None:
            return self.step / self.budget.steps if self.step < self.budget.steps else 1.0
        return min(1.0, self.seconds / (60 * self.budget.minutes))

    @property
    def cooling(self) -> bool:
        """Whether the cool-down has begun."""
        return self.share >= 1 - self.budget.cool

    def resume(self) -> bool:
        """Takes up the last checkpoint of the folder, if there is one."""
        path = self._folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        return True

    def save(self) -> None:
        """Writes the checkpoint, whole or not at all."""
        state = {
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        part = self._folder / "checkpoint.part"
        torch.save(state, part)
        part.replace(self._folder / "checkpoint.pt")

    def log(self, **facts: object) -> None:
        """Adds a line to log.jsonl and shows it."""
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
        """Steps over `items` until the budget is spent; `losses` gives the named losses and their sum.

        `measure` runs every `measure_minutes` and at the end; its time does not count.
        """
        sums: dict[str, float] = defaultdict(float)
        counted, saved, measured = 0, self.seconds, self.seconds
        for item in _while(items, lambda: self.share < 1):
            begin = time.monotonic()
            rate = factor(self.share, cool=self.budget.cool)
            for group in self._optimizer.param_groups:
                group["lr"] = group["peak"] * rate
            with torch.autocast("cpu", dtype=torch.bfloat16):
                named, loss = losses(self.network, item)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            self.step += 1
            self.seconds += time.monotonic() - begin
            counted += 1
            for name, value in named.items():
                sums[name] += float(value.detach())
            if counted == 50:
                self.log(rate=round(rate, 3), **{name: round(value / counted, 4) for name, value in sums.items()})
                sums.clear()
                counted = 0
            if self.seconds - saved > 60 * self.budget.checkpoint_minutes:
                self.save()
                saved = self.seconds
            if self.seconds - measured > 60 * measure_minutes:
                measure()
                measured = self.seconds
        self.save()
        measure()


def _while(items: Iterable[Item], going: Callable[[], bool]) -> Iterator[Item]:
    for item in items:
        if not going():
            return
        yield item
