"""The service: the settings, the library, the models and the answerer, as `service/composition/service.py` builds them."""

from dataclasses import dataclass

from index.library import Library
from service.answering.answerer import Answerer
from service.records import Recording
from service.scoring.calibration import Calibration
from service.scoring.reader import Reader
from service.scoring.support import SupportChecker
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that answers questions, ready to use."""

    settings: Settings
    library: Library
    reader: Reader
    checker: SupportChecker
    calibration: Calibration
    answerer: Answerer
    recording: Recording | None = None
    """The settings and versions to store with each answer; None stores none."""
