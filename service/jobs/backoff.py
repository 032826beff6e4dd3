"""How long to wait before the next try: twice as long each time, up to a bound, spread so that tries do not march in step."""

FIRST_SECONDS = 1.0
MOST_SECONDS = 300.0


def delay(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures (from 1); `chance`, uniform in [0, 1), picks from the upper half of the bound."""
    bound = min(FIRST_SECONDS * 2.0 ** (min(failures, 64) - 1), MOST_SECONDS)
    return bound * (1.0 + chance) / 2.0
