"""Two sources that say the same of the same thing with other figures: found, so that the answer can show it. Pure."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from service.records import Citation
from service.text.figures import figures, overlap, words

ALIKE = 0.6  # shared words over all words, figures left out, from which on two quotes speak of the same thing


def conflicts(citations: Sequence[Citation]) -> Iterator[tuple[Citation, Citation]]:
    """Pairs of quotes from different documents in nearly the same words, each with a figure that the other lacks."""
    for one, other in combinations(citations, 2):
        if one.document_id == other.document_id:
            continue
        ours, theirs = figures(one.quote), figures(other.quote)
        if ours - theirs and theirs - ours and overlap(words(one.quote), words(other.quote)) >= ALIKE:
            yield one, other
