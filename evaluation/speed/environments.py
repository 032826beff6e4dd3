"""One virtual environment a peer, made once and kept. A peer that cannot be installed is reported with pip's last words."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TORCH = "torch==2.13.0"
_DONE = "installed.txt"
_LAST_LINES = 4


@dataclass(frozen=True, slots=True)
class Peer:
    """A system to measure beside Quoth: the program in `peers/` and what pip installs for it (after torch)."""

    name: str
    program: str
    requirements: tuple[str, ...]


PEERS = (
    Peer("by hand", "by_hand.py", ("sentence-transformers", "faiss-cpu")),
    Peer("txtai", "txtai_peer.py", ("txtai",)),
    Peer("LlamaIndex", "llamaindex_peer.py", ("llama-index-core", "llama-index-embeddings-huggingface")),
    Peer(
        "LangChain",
        "langchain_peer.py",
        ("langchain-community", "langchain-huggingface", "sentence-transformers", "faiss-cpu"),
    ),
    Peer("Haystack", "haystack_peer.py", ("haystack-ai", "sentence-transformers-haystack", "sentence-transformers")),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """A ready environment, or the reason why there is none. `versions` is what pip installed of the requirements."""

    python: Path | None
    versions: tuple[str, ...]
    reason: str | None


def prepare(peer: Peer, folder: Path) -> Environment:
    """The environment of the peer below `folder`, made if it is not there or was made for other requirements.

    Torch goes first, so that no CUDA is pulled.
    """
    home = folder / peer.program.removesuffix(".py")
    python = home / "bin" / "python"
    done = home / _DONE
    wanted = " ".join((TORCH, *peer.requirements))
    if not done.exists() or done.read_text(encoding="utf-8").partition("\n")[0] != wanted:
        for command in (
            [sys.executable, "-m", "venv", str(home)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", TORCH],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", TORCH, *peer.requirements],
        ):
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode != 0:
                said = " / ".join(ran.stderr.strip().splitlines()[-_LAST_LINES:])
                return Environment(None, (), f"{' '.join(command[-3:])} failed: {said}")
        done.write_text(f"{wanted}\n{_frozen(python, peer)}\n", encoding="utf-8")
    return Environment(python, tuple(done.read_text(encoding="utf-8").splitlines()[1:]), None)


def _frozen(python: Path, peer: Peer) -> str:
    listed = subprocess.run([str(python), "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
    wanted = {TORCH.partition("=")[0], "transformers", *peer.requirements}
    return "\n".join(line for line in listed.splitlines() if line.partition("==")[0].lower() in wanted)
