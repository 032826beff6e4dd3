"""TODO service/text/words.py"""

import re

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")


_STOP = frozenset(
    """
    a about above after again all also am an and any are aren't as at be because been before being below between
    both but by can can't could did didn't do does doesn't doing don't done during each else every few for from
    further get gets give given go had has have having how i if in into is isn't just know let like list make many
    may me might more most much must my name no nor not of off on once only or other our out over own people please
    said same say says shall should so some such take tell than that the their them then there these they this those
    through to too under until up us use used very want was wasn't we were weren't what when where whether which
    while who whom whose why will with would you your explain describe show find happen happened thing things it its
    he him his she her hers one ones both former latter
    """.split()
)


def content_words(text: str) -> list[str]:
    """The words of `text` that carry meaning, as they stand there, in order."""
    return [word for word in _WORD.findall(text) if word.casefold() not in _STOP]
