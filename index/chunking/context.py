"""What is embedded and what is indexed for a chunk, beside its literal text. Pure.

A passage often leaves unsaid what it is about; its title and headings say it. The encoder and the lexicon read them after the
text: what does not fit an encoder's limit is then cut from them and never from the text. Offsets stay those of the literal
chunk. Measured on SciFact (300 train claims, 979 abstracts, dense, nDCG@10): .821 with the title after the text, .824 before
it (difference .003 ± .010), .809 without (.012 ± .010).
"""

import hashlib
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from index.records import Document


def embedding_context(document: Document, trail: Sequence[str]) -> str:
    """Title and headings as one line, each once.

    A title that is only the file's name is left to the lexicon: it is seldom language, and so a renamed file keeps its
    vectors.
    """
    name = unquote(urlsplit(document.uri).path).rsplit("/", 1)[-1]
    is_file_name = document.title in (name, name.rsplit(".", 1)[0])
    return _line(trail if is_file_name else (document.title, *trail))


def embedded_text(context: str, text: str) -> str:
    """What the encoder reads for a chunk."""
    return f"{text}\n{context}" if context else text


def lexical_text(title: str, trail: Sequence[str], text: str) -> str:
    """What the lexicon indexes for a chunk: the text, the title whatever it is, and the headings."""
    return f"{text}\n{_line((title, *trail))}"


def content_hash(context: str, text: str) -> bytes:
    """Key of the vector of a chunk: 16 bytes of SHA-256 over what is embedded."""
    return hashlib.sha256(embedded_text(context, text).encode()).digest()[:16]


def _line(parts: Sequence[str]) -> str:
    return " > ".join(dict.fromkeys(part.strip() for part in parts if part.strip()))
