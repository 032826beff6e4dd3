"""The script of a text, named by the language that most texts in it are written in. Pure."""

import re

_FAR = re.compile(r"[\u0370-\u1dff\u1f00-\u1fff\u2e80-\U0003ffff]")  # neither Latin nor punctuation
SCRIPTS = {
    script: re.compile(f"[{letters}]")
    for script, letters in {
        "ja": "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d",
        "zh": "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff",
        "ko": "\u1100-\u11ff\uac00-\ud7af",
        "ru": "\u0400-\u052f",
        "ar": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
        "hi": "\u0900-\u097f",
        "th": "\u0e00-\u0e7f",
        "el": "\u0370-\u03ff\u1f00-\u1fff",
        "he": "\u0590-\u05ff",
        "hy": "\u0530-\u058f",
        "ka": "\u10a0-\u10ff",
        "bn": "\u0980-\u09ff",
        "pa": "\u0a00-\u0a7f",
        "gu": "\u0a80-\u0aff",
        "ta": "\u0b80-\u0bff",
        "te": "\u0c00-\u0c7f",
        "kn": "\u0c80-\u0cff",
        "ml": "\u0d00-\u0d7f",
        "si": "\u0d80-\u0dff",
        "lo": "\u0e80-\u0eff",
        "my": "\u1000-\u109f",
        "am": "\u1200-\u137f",
        "km": "\u1780-\u17ff",
    }.items()
}
"""The letters of each script but the Latin one."""


def has_other_letters(text: str) -> bool:
    """Whether letters of another script than the Latin one are in the text."""
    return _FAR.search(text) is not None


def script_of(text: str) -> str:
    """Return the key of the script that most letters of a short text are of; empty if it is Latin.

    An ideograph, a kana or a hangul syllable counts as three letters.
    """
    if not _FAR.search(text):
        return ""
    counts = {script: len(letters.findall(text)) for script, letters in SCRIPTS.items()}
    ideographs = counts["zh"]
    kana = counts["ja"]
    if kana and kana * 20 >= ideographs:
        counts["ja"] += ideographs
        counts["zh"] = 0
    for script in ("ja", "zh", "ko"):
        counts[script] *= 3
    script = max(counts, key=lambda name: counts[name])
    latin = sum(character.isalpha() for character in text if character < "\u0370")
    return script if counts[script] > latin else ""
