"""A network of another depth from trained weights: layers doubled or dropped."""

import re
from collections.abc import Mapping

from torch import Tensor

_LAYER = re.compile(r"bert\.layers\.(\d+)\.(.+)")
_ADDED = ("attended.", "contract.")
_COPY_SCALE = 0.3
"""The output of a copied layer, so that it begins as a small addition to what its original does."""


def with_layers(weights: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """The weights of a network with `layers` encoder layers: of more, some twice in a row; of fewer, evenly chosen.

    Raises ValueError where there is no layer to begin with, or none is asked for.
    """
    known = 1 + max((int(match[1]) for name in weights if (match := _LAYER.fullmatch(name))), default=-1)
    if not known or layers < 1:
        raise ValueError(f"weights with {known} layers cannot become a network with {layers}")
    if layers >= known:
        origins = [number * known // layers for number in range(layers)]
    else:
        origins = [(number + 1) * known // layers - 1 for number in range(layers)]
    changed = {name: tensor for name, tensor in weights.items() if not _LAYER.fullmatch(name)}
    for number, origin in enumerate(origins):
        is_copy = number > 0 and origins[number - 1] == origin
        for name, tensor in weights.items():
            match = _LAYER.fullmatch(name)
            if match and int(match[1]) == origin:
                scale = _COPY_SCALE if is_copy and match[2].startswith(_ADDED) else 1.0
                changed[f"bert.layers.{number}.{match[2]}"] = tensor.clone() * scale
    return changed
