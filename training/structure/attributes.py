"""What people keep in tables and records, by what it is about, and how they ask for it in their own words."""

from dataclasses import dataclass

from training.sources import Split, split_of
from training.structure.vocabulary import ValueKind
from training.structure.vocabulary import ValueKind as V


@dataclass(frozen=True)
class Attribute:
    """A column, key or detail, the kind of its values, and questions for it with {k} for what it belongs to.

    `questions` ask without the attribute's own name; every attribute can be asked for by its name as well.
    """

    name: str
    kind: ValueKind
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Topic:
    """A kind of thing that tables are about: what its column is called, what its names look like, and its attributes."""

    nouns: tuple[str, ...]
    keys: ValueKind
    attributes: tuple[Attribute, ...]


_A = Attribute
PRODUCTS = Topic(
    ("Product", "Article", "Item", "Model", "Part"),
    V.NAME,
    (
        _A("price", V.MONEY, ("How much does {k} cost?", "What do I pay for {k}?", "how expensive is {k}")),
        _A("weight", V.QUANTITY, ("How heavy is {k}?", "How much does {k} weigh?")),
        _A("stock", V.COUNT, ("How many pieces of {k} are in the warehouse?", "How many {k} are left?")),
        _A("supplier", V.NAME, ("Who supplies {k}?", "Where do we buy {k}?", "Which company delivers {k}?")),
        _A("warranty", V.DURATION, ("How long is {k} covered if it breaks?", "How long is {k} guaranteed?")),
        _A("colour", V.CHOICE, ("What does {k} look like?",)),
        _A(
            "delivery time",
            V.DURATION,
            ("How long does it take until {k} arrives?", "When do I get {k} if I order now?"),
        ),
        _A("minimum order", V.COUNT, ("How many {k} must I order at least?",)),
        _A("order number", V.CODE, ("Under which number do I order {k}?",)),
        _A("discount", V.PERCENT, ("How much cheaper is {k} at the moment?",)),
        _A("shelf life", V.DURATION, ("How long does {k} keep?",)),
        _A("storage place", V.CODE, ("Where in the warehouse is {k}?",)),
        _A("power", V.QUANTITY, ("How strong is {k}?",)),
        _A("length", V.QUANTITY, ("How long is {k}?",)),
        _A("country of origin", V.PLACE, ("Where is {k} made?", "Where does {k} come from?")),
        _A("material", V.PHRASE, ("What is {k} made of?",)),
        _A("release date", V.DATE, ("Since when is {k} sold?", "When did {k} come out?")),
    ),
)
PEOPLE = Topic(
    ("Name", "Employee", "Member", "Contact", "Person", "Author"),
    V.PERSON,
    (
        _A("department", V.CHOICE, ("Where does {k} work?", "Which team does {k} belong to?")),
        _A("extension", V.COUNT, ("How do I reach {k} by phone?", "Under which number can I call {k}?")),
        _A("office", V.CODE, ("Which room is {k} in?", "Where do I find {k}?")),
        _A("start date", V.DATE, ("When did {k} begin?", "Since when has {k} been with us?")),
        _A("role", V.PHRASE, ("What does {k} do?", "What is {k} responsible for?")),
        _A("manager", V.PERSON, ("Who is the boss of {k}?", "Whom does {k} report to?")),
        _A("deputy", V.PERSON, ("Who stands in for {k}?", "Who replaces {k} during holidays?")),
        _A("holiday entitlement", V.DURATION, ("How much time off does {k} get?",)),
        _A("working hours", V.QUANTITY, ("How much does {k} work a week?",)),
        _A("place of birth", V.PLACE, ("Where was {k} born?",)),
        _A("employer", V.NAME, ("Who does {k} work for?",)),
        _A("salary", V.MONEY, ("How much does {k} earn?", "What is {k} paid?")),
        _A("nationality", V.PLACE, ("Which country is {k} from?",)),
        _A("score", V.COUNT, ("How many points did {k} get?",)),
    ),
)
SITES = Topic(
    ("City", "Site", "Branch", "Office", "Station", "Region", "Location", "Warehouse", "Country"),
    V.PLACE,
    (
        _A("opening time", V.TIME, ("When does {k} open?", "From when can I come to {k}?")),
        _A("closing time", V.TIME, ("When does {k} close?", "How late can I come to {k}?")),
        _A("population", V.COUNT, ("How many people live in {k}?",)),
        _A("rent", V.MONEY, ("What do we pay for the rooms in {k}?",)),
        _A("revenue", V.MONEY, ("How much did {k} take in?", "How much was sold in {k}?")),
        _A("staff", V.COUNT, ("How many people work in {k}?", "How many employees are there in {k}?")),
        _A("head", V.PERSON, ("Who leads {k}?", "Who is in charge of {k}?", "Who runs {k}?")),
        _A("area", V.QUANTITY, ("How large is {k}?", "How big is {k}?")),
        _A("founded", V.DATE, ("When was {k} set up?", "Since when does {k} exist?")),
        _A("postcode", V.CODE, ("Which code do I write on a letter to {k}?",)),
        _A("parking spaces", V.COUNT, ("How many cars can be left at {k}?",)),
        _A("distance", V.QUANTITY, ("How far away is {k}?",)),
        _A("average temperature", V.QUANTITY, ("How warm is it in {k}?",)),
        _A("unemployment rate", V.PERCENT, ("How many are without work in {k}?",)),
        _A("landlord", V.NAME, ("Who owns the building in {k}?",)),
    ),
)
PLANS = Topic(
    ("Plan", "Service", "Tariff", "Package", "Course", "Licence", "Ticket", "Membership"),
    V.PHRASE,
    (
        _A("monthly fee", V.MONEY, ("What does {k} cost a month?", "How much is {k} each month?")),
        _A(
            "notice period",
            V.DURATION,
            ("How long before the end must {k} be cancelled?", "How early must I give notice for {k}?"),
        ),
        _A("minimum term", V.DURATION, ("How long am I bound to {k}?",)),
        _A("storage", V.QUANTITY, ("How much space comes with {k}?",)),
        _A("users", V.COUNT, ("How many people can use {k}?",)),
        _A("response time", V.DURATION, ("How quickly do I get an answer with {k}?",)),
        _A("deposit", V.MONEY, ("How much is held back for {k}?",)),
        _A("places", V.COUNT, ("How many can take part in {k}?",)),
        _A("room", V.CODE, ("Where does {k} take place?",)),
        _A("teacher", V.PERSON, ("Who gives {k}?", "Who teaches {k}?")),
        _A("begins", V.TIME, ("At what time does {k} start?",)),
        _A("duration", V.DURATION, ("How long does {k} take?", "How long does {k} last?")),
        _A("level", V.CHOICE, ("Who is {k} meant for?",)),
        _A("cancellation fee", V.MONEY, ("What do I pay if I call off {k}?",)),
        _A("contact", V.PERSON, ("Whom do I ask about {k}?", "Who helps with {k}?")),
        _A("last day to register", V.DATE, ("Until when can I sign up for {k}?",)),
        _A("tax rate", V.PERCENT, ("How much tax is due on {k}?",)),
    ),
)
SETTINGS = Topic(
    ("Setting", "Service", "Job", "Host", "Option", "Module"),
    V.CODE,
    (
        _A("port", V.COUNT, ("Where does {k} listen?", "On which port does {k} run?")),
        _A("default", V.COUNT, ("What is {k} if nothing is set?", "What value does {k} have out of the box?")),
        _A("timeout", V.DURATION, ("How long does {k} wait?", "After how long does {k} give up?")),
        _A("owner", V.PERSON, ("Who looks after {k}?", "Who maintains {k}?")),
        _A("retries", V.COUNT, ("How often does {k} try again?",)),
        _A("memory limit", V.QUANTITY, ("How much memory may {k} use?",)),
        _A("version", V.CODE, ("Which release of {k} is installed?",)),
        _A("environment", V.CHOICE, ("Where is {k} deployed?",)),
        _A("interval", V.DURATION, ("How often does {k} run?",)),
        _A("log level", V.CHOICE, ("How much does {k} write to its log?",)),
        _A("added in", V.CODE, ("Since which version is there {k}?",)),
        _A("replaced by", V.CODE, ("What should I use instead of {k}?",)),
        _A("meaning", V.PHRASE, ("What does {k} mean?", "What is {k} for?")),
    ),
)
PERIODS = Topic(
    ("Year", "Quarter", "Month", "Period"),
    V.DATE,
    (
        _A("revenue", V.MONEY, ("How much was taken in in {k}?", "How much was sold in {k}?")),
        _A("net income", V.MONEY, ("How much was earned in {k}?", "What profit was made in {k}?")),
        _A("visitors", V.COUNT, ("How many people came in {k}?",)),
        _A("accidents", V.COUNT, ("How often did something happen in {k}?",)),
        _A("growth", V.PERCENT, ("How much did it grow in {k}?",)),
        _A("chair", V.PERSON, ("Who led it in {k}?", "Who was in charge in {k}?")),
        _A("winner", V.PERSON, ("Who won in {k}?", "Who was first in {k}?")),
        _A("host", V.PLACE, ("Where was it held in {k}?",)),
        _A("research costs", V.MONEY, ("How much was spent on research in {k}?",)),
        _A("complaints", V.COUNT, ("How many complained in {k}?",)),
        _A("margin", V.PERCENT),
        _A("dividend", V.MONEY, ("What did shareholders get in {k}?",)),
    ),
)
TOPICS = (PRODUCTS, PEOPLE, SITES, PLANS, SETTINGS, PERIODS)


def topic_of_split(topic: Topic, split: Split) -> tuple[Attribute, ...]:
    """The attributes of a topic that belong to a split, by a hash of their names."""
    return tuple(a for a in topic.attributes if split_of(f"attribute {a.name}", 0.1, 0.25) == split)
