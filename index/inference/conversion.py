"""A torch module -> a model of OpenVINO. Apart from the engine: torch is imported only where a network must be converted."""

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from index.inference.openvino_import import compress_model_transformation, openvino


def convert(module: nn.Module, example: Sequence[NDArray[Any]]) -> openvino.Model:
    """The model of a module. `example` are inputs of its kind; every axis but the last of three or more may be longer.

    Weights that are numbers in half precision are kept as such.
    """
    tensors = [torch.from_numpy(array) for array in example]
    shapes = [
        openvino.PartialShape([-1] * (tensor.dim() - (tensor.dim() > 2)) + list(tensor.shape[2:])) for tensor in tensors
    ]
    root = logging.getLogger()
    level, filters, handlers = root.level, list(root.filters), list(root.handlers)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            # The converter uses torch.jit.trace, which torch 2.13 calls deprecated; it has no other way.
            warnings.simplefilter("ignore")
            model = openvino.convert_model(module.eval(), example_input=tuple(tensors), input=shapes)
    finally:
        # A conversion that fails leaves the root logger's level and filters changed, so that warnings are lost.
        root.setLevel(level)
        root.filters, root.handlers = filters, handlers
    if _is_in_half_precision(module):
        compress_model_transformation(model)
    return model


def _is_in_half_precision(module: nn.Module) -> bool:
    """Whether every weight is a number in half precision, as those of the shipped reader and support checker are.

    Then the compiled network keeps them in half the space, 67 MB of the reader's instead of 133, and computes the same
    numbers: they were equal to the last bit for rows of 64 tokens.
    """
    weights = [tensor for tensor in module.state_dict().values() if tensor.is_floating_point()]
    return all(torch.equal(tensor.half().to(tensor.dtype), tensor) for tensor in weights)
