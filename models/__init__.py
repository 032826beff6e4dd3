"""The small trained models that ship with Quoth: one folder each, with weights, config and a card.

`training/` makes them; `service/scoring/reader.py`, `service/scoring/support.py` and `service/scoring/calibration.py` load them.
"""

from pathlib import Path


def folder(name: str) -> Path:
    """The folder of the model `name`: "reader", "support" or "calibration". Whether it is whole shows when it is loaded."""
    return Path(__file__).parent / name
