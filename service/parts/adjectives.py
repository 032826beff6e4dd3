"""Comparatives and superlatives of the adjectives that compare figures, and the questions that ask for such a figure. Pure."""

from service.text.telling_words import IRREGULAR

_BASES = (
    "heavy light cheap expensive costly dear pricey long short tall high low big large small great wide narrow broad deep "
    "shallow thick thin old young new early late fast slow quick hot cold warm cool near far close strong weak loud quiet "
    "dense steep roomy bulky wet dry hard soft"
).split()
_DOUBLED = frozenset("big hot wet thin".split())
SIZES = frozenset("high low large small great big".split())
"""Adjectives that say of a figure itself whether it is more: the price is high."""
PRICES = frozenset("cheap expensive costly dear pricey".split())
TIMES = frozenset("early late".split())
_PLURALS = frozenset("people staff children women men".split())


OPPOSITES = dict(
    pair.split("=")
    for pair in (
        "light=heavy short=long low=high small=large young=old slow=fast narrow=wide shallow=deep thin=thick new=old cold=hot "
        "cool=warm near=far close=far quiet=loud weak=strong"
    ).split()
)
"""Adjective -> the one that asks for the same figure."""


def _forms() -> dict[str, str]:
    found = {"further": "far", "farther": "far", "furthest": "far", "farthest": "far"}
    for base in _BASES:
        stem = (
            base[:-1] + "i" if base.endswith("y") else base + base[-1] if base in _DOUBLED else base.removesuffix("e")
        )
        found |= {f"{stem}er": base, f"{stem}est": base}
    return found


COMPARED = _forms()
"""Comparative or superlative -> adjective."""
LONG_BASES = frozenset("expensive costly dear pricey roomy bulky".split())
"""Adjectives that are compared with "more" and "most"."""


def question_with_be(auxiliary: str, adjective: str, thing: str, *, is_figure: bool) -> str:
    """The question for the figure by which things are `adjective`: "How heavy is the boat?". `is_figure`: see `SIZES`."""
    if adjective in PRICES and not is_figure:
        return f"How much does {thing} cost?"
    if adjective in TIMES:
        return f"When {auxiliary} {thing}?"
    if is_figure and adjective in SIZES | PRICES:
        return f"What {auxiliary} {thing}?"
    return f"How {adjective} {auxiliary} {thing}?"


def base_of(verb: str) -> str:
    """The verb as it stands after "does": "weighs" and "weighed" are "weigh", "has" is "have"."""
    small = verb.casefold()
    if small in ("has", "had"):
        return "have"
    if small in IRREGULAR:
        return IRREGULAR[small]
    if small.endswith("ies"):
        return f"{small[:-3]}y"
    if small.endswith(("ches", "shes", "sses", "xes")):
        return small[:-2]
    if small.endswith("ed"):
        return small[:-2]
    return small.removesuffix("s") if not small.endswith("ss") else small


def how_many(noun: str) -> str:
    """ "How many" before a plural, "How much" before any other noun."""
    words = noun.casefold().split()
    is_plural = any(word.endswith("s") and not word.endswith("ss") for word in words[:3])
    is_plural = is_plural or not _PLURALS.isdisjoint(words[:1])
    return "How many" if is_plural else "How much"
