"""`python -m training.average EARLIER LATER --weight 0.8`: average the weights of two models of one run.

The average of two checkpoints of one run, each taken after a cool-down, is often better than either (Izmailov et al. 2018,
stochastic weight averaging; Wortsman et al. 2022, model soups). The weight is chosen on development halves (see the cards).
"""

import argparse
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from service.scoring.weights import read_model, write_model
from training.pretrained import model_kind


def average(earlier: dict[str, Tensor], later: dict[str, Tensor], weight: float) -> dict[str, Tensor]:
    """`weight` times the later plus 1 - `weight` times the earlier tensor, in fp32. Raises KeyError where names differ."""
    return {name: (1 - weight) * earlier[name].float() + weight * tensor.float() for name, tensor in later.items()}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("earlier", type=Path, help="folder of a model")
    parser.add_argument("later", type=Path, help="folder of the same model, trained for longer")
    parser.add_argument("--weight", type=float, default=0.8, help="share of the later one")
    parser.add_argument("--out", type=Path, required=True, help="where the average is written")
    options = parser.parse_args()
    kind = model_kind(options.later)
    _, earlier = read_model(options.earlier, kind)
    config, later = read_model(options.later, kind)
    write_model(options.out, replace(config, sha256=""), average(earlier, later, options.weight))


if __name__ == "__main__":
    main()
