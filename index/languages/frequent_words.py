"""The language of a text in Latin letters, by the frequent words that it holds. Pure."""

import re
from collections import Counter, defaultdict

FREQUENT_WORDS = {  # a text in one of these languages holds some of its words: names in a program do not
    language: frozenset(words.split())
    for language, words in {
        "en": (
            "the of and to in is are for with that this be not as by on it from or what when where who how which does "
            "a an at can do has have i if my no there was we will you"
        ),
        "de": (
            "der die das und ist sind nicht ein eine mit für auf den im zu von bei wird werden wie was wann wo "
            "wer welche welcher welches wieviel kann muss darf dürfen gibt man"
        ),
        "fr": (
            "le la les des et est sont une un dans pour que qui sur avec pas du au en quel quelle quels quelles "
            "quand où comment combien qu il"
        ),
        "es": (
            "el la los las de que y en un una por con para es son del se no qué cuál cuándo cómo dónde cuánto "
            "cuántos quién cada"
        ),
        "it": (
            "il la di che è per un una con del della dal sono gli le non si quale quali quando dove come quanto "
            "chi cosa"
        ),
        "pt": "o a os as de que e em um uma para com não por do da é são se qual quais quando onde como quanto quem",
        "nl": "de het een en van is zijn niet met voor op te dat wordt wat wanneer waar wie hoe welke hoeveel",
        "sv": "och att det som en är av för på inte med den till ska vad när var vem hur vilken",
        "da": "og at det er en af for på ikke med den til skal om hvad hvornår hvor hvem hvordan hvilken",
        "no": "og at det er en av for på ikke med den til skal om hva når hvor hvem hvordan hvilken",
        "fi": "ja on ei se että oli kun ovat tai mutta joka sen ennen mikä milloin missä kuka miten kuinka",
        "pl": "i w na z nie do się jest są to że dla po od kiedy gdzie kto jak jaki jaka ile czy",
        "cs": "a v na je jsou se z že do to pro není před kdy kde kdo jak jaký jaká kolik",
        "sk": "a v na je sú sa z že do to pre nie pred",
        "sl": "in je so na se da za v ni pred",
        "hr": "i je su na se da za u nije prije",
        "hu": "a az és nem hogy egy van is meg kell mi mikor hol ki hogyan mennyi",
        "ro": "și în de la cu nu este sunt pe din o un se ce când unde cine cum care cât",
        "tr": "ve bir bu için ile da de değil olarak her ne zaman nerede kim nasıl hangi",
        "id": "yang dan di dengan untuk dari pada tidak ini adalah",
        "ms": "yang dan di dengan untuk dari pada tidak ini adalah",
        "vi": "và của là không các được cho có một khi",
        "et": "ja on ei et see oli kui enne",
        "lv": "un ir ar no uz kas par pirms",
        "lt": "ir yra su kad iš į ne prieš",
        "ca": "el la els de que i en un una per amb és",
    }.items()
}
"""Some of the most frequent words of each language, by its ISO 639-1 code."""

_WORD = re.compile(r"[^\W\d_]+")
_LANGUAGES: dict[str, list[str]] = defaultdict(list)
for _language, _frequent in FREQUENT_WORDS.items():
    for _word in _frequent:
        _LANGUAGES[_word].append(_language)


def count_frequent_words(text: str, language: str) -> int:
    """Count the different words of a language in the text that are among its frequent ones."""
    return len(FREQUENT_WORDS.get(language, frozenset()).intersection(_WORD.findall(text.lower())))


def likely_language(text: str, fewest: int) -> str:
    """Return the language with the most different frequent words in the text, of equals the first listed.

    Empty if it has fewer than `fewest` of them.
    """
    frequent = _LANGUAGES.keys() & _WORD.findall(text.lower())
    counts = Counter(language for word in frequent for language in _LANGUAGES[word])
    first = max(FREQUENT_WORDS, key=lambda language: counts[language])
    return first if counts[first] >= fewest else ""
