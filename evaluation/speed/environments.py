"""Virtual environments, one per peer, made once and kept.

A peer that cannot be installed is reported with pip's last lines.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TORCH = "torch==2.13.0"
_DONE = "installed.txt"
_LAST_LINES = 4


@dataclass(frozen=True, slots=True)
class Peer:
    """A system to measure beside Quoth: the program in `peers/`, what pip installs for it (after torch, unless it does
    without), and further arguments of the program. Peers with one program share its environment.
    """

    name: str
    program: str
    requirements: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    torch: bool = True


PEERS = (
    Peer("by hand", "by_hand.py", ("sentence-transformers", "faiss-cpu")),
    Peer("by hand bf16", "by_hand.py", ("sentence-transformers", "faiss-cpu"), arguments=("bf16",)),
    Peer("bm25s", "bm25s_peer.py", ("bm25s",), torch=False),
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
    """A ready environment, or the reason why there is none. `versions` lists the requirements that pip installed."""

    python: Path | None
    versions: tuple[str, ...]
    reason: str | None


def prepare(peer: Peer, folder: Path) -> Environment:
    """The environment of the peer below `folder`, made if it does not exist or was made for other requirements.

    Torch is installed first, so that pip does not download CUDA.
    """
    home = folder / peer.program.removesuffix(".py")
    python = home / "bin" / "python"
    done = home / _DONE
    first = (TORCH,) if peer.torch else ()
    required = " ".join((*first, *peer.requirements))
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not done.exists() or done.read_text(encoding="utf-8").partition("\n")[0] != required:
        for command in (
            [sys.executable, "-m", "venv", str(home)],
            *([[*install, TORCH]] if peer.torch else []),
            [*install, *first, *peer.requirements],
        ):
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode != 0:
                output = " / ".join(result.stderr.strip().splitlines()[-_LAST_LINES:])
                return Environment(None, (), f"{' '.join(command[-3:])} failed: {output}")
        done.write_text(f"{required}\n{_installed_versions(python, peer)}\n", encoding="utf-8")
    return Environment(python, tuple(done.read_text(encoding="utf-8").splitlines()[1:]), None)


def _installed_versions(python: Path, peer: Peer) -> str:
    frozen = subprocess.run([str(python), "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
    names = {TORCH.partition("=")[0], "transformers", *peer.requirements}
    return "\n".join(line for line in frozen.splitlines() if line.partition("==")[0].lower() in names)
