"""Settings -> the service. Models are loaded and verified here, so a damaged one fails the start and is named."""

import uuid
from importlib.metadata import version

from index.embedding.encoder import SentenceEncoder
from index.errors import ModelDamaged
from models import folder
from service.answering.answerer import Answerer, Policy
from service.answering.checking import SupportPolicy
from service.answering.service import Service
from service.composition.generators import make_generators
from service.composition.library import open_library
from service.records import Recording
from service.scoring.calibration import Calibration
from service.scoring.reader import Reader
from service.scoring.support import SupportChecker
from service.settings import Settings

_TRIAL = ("How long is the bridge?", "The bridge is 240 metres long.", "The bakery opens at seven.")


def assemble(settings: Settings) -> Service:
    """Load the models and build the service. Raises ModelMissing or ModelDamaged with the file's name."""
    library = open_library(settings)
    reader = Reader.load(folder("reader"), settings.cache)
    checker = SupportChecker.load(folder("support"), settings.cache, when_needed=True)
    calibration = Calibration.load(folder("calibration"), reader=reader.config.sha256)
    policy = Policy(
        depth=settings.rerank_depth,
        top_k=settings.top_k,
        threshold=calibration.threshold(settings.target_precision),
        max_question_chars=settings.max_question_chars,
        support=SupportPolicy(strict=settings.support_policy == "strict"),
    )
    available = make_generators(settings)
    answerer = Answerer(
        library,
        reader,
        calibration,
        checker,
        available.generators,
        settings.generator,
        policy,
        new_id=lambda: uuid.uuid4().hex,
        rewriters=available.rewriters,
    )
    recording = Recording(
        quoth=version("quoth"),
        generator=settings.generator,
        top_k=policy.top_k,
        depth=policy.depth,
        threshold=policy.threshold,
        strict=policy.support.strict,
        encoder=settings.encoder,
        reader=reader.version,
        support=checker.version,
        calibration=calibration.version,
        llm_model=settings.llm_model,
        llm_temperature=settings.llm_temperature,
        llm_max_tokens=settings.llm_max_tokens,
        llm_context_tokens=settings.llm_context_tokens,
        support_threshold=policy.support.min_support,
    )
    return Service(settings, library, reader, checker, calibration, answerer, recording)


def describe_models(settings: Settings) -> str:
    """Load, check and run every model; returns their versions in one line.

    Each rates a sentence that answers a question and one that does not. Raises ModelDamaged if the second one is rated higher.
    """
    service = assemble(settings)
    encoder = SentenceEncoder(settings.encoder, cache=settings.cache)
    question, fitting, other = _TRIAL
    vectors = encoder.encode(_TRIAL)
    ratings = {
        "encoder": (float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])),
        "reader": service.reader.score(question, [fitting, other]),
        "support checker": service.checker.check([(fitting, fitting), (other, fitting)]),
    }
    for name, (of_fitting, of_other) in ratings.items():
        if not of_fitting > of_other:  # also when one is no number
            raise ModelDamaged(
                f"The {name} rates a sentence that fits {of_fitting:.2f} and one that does not {of_other:.2f}: its results are "
                f"wrong on this machine. Delete the files *.compiled in {settings.cache} and look again"
            )
    return f"encoder {encoder.fingerprint}, reader {service.reader.version}, support {service.checker.version}"
