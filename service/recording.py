"""How an answer was asked for and made: what its record does not say itself, and replaying it takes."""

from dataclasses import dataclass, fields, replace

from service.records import Question


@dataclass(frozen=True, slots=True)
class Recording:
    """The settings that an answer depends on, and the versions of what made it.

    `generator` is the one that was asked, which the answer may not name: another one writes when it is away. `threshold` is the
    least confidence that was answered, `support_threshold` the least probability of support that was enough. `reader`,
    `support` and `calibration` are the models' versions, `prompts` the hash of the prompts of a language model, None without
    one.
    """

    quoth: str
    generator: str
    top_k: int
    depth: int
    threshold: float
    strict: bool
    encoder: str
    reader: str
    support: str
    calibration: str
    llm_model: str | None
    llm_temperature: float
    llm_max_tokens: int
    llm_context_tokens: int
    support_threshold: float = 0.5

    def of(self, question: Question) -> "Recording":
        """The recording of what this makes for `question`."""
        return replace(self, generator=question.generator or self.generator, top_k=question.top_k or self.top_k)


MADE_WITH = tuple(
    field.name
    for field in fields(Recording)
    if field.name not in ("generator", "top_k", "depth", "threshold", "strict", "support_threshold")
)
"""What a replay cannot set back: it uses what is installed and set now, and says where that differs."""
