"""Words that decide what a sentence says: sets that exclude each other, opposites, negations, synonyms. Pure.

English first; weekdays, months, negations and bounds also in German and French.
"""

import re
from enum import StrEnum


class Kind(StrEnum):
    """A set of words that exclude each other in one place of a sentence."""

    NAME = "name"
    IDENTIFIER = "identifier"
    NUMBER = "number"
    ORDINAL = "ordinal"
    UNIT = "unit"
    CURRENCY = "currency"
    MONTH = "month"
    WEEKDAY = "weekday"
    QUANTIFIER = "quantifier"
    GRADE = "grade"
    COLOUR = "colour"
    DIRECTION = "direction"
    SEASON = "season"
    TIME_OF_DAY = "time of day"
    FREQUENCY = "frequency"
    RELATIVE = "relative"
    MEAL = "meal"


def _values(groups: str) -> dict[str, str]:
    """Every word -> the first word of its line."""
    return {word: line.split()[0] for line in groups.strip().splitlines() for word in line.split()}


KINDS: dict[Kind, dict[str, str]] = {
    Kind.ORDINAL: _values("""
        first 1st erste ersten erster premier première
        second 2nd zweite zweiten zweiter deuxième
        third 3rd dritte dritten dritter troisième
        fourth 4th vierte vierten quatrième
        fifth 5th fünfte fünften cinquième
        sixth 6th sechste sechsten
        seventh 7th siebte siebten
        eighth 8th achte achten
        ninth 9th neunte neunten
        tenth 10th zehnte zehnten
        eleventh 11th
        twelfth 12th
        last letzte letzten dernier dernière
    """),
    Kind.UNIT: _values("""
        second seconds sec secs sekunde sekunden seconde secondes
        minute minutes min mins minuten
        hour hours hr hrs stunde stunden heure heures
        day days tag tage tagen jour jours
        week weeks woche wochen semaine semaines
        month months monat monate monaten mois
        quarter quarters quartal quartale
        year years jahr jahre jahren an ans année années
        millimetre millimetres millimeter millimeters mm
        centimetre centimetres centimeter centimeters cm
        metre metres meter meters
        kilometre kilometres kilometer kilometers km
        mile miles
        inch inches
        foot feet
        milligram milligrams mg
        gram grams gramm
        kilogram kilograms kg kilo kilos kilogramm
        tonne tonnes ton tons
        pound-weight lbs lb
        millilitre millilitres milliliter milliliters ml
        litre litres liter liters
        volt volts
        watt watts
        kilowatt kilowatts kw
        celsius
        fahrenheit
        percent per-cent prozent
        kilobyte kilobytes kb
        megabyte megabytes mb
        gigabyte gigabytes gb
        terabyte terabytes tb
    """),
    Kind.CURRENCY: _values("""
        euro euros eur €
        dollar dollars usd $
        pound pounds gbp sterling £
        franc francs chf franken
        yen jpy ¥
        crown crowns krona kronor krone kroner sek nok dkk
        rupee rupees inr ₹
        zloty zlotys pln
        cent cents
    """),
    Kind.MONTH: _values("""
        january januar janvier
        february februar février
        march märz mars
        april avril
        may mai
        june juni juin
        july juli juillet
        august août
        september septembre
        october oktober octobre
        november novembre
        december dezember décembre
    """),
    Kind.WEEKDAY: _values("""
        monday mondays montag montags lundi lundis
        tuesday tuesdays dienstag dienstags mardi mardis
        wednesday wednesdays mittwoch mittwochs mercredi mercredis
        thursday thursdays donnerstag donnerstags jeudi jeudis
        friday fridays freitag freitags vendredi vendredis
        saturday saturdays samstag samstags sonnabend sonnabends samedi samedis
        sunday sundays sonntag sonntags dimanche dimanches
        weekday weekdays werktag werktags
        weekend weekends wochenende wochenenden
    """),
    Kind.QUANTIFIER: _values("""
        all every each always everyone everybody everything alle jede jeder jedes immer tous toutes toujours
        most mostly usually meist meistens
        some sometimes someone somebody several einige manche manchmal quelques parfois
        few rarely seldom wenige selten peu rarement
        half
        double twice
        once
    """),
    Kind.GRADE: _values("""
        economy
        business
        premium
        standard
        basic
        junior
        senior
        deputy
        gold
        silver
        bronze
    """),
    Kind.COLOUR: _values("""
        red rot rote roten rouge
        green grün grüne grünen vert verte
        blue blau blaue blauen bleu bleue
        yellow gelb gelbe gelben jaune
        white weiß weiße weißen blanc blanche
        black schwarz schwarze schwarzen noir noire
        grey gray grau graue grauen gris grise
        orange
        brown
        purple violet
    """),
    Kind.DIRECTION: _values("""
        north northern nord nördlich
        south southern süd südlich sud
        east eastern ost östlich
        west western westlich ouest
        left links gauche
        right rechts droite
    """),
    Kind.SEASON: _values("""
        spring frühling printemps
        summer sommer été
        autumn fall herbst automne
        winter hiver
    """),
    Kind.TIME_OF_DAY: _values("""
        morning mornings morgens vormittags matin
        noon midday mittags midi
        afternoon afternoons nachmittags
        evening evenings abends soir
        night nights midnight nachts nuit
    """),
    Kind.FREQUENCY: _values("""
        hourly stündlich
        daily täglich
        weekly wöchentlich
        fortnightly biweekly zweiwöchentlich
        monthly monatlich
        quarterly vierteljährlich
        yearly annually jährlich
    """),
    Kind.RELATIVE: _values("""
        mother mothers
        father fathers
        daughter daughters
        son sons
        sister sisters
        brother brothers
        wife wives
        husband husbands
    """),
    Kind.MEAL: _values("""
        breakfast breakfasts
        lunch lunches
        dinner dinners supper
    """),
}
"""Kind -> word in lower case -> its value: the same for words that mean the same."""

SHORT_UNITS = {
    "s": "second",
    "h": "hour",
    "m": "metre",
    "g": "gram",
    "l": "litre",
    "t": "tonne",
    "v": "volt",
    "w": "watt",
}
"""Units of one letter, which count only after a number."""

_OPPOSITES = """
    allow forbid; open close; include exclude; increase decrease; rise fall; raise lower; accept reject; approve
    refuse; approve reject; win lose; buy sell; lend borrow; import export; enter leave; arrive depart; start end;
    begin end; begin stop; start stop; begin finish; start finish; gain lose; hire dismiss; add remove; connect
    disconnect; enable disable; activate deactivate; lock unlock; on off; up down; in out; inside outside; indoors
    outdoors; above below; before after; earlier later; early late; from until; since until; more less; more fewer;
    many few; most fewest; most least; greater smaller; larger smaller; bigger smaller; higher lower; high low;
    longer shorter; long short; faster slower; fast slow; older newer; old new; older younger; oldest newest; oldest
    youngest; largest smallest; highest lowest; longest shortest; best worst; better worse; earliest latest; maximum
    minimum; upper lower; top bottom; front back; first last; internal external; public private; mandatory optional;
    compulsory optional; mandatory voluntary; compulsory voluntary; require optional; permanent temporary; paid
    free; full empty; wet dry; hot cold; warm cold; warm cool; hard soft; strong weak; heavy light; safe dangerous;
    valid expired; true false; correct wrong; positive negative; success failure; succeed fail; pass fail; agree
    disagree; support oppose; majority minority; male female; men women; boys girls; adult child; adults children;
    present absent; alive dead; profit loss; income expense; upload download; encrypt decrypt; north south; east
    west; left right; employer employee; landlord tenant; buyer seller; lender borrower; teacher pupil; parent
    child; atleast atmost; morethan lessthan; morethan atmost; atleast lessthan; vor nach; avant après; erlaubt
    verboten; geöffnet geschlossen; ouvert fermé; mehr weniger; plus moins; von bis
"""
OPPOSITES = tuple((first, second) for first, second in (pair.split() for pair in _OPPOSITES.split(";")))
"""Pairs of words that mean the opposite."""

NEGATIONS = frozenset(
    "not no never none nobody nothing nowhere neither nor without cannot hardly nicht kein keine keinen keiner keinem nie "
    "niemals niemand nichts ohne pas jamais aucun aucune sans".split()
)
EXCEPTIONS = re.compile(
    r"\b(?:unless|except|until|other than|apart from|only|but|es sei denn|außer|bis|sauf|seulement)\b", re.IGNORECASE
)
PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "non-", "mis")
"""What makes the opposite of a word: "paid" and "unpaid"."""

SYMMETRIC_VERBS = frozenset(
    "meet marry differ equal border join resemble match link connect compare combine share agree discuss overlap cooperat "
    "collaborat compete touch adjoin".split()
)
"""Stems of verbs whose two sides may change places."""

_SYNONYMS = """
    allow permit authorise authorize
    forbid prohibit ban disallow verbot interdit
    lead head run manage direct chair
    pay reimburse refund
    buy purchase acquire
    begin start commence
    end finish conclude stop
    need require must obligatory necessary mandatory compulsory
    replace supersede
    get receive obtain
    give grant provide offer supply
    show display
    big large
    choose select
    happen occur
    help assist support
    keep retain store save
    mean indicate signal denote
    build construct erect
    repair fix
    send submit
    tell inform notify
    use employ utilise utilize
    worker employee staff
    firm company business
    shop store
    car vehicle
    child kid
    film movie
    illness sickness sick ill
    journey trip travel
    holiday vacation leave
    phone telephone
    costs price cost
    about approximately roughly around
"""
SYNONYMS = {word: line.split()[0] for line in _SYNONYMS.strip().splitlines() for word in line.split()}
"""Word -> a word that means the same in one place of a sentence."""

IRREGULAR = dict(
    pair.split("=")
    for pair in (
        "led=lead paid=pay held=hold made=make gave=give given=give took=take taken=take went=go gone=go ran=run came=come "
        "began=begin begun=begin kept=keep left=leave lost=lose won=win sold=sell bought=buy built=build sent=send told=tell "
        "wrote=write written=write said=say got=get found=find met=meet brought=bring taught=teach thought=think stood=stand "
        "understood=understand rose=rise risen=rise fell=fall fallen=fall grew=grow grown=grow knew=know known=know drew=draw "
        "drawn=draw chose=choose chosen=choose broke=break broken=break spoke=speak spoken=speak drove=drive driven=drive "
        "ate=eat eaten=eat saw=see seen=see beat=beat forbade=forbid forbidden=forbid lent=lend spent=spend shut=shut "
        "children=child women=woman men=man people=person"
    ).split()
)
