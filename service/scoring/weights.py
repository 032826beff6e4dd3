"""The weights of a trained model, as tensors of torch: read, written, and put into a network.

Apart from trained_model.py, which runs a model whose compiled network is kept without torch.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as load_weights
from safetensors.torch import save
from torch import Tensor

from index.embedding.weights import read_verified
from index.errors import ModelDamaged
from index.inference.bert import AfterWords
from index.inference.blueprint import Parts
from service.scoring.networks import ReaderNetwork, SupportNetwork
from service.scoring.trained_model import CONFIG, WEIGHTS, ModelConfig, read_config


def make_reader(folder: Path, config: ModelConfig) -> Parts:
    """The reader's network with the weights in `folder`, which must be those of the config. Raises as `read_model` does."""
    return _parts(ReaderNetwork(config.shape), _weights(folder / WEIGHTS, config.sha256))


def make_support_checker(folder: Path, config: ModelConfig) -> Parts:
    """The support checker's network with the weights in `folder`; see `make_reader`."""
    return _parts(SupportNetwork(config.shape), _weights(folder / WEIGHTS, config.sha256))


def _parts(network: ReaderNetwork | SupportNetwork, weights: Mapping[str, Tensor]) -> Parts:
    network.load_state_dict(weights)
    return Parts(AfterWords(network.bert), network.heads)


def read_model(folder: Path, kind: str) -> tuple[ModelConfig, dict[str, Tensor]]:
    """The config and the weights (fp32) of the model in `folder`, which must be of the given kind.

    Raises ModelMissing when a file is absent, and ModelDamaged when it cannot be read, is of another kind, or differs
    from its recorded checksum; both name the file.
    """
    config = read_config(folder / CONFIG, kind)
    return config, _weights(folder / WEIGHTS, config.sha256)


def _weights(path: Path, sha256: str) -> dict[str, Tensor]:
    content = read_verified(path, sha256)
    try:
        weights = load_weights(content)
    except SafetensorError as error:
        raise ModelDamaged(f"{path}: not a safetensors file ({error}). Reinstall quoth or restore the file") from error
    return {name: tensor.float() for name, tensor in weights.items()}


def write_model(folder: Path, config: ModelConfig, weights: Mapping[str, Tensor]) -> ModelConfig:
    """Write the weights in fp16 and the config with their checksum; return that config."""
    folder.mkdir(parents=True, exist_ok=True)
    content = save({name: tensor.detach().half().contiguous() for name, tensor in weights.items()})
    (folder / WEIGHTS).write_bytes(content)
    checked = replace(config, sha256=hashlib.sha256(content).hexdigest())
    (folder / CONFIG).write_text(json.dumps(asdict(checked), indent=2) + "\n", encoding="utf-8")
    return checked
