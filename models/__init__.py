"""The small trained models that ship with Quoth: one folder each, with weights, config and a card.

`training/` makes them; `reader.py`, `support.py` and `calibration.py` in `service/scoring/` load them.
"""

from pathlib import Path


def folder(name: str) -> Path:
    """The folder of the model `name`: "reader", "support" or "calibration". Its files are checked when it is loaded."""
    return Path(__file__).parent / name
