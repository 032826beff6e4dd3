"""Whether a question asks for one fact, which one statement settles. Pure.

Who, when, where, how many and the like ask for one fact, and so do a question for the value of something and one that is
answered by yes or no of one thing. Several things, reasons, ways, meanings and events may take several statements. Questions
are known in English, German, French and Spanish.
"""

import re

from service.generators.whole_lists import asks_for_all

_MEASURED = (
    r"(?:many|much|long|old|often|far|tall|high|deep|big|large|wide|thick|heavy|fast|late|early|soon|expensive|hot|cold|warm|"
    r"small|loud|frequently|quickly)"
)
_EXPLAINED = (
    r"(?:purpose|role|function|reason|cause|motive|motivation|meaning|significance|importance|difference|relationship|relation|"
    r"effect|impact|influence|process|procedure|way|method|history|background|origin|idea|story|plot|theme|aim|goal|objective|"
    r"strategy|plan|policy|problem|risk|benefit|advantage|disadvantage|consequence|result|outcome|point|nature|structure|context|"
    r"rule|requirement|condition|treatment|approach|mechanism|principle|concept|"
    r"rationale|scope|content|recommendation|advice|guidance)"
)
"""What takes an explanation and not a value."""
_OF_SEVERAL = (
    r"(?:new|different|included|covered|excluded|required|needed|allowed|permitted|forbidden|prohibited|"
    r"contained|stored)"
)
"""What may be said of several things: "What is included in the price?"."""
_QUANTITIES = (
    r"(?:sales|earnings|revenues|proceeds|expenses|costs|assets|liabilities|inventories|receivables|losses|savings|wages|"
    r"taxes)"
)
"""Amounts of money whose names are plurals."""
_WORD = r"[\w.&'’-]+"
_BE = r"(?:is|was)"
_POLAR = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|may|must|should|will|would)"
_POLAR_GERMAN = r"(?:ist|sind|war|waren|hat|haben|darf|dürfen|kann|können|muss|müssen)"
"""The verbs that begin a question for yes or no."""
_ONE = [
    re.compile(
        rf"\A\W*(?:(?:in|at|by|for|to|from|of|on|with|since|until|under|after|before|during)\s+)?{form}", re.IGNORECASE
    )
    for form in (
        r"(?:who(?!\s+(?:are|were|can|may|must|should)\b)|whom|whose)\b",
        r"(?:when|where)\b(?!\s+to\b)",
        rf"how\s+{_MEASURED}\b",
        rf"(?:what|which)\s+{_BE}\s+(?!{_OF_SEVERAL}\b)(?:(?!{_EXPLAINED}\b){_WORD}\s+){{1,5}}(?:of|for|in|at|on|to|per|from|by|as)\s",
        rf"(?:what|which)\s+{_BE}\s+(?:the|my|our|your|its|their)\s+(?:(?!{_EXPLAINED}\b){_WORD}\s+){{0,3}}(?!{_EXPLAINED}\b){_WORD}\s*\?*\Z",
        rf"(?:what|which)\s+{_BE}\s+(?:{_WORD}\s+){{0,3}}{_WORD}['’]s\s+(?:(?!{_EXPLAINED}\b){_WORD}\s+){{0,3}}(?!{_EXPLAINED}\b){_WORD}\s*\?*\Z",
        rf"(?:what|which)\s+(?:were|are)\s+(?:{_WORD}\s+){{0,6}}?{_QUANTITIES}\b",
        r"(?:what|which)\s+(?:percentage|share|year|month|day|date|time|number|amount|price|size|colou?r|city|country|person|"
        r"company|version|page|form|kind|type|unit|rate|level|port|file|option|command)\b",
        r"which\s+(?!(?:of|equipment|clothing|furniture|luggage|gear|food|information|data|documentation|paperwork|training)\b)[^\W\d_]+(?<!s)\s",
        rf"what\s+(?:do|does|did)\s+(?:{_WORD}\s+){{1,8}}?(?:cost|weigh|measure)s?\b",
        rf"{_POLAR}\s+(?!you\s)",
        r"(?:wer|wem|wen|wessen|wann|wo|wohin|woher|wie\s+(?:viele?|lange?|alt|oft|weit|hoch|tief|groß|breit|schwer|teuer))\b",
        r"(?:qui|quand|où|combien|quién|cuándo|dónde|cuánt[oa]s?)\b",
        rf"{_POLAR_GERMAN}\s",
    )
]
_SEVERAL = re.compile(
    r"\b(?:why|how\s+(?:do|does|did|can|could|should|would|is|are|was|were|to)|describe|explain|warum|wieso|pourquoi|"
    r"por\s+qué|all\s+the|as\s+well\s+as)\b|\b(?:and|or|und|oder)\s+(?:what|which|who|when|where|why|how|was|wer|wann|wo|warum|wie)\b|"
    r"\band\s+[a-z]+\W*\Z",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(rf"\W*(?:{_POLAR}|{_POLAR_GERMAN})\s", re.IGNORECASE)
_OF_TWO = re.compile(r"\b(?:and|or|und|oder)\b", re.IGNORECASE)
_ANY = re.compile(r"\W*(?:are|were)\s+there\b|\bany\s+(?:[\w-]+\s+)?[^\W\d_]{2,}(?<!s)s\b", re.IGNORECASE)
"""Asks for things in the form of a question whether there are some: "Are there discounts?"."""
_AMONG = re.compile(
    r"\W*(?:(?:in|at|by|for|to|from|of|on|with)\s+)?(?:which|how\s+many|welche[rsmn]?|wie\s*viele|quel(?:le)?s?|combien|"
    r"qué|cuál|cuánt[oa]s)\b",
    re.IGNORECASE,
)
_QUANTITY = re.compile(rf"\b{_QUANTITIES}\b", re.IGNORECASE)


def asks_for_one_fact(question: str) -> bool:
    """Whether the question asks for one fact, such as a person, a place, a time, an amount, or yes or no."""
    if _SEVERAL.search(question) or (asks_for_all(question) and not _is_amount(question)):
        return False
    if asks_for_yes_or_no(question) and (_OF_TWO.search(question) or _ANY.search(question)):
        return False
    return any(form.match(question) for form in _ONE)


def asks_for_yes_or_no(question: str) -> bool:
    """Whether the question is answered by yes or no: "Is parking free?"."""
    return _YES_OR_NO.match(question) is not None


def _is_amount(question: str) -> bool:
    return _QUANTITY.search(question) is not None or re.match(r"\W*how\s+many\b", question, re.IGNORECASE) is not None


def asks_among(question: str) -> bool:
    """Whether the question asks which or how many of several there are: "Which plan includes support?"."""
    return _AMONG.match(question) is not None
