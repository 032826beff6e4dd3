"""Short text -> the ends of its sentences, by language: those of sentencex, corrected. Pure.

sentencex 1.0 knows the ends of sentences of all scripts and abbreviations of many languages, but takes "1. März", "M. Dupont",
"z. B. Hunde" or "p. ex. ici" apart, and finds no end in "32 mm. Antes". What follows a full stop decides nearly all of
these: a small letter goes on, and a capital article or pronoun begins a sentence. English is left to sentencex.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sentencex import get_sentence_boundaries

_STOP = re.compile(r"\.([)\]\"'”’»“]*+)\s++(?=\S)")
_IS_INITIAL = re.compile(r"\b[^\W\d_]\.\Z")
_ROMAN = re.compile(r"[ivxlc]{2,}\Z")
_SENTENCE_MARKS = (*".!?:;。！？।؟", "")
_LIST_NUMBER = re.compile(r"[0-9]{1,2}\Z")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}\Z")
_INITIALS = re.compile(r"(?:[^\W\d_]\.-?)*[^\W\d_]\Z")
_KHMER_END = re.compile(r"[។៕]\s*")
_IDEOGRAPHIC_END = re.compile(r"[。！？]++(?![」』”’）)])\s*+")
_BEFORE_FIGURE = re.compile(r"\b(?:approx|incl|excl|max|min|est)\.\s++(?=\d)", re.IGNORECASE)
_QUOTE_GOES_ON = re.compile(r"[」』”’）]\s*(?=[、，,]|と|って|が|を|に|の)|[\"”’](?=[가-힣])")  # 「はい。」と言った
_WORD = re.compile(r"(\w*)(.)", re.DOTALL)
_BEFORE_TOKEN = re.compile(r"[(\[\"'’„“«»¿¡/]")  # "(vgl.", "l'art."
_OPENING = "([\"'„“«»¿¡"
_LIST_MARK = re.compile(r"\((\w{1,4})\)")
_WITHOUT_FULL_STOPS = frozenset({"th", "lo"})
_BETWEEN_LETTERS = re.compile(r"(?<=[\u0e00-\u0eff])[ ]+(?=[\u0e00-\u0eff])")
_PHRASE = 30
_BEFORE = 40
_AFTER = 20

_UNITS = frozenset("mm cm dm m km kg g mg t ml cl l kw kwh hz h min мм см км кг мин руб коп грн".split())
_NAME_PARTICLES = frozenset("le la lo li das".split())
_TITLES = frozenset("dr prof ing mr mrs st".split())


@dataclass(frozen=True, slots=True)
class _Language:
    """The words of a language that decide, in small letters and without the last full stop.

    `titles` stand before names and end no sentence. `short` are other abbreviations: they end one only if a starter follows.
    `last` close a list ("etc."): they end one if a capital follows. `starters` begin sentences. `ordinal` are the words before
    a number with a full stop that is no end ("am 1. März"). Where nouns have capitals, only a starter shows a beginning.
    """

    titles: frozenset[str]
    short: frozenset[str]
    starters: frozenset[str]
    last: frozenset[str]
    ordinal: frozenset[str] = frozenset()
    nouns_have_capitals: bool = False


def _language(
    titles: str = "", short: str = "", starters: str = "", last: str = "etc", ordinal: str = "", *, nouns: bool = False
) -> _Language:
    return _Language(
        frozenset(titles.split()),
        frozenset(short.split()),
        frozenset(starters.split()),
        frozenset(last.split()),
        frozenset(ordinal.split()),
        nouns_have_capitals=nouns,
    )


_SCANDINAVIAN = _language(
    "hr fr frk",
    "kl ca f.eks t.ex bl.a nr m.m d.v.s dvs evt pkt s st str tel tlf jf resp",
    "den det de en et ett han hun hon vi jeg jag du i på for för men og och der",
    "etc osv o.s.v m.v",
    "den d",
)
_LANGUAGES = {
    "de": _language(
        "hr fr frl dipl mag hl",
        "nr abs art abschn anl anh pos bzw ca vgl zzgl inkl exkl zz fa str tel lt gem ggf evtl "
        "sog bspw max min mind st kap bd hrsg jh jhd "
        "chr tgl mtl abzgl ggü mwst ust ziff lit aufl abb tab geb gest verh std sek mio mrd tsd allg kath ev co bez betr",
        "der die das ein eine einen einem einer er sie es wir ich du ihr man dies diese dieser dieses dort dann danach daher "
        "dabei damit dazu darum davon nach vor bei mit für im in am auf aus von zu zum zur seit wenn als ob weil aber auch "
        "und oder so nur noch nicht kein keine alle beide jeder jede wer was wann wo wie warum sein seine ihre unser hier "
        "heute zuerst zunächst schließlich außerdem jedoch sonst",
        "etc usw u.v.m",
        "am im zum vom beim dem den der des die das bis ab seit jeden jeder jedes jedem ihr sein ihrem seinem und",
        nouns=True,
    ),
    "fr": _language(
        "m mm mme mmes mlle me mgr ste pr",
        "p ex réf pp cf al art n no av bd tél chap vol éd env fig hab suiv boul",
        "le la les l un une des il elle ils elles on nous vous je ce cet cette ces dans en pour mais et puis après avant "
        "si quand son sa ses leur à au aux",
    ),
    "es": _language(
        "sr sra srta sres d dña dra ud uds lic arq gral sto sta",
        "p ej ref cía admón excmo pág págs núm núms art arts av avda c cap vol ed ee uu tel aprox máx mín fig dpto izq dcha",
        "el la los las lo un una unos unas él ella ellos se en es no si para por con cuando antes después este esta estos "
        "su sus al y pero luego",
        "etc ltda no",
    ),
    "it": _language(
        "sig sigg sig.ra dott dott.ssa avv arch on rag geom",
        "p es art artt pag pagg n ecc tel c cfr vol cap fig ca max min lett",
        "il lo la i gli le un una uno egli lei essi si in è non se per con quando prima dopo questo questa nel nella al ma",
        "etc ecc no",
    ),
    "pt": _language(
        "sr sra srs sras d dra profa exmo eng",
        "p ex pág págs n art arts av r tel cap vol fig aprox máx mín núm al",
        "o a os as um uma ele ela eles elas se em é não para por com quando antes depois este esta no na ao mas e",
        "etc lda ltda",
    ),
    "nl": _language(
        "dhr mevr mw drs ir",
        "nr art bijv bv blz ca o.a d.w.z m.a.w t.a.v t.o.v i.v.m t.b.v p.p incl excl evt resp tel st lid z.o.z jl max min btw",
        "de het een hij zij ze wij we ik je u dit dat deze die in op voor met na als maar en er",
        "etc enz e.d",
    ),
    "pl": _language(
        "inż mgr hab ks św pan płk gen ul al",
        "rozdz dyr lek med np tzw tj m.in str s art ust pkt nr zob por r w ok tel godz max min zł woj im tys mln",
        "on ona ono oni one to ten ta te w na z do po za dla i a ale jeśli gdy przed nie od jest",
        "itd itp",
    ),
    "cs": _language(
        "mgr bc judr mudr phdr ing pan",
        "ul č čl viz např tzv tj str odst tel cca resp kč tis mil max min popř",
        "on ona ono to ten ta v na z do po za pro a ale před není je od když",
        "atd apod",
        "od do dne ke k ve",
    ),
    "ru": _language(
        "г-н г-жа им акад гр",
        "г гг в вв ул д кв стр с см т е п ст тыс млн млрд руб коп тел рис табл ок обл пр просп пер пл корп чел напр р",
        "он она оно они это этот эта в на с по за для и а но мы вы я при после все как если его её от до из у не",
        "т.д т.п др проч",
    ),
    "uk": _language(
        "п пп акад ім гр",
        "р рр м вул буд кв стор с ст див тис млн млрд грн тел рис табл обл просп пров чол напр т",
        "він вона воно вони це цей ця у в на з по за для і й а але ми ви я при після всі як якщо його її від до не",
        "т.д т.п ін",
    ),
    "ro": _language(
        "dl dna dnei dvs", "str nr art alin lit pag ex de cca tel bd jud", "el ea ei ele în la pe un o de și"
    ),
    "hu": _language("özv ifj", "pl ld u ún kb ill stb tel sz old bek max min vö", "a az egy ez ő és de ha", "stb"),
    "fi": _language("", "esim ks ns mm n klo s puh huom nk no", "hän he se ne tämä ja mutta jos", "jne yms"),
    "tr": _language("sn av doç cad sok mah", "örn vb bkz no tel yy s", "bu o biz siz ben ve ama bir", "vs vb"),
    "el": _language("κ κα δρ", "π.χ δηλ βλ σελ αρ τηλ οδ λεωφ", "ο η το οι τα αυτό και στο στη", "κ.λπ κλπ"),
    "ar": _language("د أ م السيد", "ص هـ ت ج ق"),
    "hi": _language("डॉ श्री श्रीमती प्रो पं सु कु", "रु सं पृ मि मी कि ई"),
    "th": _language("", "โทร น"),
    **dict.fromkeys(("zh", "ja", "ko"), _language("", "no vol fig inc co ltd")),
    **dict.fromkeys(("da", "nb", "no", "nn", "sv"), _SCANDINAVIAN),
}
_OTHERS = _language()
_ALL_TITLES = _TITLES.union(*(words.titles for words in _LANGUAGES.values())) - {"m", "d", "on", "pan", "im", "st"}


def sentence_ends(text: str, language: str) -> list[int]:
    """Return the ends of the sentences of `text`, each with the white space after it; the last is the end of the text."""
    code = language.split("-", maxsplit=1)[0].lower()
    if not code:
        return _ends_in_unknown(text)
    read = text if code == "en" else _LIST_MARK.sub(r"X\1X", text)  # sentencex ends a sentence before "(b)" in one
    found = {boundary["end_index"] for boundary in get_sentence_boundaries(code, read)} | {len(text)}
    if code == "en":
        return sorted(found - {match.end() for match in _BEFORE_FIGURE.finditer(text) if match.end() < len(text)})
    words = _LANGUAGES.get(code, _OTHERS)
    for match in _STOP.finditer(text):
        is_end = _is_end(text[max(0, match.start() - _BEFORE) : match.start()], match, words)
        if is_end is not None and match.end() < len(text):
            (found.add if is_end else found.discard)(match.end())
    found.update(match.end() for match in _KHMER_END.finditer(text))
    if code in ("zh", "ja"):
        found.update(match.end() for match in _IDEOGRAPHIC_END.finditer(text))
    found.difference_update(match.end() for match in _QUOTE_GOES_ON.finditer(text))
    found = {end for end in found if _is_after_punctuation(text, end)}
    if code in _WITHOUT_FULL_STOPS:
        found.update(_phrase_ends(text))
    return sorted(found | {len(text)})


def _ends_in_unknown(text: str) -> list[int]:
    """The ends of the sentences of a text whose language is not known: English ones, but for what no language ends."""
    found = {boundary["end_index"] for boundary in get_sentence_boundaries("en", text)}
    for match in _STOP.finditer(text):
        token = (text[max(0, match.start() - _BEFORE) : match.start()].split() or [""])[-1]
        if text[match.end()].islower() or (
            not match.group(1) and _BEFORE_TOKEN.split(token)[-1].lower() in _ALL_TITLES
        ):
            found.discard(match.end())
    return sorted(found | {len(text)})


def _is_after_punctuation(text: str, end: int) -> bool:
    """Whether a mark stands before the end and no name goes on after it: not "J.|-C."."""
    before = text[max(0, end - _BEFORE) : end]
    follower = text[end : end + 1]
    goes_on = not follower.isalpha() or follower in "ºª" or _IS_INITIAL.search(before) is not None
    is_inside_word = before.endswith(".") and goes_on
    return not is_inside_word and not (before.rstrip()[-1:].isalnum() or before.rstrip().endswith(","))


def _phrase_ends(text: str) -> Iterator[int]:
    """The blanks, which part phrases in Thai and Lao, where the text since the last end is as long as a sentence."""
    start = 0
    for blank in _BETWEEN_LETTERS.finditer(text):
        if blank.end() - start >= _PHRASE:
            start = blank.end()
            yield start


def _is_end(before: str, stop: re.Match[str], words: _Language) -> bool | None:
    """Return whether the full stop ends a sentence; None leaves it to sentencex."""
    after = stop.string[stop.end() : stop.end() + _AFTER]
    *previous, token = before.split() or [""]
    last_word = previous[-1].lower() if previous else ""
    token = _BEFORE_TOKEN.split(token)[-1].lower()
    if after[0].islower() or (not stop.group(1) and token in words.titles | _TITLES):
        return False
    if stop.group(1):
        return None
    word, follower = _WORD.match(after.lstrip(_OPENING) + " ").groups()  # type: ignore[union-attr]  # matches any text
    has_capital = word[:1].isupper() and (follower != "." or len(word) > 1)
    starts = has_capital and word.lower() in words.starters
    is_unit = token in _UNITS and last_word[-1:].isdigit()
    if is_unit or token in words.last or last_word + token in words.last:
        return starts if words.nouns_have_capitals else has_capital
    if token in words.short or _INITIALS.match(token):
        return starts and word.lower() not in _NAME_PARTICLES
    begins_item = last_word[-1:] in _SENTENCE_MARKS and last_word[:-1] not in words.short and len(last_word) != 2
    if _LIST_NUMBER.match(token) and word and (begins_item or (last_word in words.ordinal and not starts)):
        return False
    is_end = (starts and _ROMAN.match(token)) or (_LONG_WORD.match(token) and after[0].isdigit())
    return True if is_end else None
