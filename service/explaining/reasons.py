"""The stage of an explanation in words, with the figures that decided. Pure."""

from collections.abc import Callable, Mapping

from service.explaining.explanation import ExpectedPlace, Explanation, PassageScore, Ranks, Stage, UnitScore
from service.explaining.ranks import RANKED


def reason(found: Explanation) -> str:
    """One or two sentences that say why the right sentence was lost; "" if nothing was expected."""
    if found.stage is None:
        return ""
    return _FIXED.get(found.stage) or _WITH_FIGURES[found.stage](found)


def _not_retrieved(found: Explanation) -> str:
    return f"The passage that holds the expected words is {_ranks(_furthest(found).ranks)}."


def _not_read(found: Explanation) -> str:
    ranks = _furthest(found).ranks
    if ranks.fused is None or ranks.fused <= found.depth:
        return f"The right passage is {_ranks(ranks)}, and was left out: another passage has nearly the same words."
    return f"The right passage is {_ranks(ranks)}; the first {found.depth} are read."


def _constraint_unmet(found: Explanation) -> str:
    unmet = [c.text for c in found.constraints if not c.is_met or c.is_met_by_expected is False]
    names = f" {' or '.join(map(repr, unmet))}" if unmet else " what the question names"
    unit = _expected_unit(found)
    if unit is None:
        return f"The right passage was not read, since it does not name{names}."
    passage, scored = unit
    lost = f"its passage lost {passage.lost:.1f} and its unit {scored.lost:.1f}"
    return f"The right unit counts as not naming{names}: {lost}. Without that it would have been given."


def _other_unit(found: Explanation) -> str:
    expected, quoted = _expected_unit(found), _best_unit(found, lambda unit: unit.is_quoted)
    best = quoted or _best_unit(found, lambda unit: not unit.is_expected)
    if expected is None or best is None:
        return "The right unit was read, and another sentence was written."
    passage, unit = expected
    hidden = "" if passage.is_shown else f" Its passage is {_ordinal(passage.rank)}; the first {found.shown} count."
    what = "quoted one" if quoted else "best other one"
    refused = f" Refused: {_confidence(found)}." if found.confidence < found.needed else ""
    return f"The right unit scores {unit.total:.1f}, the {what} {best[1].total:.1f}.{hidden}{refused}"


def _refused(found: Explanation) -> str:
    if found.confidence >= found.needed:
        return "The right unit was read, and the language model says that the passages hold no answer."
    lowest = min((s for s in found.signals if s.share < 0), key=lambda signal: signal.share, default=None)
    signal = f"; the signal {lowest.name} lowers it most ({lowest.share:+.1f} in log odds)" if lowest else ""
    return f"The right sentence would have been given, but {_confidence(found)}{signal}."


def _checked_away(found: Explanation) -> str:
    lost = next((w for w in found.written if w.is_expected and w.outcome != "shown"), None)
    why = (
        ""
        if lost is None
        else f" ({lost.outcome}" + ("" if lost.support is None else f", support {lost.support:.2f}") + ")"
    )
    return f"The right sentence was written, and the check left it out{why}."


def _not_there(found: Explanation) -> str:
    nearest = _best_unit(found, lambda unit: unit.is_quoted) or _best_unit(found)
    near = "" if nearest is None else f" The nearest evidence is in {nearest[0].title!r}: {nearest[1].text.strip()!r}."
    return f"The documents do not say, and {_confidence(found)}.{near}"


_FIXED = {
    Stage.NOT_EXTRACTED: "No document of the collection holds the expected words.",
    Stage.CITED_WRONGLY: "The right sentence was given, but its citation is at another place.",
    Stage.NOT_LOST: "Nothing was lost.",
}
_WITH_FIGURES: Mapping[Stage, Callable[[Explanation], str]] = {
    Stage.NOT_RETRIEVED: _not_retrieved,
    Stage.NOT_READ: _not_read,
    Stage.CONSTRAINT_UNMET: _constraint_unmet,
    Stage.OTHER_UNIT: _other_unit,
    Stage.REFUSED: _refused,
    Stage.CHECKED_AWAY: _checked_away,
    Stage.NOT_THERE: _not_there,
}


def _furthest(found: Explanation) -> ExpectedPlace:
    return next(place for place in found.expected if place.stage == found.stage)


def _expected_unit(found: Explanation) -> tuple[PassageScore, UnitScore] | None:
    return _best_unit(found, lambda unit: unit.is_expected)


def _best_unit(
    found: Explanation, is_wanted: Callable[[UnitScore], bool] = lambda _: True
) -> tuple[PassageScore, UnitScore] | None:
    units = [(passage, unit) for passage in found.passages for unit in passage.units if is_wanted(unit)]
    return max(units, key=lambda pair: pair[1].total, default=None)


def _confidence(found: Explanation) -> str:
    side = "below" if found.confidence < found.needed else "not below"
    return f"the confidence of {found.confidence:.3f} is {side} the {found.needed:.3f} that an answer needs"


def _ranks(ranks: Ranks) -> str:
    words, vectors, fused = (_rank(rank) for rank in (ranks.words, ranks.vectors, ranks.fused))
    return f"{words} by its words, {vectors} by its meaning and {fused} in the two fused"


def _rank(rank: int | None) -> str:
    return f"not among the first {RANKED}" if rank is None else _ordinal(rank)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
