"""Languages as old encodings held them: their letters beyond ASCII, their commonest words and endings. Pure.

`index.formats.encodings.legacy` decides by them which encoding a text is in. The words are function words, which nearly
every second line has; the endings are for short texts without one. A language that is not here is not guessed at.
"""

from typing import NamedTuple

WESTERN = ("cp1252", "iso8859_15", "cp850", "cp437", "mac_roman")
CENTRAL = ("cp1250", "iso8859_2", "cp852", "mac_latin2")
TURKISH = ("cp1254", "cp857", "mac_turkish")
BALTIC = ("cp1257", "iso8859_4", "cp775")
CYRILLIC = ("cp1251", "koi8_r", "koi8_u", "iso8859_5", "cp866", "cp855", "mac_cyrillic")
GREEK = ("cp1253", "iso8859_7", "cp737", "mac_greek")
HEBREW = ("cp1255", "iso8859_8", "cp862")
ARABIC = ("cp1256", "iso8859_6")


class Language(NamedTuple):
    """`letters` beyond ASCII, in lower case; the `encodings` it was written in, the likeliest first; `words` and `endings`."""

    letters: frozenset[str]
    encodings: tuple[str, ...]
    words: frozenset[str]
    endings: tuple[str, ...]


def _language(letters: str, encodings: tuple[str, ...], words: str, endings: str = "") -> Language:
    return Language(frozenset(letters), encodings, frozenset(words.split()), tuple(endings.split()))


_RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
COMMON_LETTERS = {
    "ru": frozenset("оеаинтсрвл"), "uk": frozenset("оанивтерсі"), "bg": frozenset("аоеинтрсвл"), "sr": frozenset("аоиенсртјк"),
    "el": frozenset("αοιετσνηυρςόί"), "he": frozenset("יוהלאמרתבש"), "ar": frozenset("اليمنتروبع"),
}  # fmt: skip
"""The letters that make up two thirds of a text, by the language; of the letters of a wrong encoding they are a third."""

LANGUAGES = {
    "en": _language(
        "éèêàâäçïñôöü", WESTERN,
        "à the of and to in is was for that with as on at by be are from it this which or an have has not were their will can",
    ),
    "de": _language(
        "äöüßéè", WESTERN,
        "der die das und ist nicht ein eine einen dem den des mit von zu für auf im in am an bei aus nach wird werden sind "
        "auch sich als oder wie wenn nur noch über es er sie wir ich hat haben war zum zur bis um",
        "ungen lich isch keit heit",
    ),
    "fr": _language(
        "àâçéèêëîïôœùûüÿ", WESTERN,
        "le la les des et est un une du que qui dans pour pas sur au aux avec ce cette il elle ne se par plus sont à été "
        "nous vous ils ou où mais leur son sa ses chaque tous très être",
        "tion ment eaux eux",
    ),
    "es": _language(
        "áéíñóúü", WESTERN,
        "el la los las de del y en que un una es por con para se no su al lo como más está son o pero sus este esta entre "
        "cuando todos también ser hay cada",
        "ción ciones mente dad ado ados",
    ),
    "pt": _language(
        "áâãàçéêíóôõúü", WESTERN,
        "o a os as de do da dos das e em que um uma é por com para se não no na nos nas ao à são mais como mas foi seu sua "
        "está pelo pela até cada todos",
        "ção ções mente dade ado",
    ),
    "it": _language(
        "àèéìîòù", WESTERN,
        "il lo la i gli le di del della dei delle e è in che un una per con non si da al alla sono come più ma anche nel nella "
        "ogni tutti questo questa dal dalla può",
        "zione zioni mente ità",
    ),
    "nl": _language(
        "áéèëïíóöüêç", WESTERN,
        "de het een en van in is op te dat die voor met zijn niet aan er om ook als bij of naar uit door wordt worden hij zij",
        "heid lijk ingen",
    ),
    "da": _language(
        "æøåéü", WESTERN,
        "å ø og i at det er en et den til på for med ikke af som de der har fra vi kan skal om men var eller hver efter også",
        "heden erne else",
    ),
    "sv": _language(
        "åäöéàü", WESTERN,
        "å ö och i att det är en ett den till på för med inte av som de har från vi kan ska om men var eller varje efter också",
        "heten arna orna ning",
    ),
    "fi": _language(
        "äöåšž", WESTERN,
        "ja on ei se että oli hän joka kun ovat mutta kuin myös tai jos sen ole vain niin tämä ne voi mukaan klo joka kaikki",
        "ssa ssä sta stä lla llä lle lta ltä ista istä mään ksi isin aan een tään taan",
    ),
    "is": _language(
        "áéíóúýþæöð", WESTERN,
        "og að er í á ekki sem það við fyrir til af en var með um eru hann hún frá eða þar því ef alla allt hver",
        "inn num num ið ður",
    ),
    "sq": _language("ëç", WESTERN, "dhe të në e i një për me që nga është se nuk ka do janë ose si më kjo", "ve ën ët"),
    "et": _language(
        "äöõüšž", (*BALTIC, *WESTERN),
        "ja on ei see et oli kes kui ka mis või aga ning iga oma kõik tema nad ole saab tuleb kell selle pärast",
        "des tud mine sse vad val mmend takse nud",
    ),
    "lt": _language(
        "ąčęėįšųūž", BALTIC,
        "ir yra kad tai į su per iš bet nuo iki ar už prie apie po kaip arba ne jis ji visi kiekvieną turi gali buvo šis pas",
        "ais uose mas tis imas",
    ),
    "lv": _language(
        "āčēģīķļņōŗšūž", BALTIC,
        "un ir ar no par uz ka kas tas nav pie vai bet līdz pēc katru visi bija tiek arī kā pa šis var viņš",
        "ām iem šana ība ais",
    ),
    "pl": _language(
        "ąćęłńóśźż", CENTRAL,
        "i w z na do się nie jest to że jak o po od za są przez dla ale lub a u co być został każdy tylko może tym ich jego",
        "ego ych ości anie enie emu",
    ),
    "cs": _language(
        "áčďéěíňóřšťúůýž", CENTRAL,
        "a v na je se s z do že to o i za po k ve ale jako jsou není byl být od pro nebo každý které který při jen také až od",
        "ého ých ení ost ání",
    ),
    "sk": _language(
        "áäčďéíĺľňóôŕšťúýž", CENTRAL,
        "a v na je sa s z do že to o aj za po k vo ale ako sú nie bol byť od pre alebo každý ktoré ktorý pri len tiež až",
        "ého ých nie osť anie",
    ),
    "hu": _language(
        "áéíóöőúüű", CENTRAL,
        "a az és hogy nem is egy van meg csak de ha el ki már még ez mint volt lesz vagy kell minden után alatt között naponta "
        "ezt azt akkor",
        "ban ben nak nek ról ről tól től ság ség val vel hoz",
    ),
    "ro": _language(
        "ăâîșțşţ", CENTRAL,
        "și şi de în la cu a al ale este un o pe din nu care să mai sunt pentru că fi se sau după până fiecare lui dar",
        "ului elor ție ţie are ea",
    ),
    "hr": _language(
        "čćđšž", CENTRAL,
        "i u na je se da za od s su a ne ili do nije sa ali koji koja koje kao po iz biti što samo svaki svi bio ima prema",
        "anje ost ima nje stva",
    ),
    "sl": _language(
        "čšž", CENTRAL,
        "in je na v se za da s z so ne od do ali pa ki ni po iz kot tudi vsak vsi bil biti pri lahko samo",
        "anje ost nje stva",
    ),
    "tr": _language(
        "çğıöşüâîû", TURKISH,
        "ve bir bu için ile da de olarak çok daha her en gibi kadar sonra var olan ne ya veya değil ise göre önce tarafından",
        "dır dir dur dür lar ler lık lik luk lük ında inde tır tir ması mesi yor dan den ları leri",
    ),
    "ru": _language(
        _RUSSIAN + "ё", CYRILLIC,
        "и в не на что с по как это он она они к за из от о но для у до же все его а так или только при был есть",
        "ого его ние ать ами ться ость",
    ),
    "uk": _language(
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", CYRILLIC,
        "і в не на що з по як це він вона вони до за із від о але для у та та або тільки при був є й",
        "ого ння ати ами ться ість ють",
    ),
    "bg": _language(
        "абвгдежзийклмнопрстуфхцчшщъьюя", CYRILLIC,
        "и в не на че с по как това той тя те за от но до при или само е са се да ще който която",
        "ето ите ват ния ата",
    ),
    "sr": _language(
        "абвгдђежзијклљмнњопрстћуфхцчџш", CYRILLIC,
        "и у на је се да за од са су а не или до није али који која које као по из што само сви",
        "ање ост има ства ског",
    ),
    "el": _language(
        "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ", GREEK,
        "και το η ο να του της των τα την τον είναι με για από στο στη στην στον δεν που θα οι σε ένα μια",
        "ους ται ων ης ση",
    ),
    "he": _language("אבגדהוזחטיךכלםמןנסעףפץצקרשת", HEBREW, "של את על לא הוא עם גם זה כל או אם היא כי אל בין יש אין"),
    "ar": _language(
        "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيـًٌٍَُِّْ", ARABIC,
        "من في على إلى أن عن مع هذا هذه كل التي الذي ما لا هو هي كان أو بعد قبل يوم",
    ),
}  # fmt: skip
"""By their codes (ISO 639)."""
