"""Whether a question depends on the turns before it, by its words alone. Pure.

It does if it opens like a continuation ("And ...", "What about ...", "Und ...", "Et ...", "¿Y ..."), if it has no verb ("Since
when?"), or if a pronoun in it stands for nothing that it names itself. "How long does it take to renew a card?" and "Who
founded Acme and when did it open?" stand alone.
"""

import re

from service.text.terms import content_words

MIN_WORDS = 4  # a question with as many content words is taken for a whole sentence

OPENING = re.compile(
    r"\W*(?:(?:(?:no|sorry|ok(?:ay)?|and|but|so|or|also|now|then|und|oder|aber|et|ou|mais|y|e|o|pero)\b[\s,]*)*"
    r"(?:(?:what|how) about\b|was ist mit\b|wie (?:sieht es|ist es) (?:aus )?mit\b|qu['’]en est-il\b|"
    r"qué (?:hay|pasa)(?= (?:de|del|con)\b)|(?:and|but|so|or|also|now|then|und|oder|aber|et|ou|mais|y|pero)\b))\s*",
    re.IGNORECASE,
)
"""The words that open a continuation."""

_ELLIPSIS = re.compile(
    r"\W*(?:any(?:thing)? else|(?:what|who|where|why) else|tell me more|more|go on|really|"
    r"(?:for|since|until|by|from|to|with|about|in|at|of|on|under|seit|bis|für|von|mit|depuis|pour|desde|hasta|para|de|con)?\s*"
    r"(?:what|which|who|whom|whose|when|where|why|how|was|wer|wen|wem|wann|wo|warum|wieso|wie|welche[rsnm]?|qui|quand|où|"
    r"pourquoi|comment|combien|quel(?:le)?s?|qué|quién|cuándo|dónde|cómo|cuánto|cuál)"
    r"(?: (?:not|so|come|much|many|long|often|far|old|exactly|ones?|viele?|lange|oft|genau))*)\W*\Z",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"\b(?:it|they|them|he|him|she|her(?! \w)|itself|themselves|himself|herself|there|il|elle|ils|elles|él|ella|ellos|ellas|"
    r"er|sie|ihn|ihm|ihnen|dort|allí)\b",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(
    r"\b(?:its|their|theirs|his|hers|her(?= \w)|seine?[rnms]?|ihre?[rnms]?|leurs?)\b", re.IGNORECASE
)
_BEFORE_THAT = (
    "is was are does do did would will can could has had about of for from with at by to on in after before like"
)
_AFTER = "(?:" + "|".join(rf"(?<=\b{word} )" for word in _BEFORE_THAT.split()) + ")"
_DEMONSTRATIVE = re.compile(
    r"\b(?:(?:this|that|the|which|another|any|no|other|first|last|same) ones?(?! of\b)|these|those(?! (?:who|that|of|which)\b)|"
    r"this(?! (?:year|month|week|quarter|document|text|file|collection)\b)|(?:the )?(?:former|latter)\b(?! \w+ of)|"
    r"(?:the same|both)(?!.*\b(?:and|as)\b)|"
    r"(?:since|until|till|by|back|before|after|from) then|then(?=\W*\Z)|that(?=\W*\Z)|"
    rf"{_AFTER}that|(?:(?<=\A)|(?<=[.?!] ))that|"
    r"dieser?|dieses|diesen|diesem|davon|dafür|damit|dazu|darüber|cela|ça|celui|celle|ceux|eso|ese|esa|esto)\b",
    re.IGNORECASE,
)
_EMPTY_SUBJECT = re.compile(
    r"\b(?:(?:is|are|was|were|be|been)\s+there|there\s+(?:is|are|was|were|will|has|have)|"
    r"it\s+(?:\w+\s+)?(?:(?:take|takes|took|cost|costs|mean|means|matter|legal|rain|rains|snow|snows)\b|"
    r"(?:\w+\s+)?\w+\s+(?:to|that|if|for)\b))",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[,;.?!]|\b(?:and|or|but|when|if|because|while|before|after|until|that|which|where|since|once|as|whether|und|wenn|et|y)\b",
    re.IGNORECASE,
)
_ANTECEDENT = re.compile(
    r"(?<!^)(?<![¿(\"“] )\b[A-Z][\w&’'.-]*|"
    r"\b(?:the|a|an|this|each|every|my|our|your|der|die|das|ein|eine|le|la|un|une|el|los|las)\s+\w+|\b(?!(?i:does\b|this\b|these\b|those\b|whose\b|his\b|has\b|was\b|its\b|theirs\b|always\b|perhaps\b))\w{2,}s\b"
)
_ASKING = frozenset(
    "who whom whose what which when where why how list show explain tell describe name give compare summarise summarize define "
    "wer wen was wann wo warum wie welche welcher welches nenne zeige qui que quand où pourquoi comment quel quelle qué quién "
    "cuándo dónde cómo cuál".split()
)
_TAKES_NOUN = frozenset("what which whose how list welche welcher welches quel quelle cuál".split())
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|am|be|been|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must|isn't|aren't|"
    r"doesn't|don't|didn't|ist|sind|war|waren|hat|haben|kann|können|muss|müssen|darf|wird|werden|gibt|gilt|"
    r"est|sont|était|a|ont|peut|doit|faut|es|son|está|están|hay|tiene|puede|debe|fue)\b",
    re.IGNORECASE,
)
_ARTICLE_AFTER_VERB = re.compile(
    r"\b(?!(?:in|at|on|of|for|to|from|by|with|about|under|during|and|or|all)\b)\w+\s+(?:the|a|an|my|our|your|their)\s+\w",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(
    r"\b(?:in|at|on|of|for|to|from|by|with|about|under|during|im|am|von|für|bei|de|à|en)\b", re.IGNORECASE
)
_WORD = re.compile(r"\w+(?:['’-]\w+)*")


def is_dependent(question: str) -> bool:
    """Whether the question cannot be understood without the turns before it."""
    return opens_as_continuation(question) or leans_back(question) or is_fragment(question)


def opens_as_continuation(question: str) -> bool:
    """Whether the question goes on from an earlier one: it opens with "and" or the like, or only asks "Why?"."""
    return OPENING.match(question) is not None or _ELLIPSIS.match(question) is not None


def leans_back(question: str) -> bool:
    """Whether a pronoun stands for something that the question does not name before it."""
    if _DEMONSTRATIVE.search(question):
        return True
    empty = [match.span() for match in _EMPTY_SUBJECT.finditer(question)]
    for match in _PERSONAL.finditer(question):
        is_empty = any(start <= match.start() < end for start, end in empty)
        if not is_empty and not _is_named_in_an_earlier_clause(question[: match.start()]):
            return True
    return any(not _ANTECEDENT.search(question[: match.start()]) for match in _POSSESSIVE.finditer(question))


def _is_named_in_an_earlier_clause(before: str) -> bool:
    """Whether a clause before the pronoun's own names something: "Who founded Acme and when did", not "Does Acme own"."""
    ends = [match.start() for match in _CLAUSE.finditer(before)]
    return bool(ends) and _ANTECEDENT.search(before[: ends[-1]]) is not None


def is_fragment(question: str) -> bool:
    """Whether the question is short and has no verb: "Opening hours in Porto?", "Which city?"; not "Who leads the company?"."""
    words = _WORD.findall(question)
    if not words or len(content_words(question)) >= MIN_WORDS or _AUXILIARY.search(question):
        return False
    first = words[0].casefold()
    if first not in _ASKING:
        return True
    if first in _TAKES_NOUN:
        has_verb = _ARTICLE_AFTER_VERB.search(question[len(words[0]) :]) or not _PREPOSITION.search(question)
        return len(words) < 4 or (len(words) < 5 and not has_verb)
    return len(words) < 3
