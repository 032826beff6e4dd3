"""What a node holds: in order, as blocks, or as running text. Pure."""

from collections.abc import Iterator

from index.blocks.block import INLINE, Kind
from index.formats.nodes import Node, PageStart, Part


def is_running(node: Node) -> bool:
    """Return whether the node holds only running text and inline blocks of such."""
    return all(not isinstance(part, Node) or (part.kind in INLINE and is_running(part)) for part in flat(node))


def flat(node: Node) -> Iterator[Part]:
    """Yield what the node holds; a node without a kind is replaced by what it holds."""
    stack = list(reversed(node.content))
    while stack:
        part = stack.pop()
        if isinstance(part, Node) and part.kind is None:
            stack.extend(reversed(part.content))
        else:
            yield part


def with_paragraphs(node: Node) -> Iterator[Node | PageStart]:
    """Yield the blocks that a group holds; running text between them is made paragraphs, which nodes without a kind part."""
    running: list[Part] = []
    stack: list[Part | None] = list(reversed(node.content))
    while stack or running:
        part = stack.pop() if stack else None
        if isinstance(part, str | PageStart) or (part is not None and part.kind in INLINE and is_running(part)):
            running.append(part)
            continue
        if running and Node(None, running).plain().strip():
            yield Node(Kind.PARAGRAPH, running)
        else:
            yield from (run for run in running if isinstance(run, PageStart))
        running = []
        if part is not None and part.kind is None:
            stack += [None, *reversed(part.content), None] if part.content else []
        elif part is not None:
            yield part


def unwrapped(node: Node) -> list[Part]:
    """Return what an item or meaning holds; its first paragraph is its own text."""
    parts = list(flat(node))
    for place, part in enumerate(parts):
        if isinstance(part, Node) and part.kind is Kind.PARAGRAPH:
            return [*parts[:place], *flat(part), *parts[place + 1 :]]
        if isinstance(part, Node) or (isinstance(part, str) and part.strip()):
            break
    return parts
