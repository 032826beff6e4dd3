"""How well a support checker tells claims that their evidence supports from claims that it does not.

AUROC is in `refusal`. Balanced accuracy is the mean of the recalls of the two classes, the headline of LLM-AggreFact (Tang
et al. 2024, https://arxiv.org/abs/2404.10774), since most sets hold more of one class.
"""

from collections.abc import Sequence


def balanced_accuracy(predicted: Sequence[bool], gold: Sequence[bool]) -> float | None:
    """Mean of the recall on supported and on unsupported claims. None unless both kinds are there."""
    recalls = []
    for kind in (True, False):
        guesses = [guess for guess, label in zip(predicted, gold, strict=True) if label == kind]
        if not guesses:
            return None
        recalls.append(sum(guess == kind for guess in guesses) / len(guesses))
    return sum(recalls) / 2
