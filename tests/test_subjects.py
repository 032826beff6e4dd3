"""A model's sentence is kept only if it is settled what it is about, and as said of that. With the real support checker."""

import pytest

from models import folder
from service.answering.checking import CheckedSentence, DraftChecker, SupportPolicy
from service.answering.citations import Numbering
from service.generators.stream_parser import parse_drafts
from service.scoring.support import SupportChecker
from service.text.structure import Structure
from service.text.subjects import answers_nothing, lacks_subject, readings, states_nothing
from tests.test_checking import passage

PASSAGES = [
    passage(text, number)
    for number, text in enumerate(
        [
            "The KR-20 lifts 40 crates an hour. The lease of the KR-20 is 24 months. The KR-20 weighs 3.2 tons.",
            "The lease of the KR-70 is 36 months. The KR-70 weighs 7.9 tons.",
            "The yard in Turku is led by Aino Salmi. She joined the company in 2009. The yard in Gdynia is led by Jan Mazur.",
            "Cranes may only be greased on Fridays. They must be kept under a roof.",
            "- Turku, opened in 1998, 120 workers\n- Gdynia, opened in 2007, 45 workers",
        ]
    )
]


@pytest.fixture(scope="module")
def checker(compiled):
    return SupportChecker.load(folder("support"), cache=compiled)


def kept(checker, text, question="", strict=True):
    numbering = Numbering(PASSAGES, {(p.hit.chunk.document_id, "v"): () for p in PASSAGES})
    checking = DraftChecker(PASSAGES, numbering, checker, SupportPolicy(strict=strict), question)
    drafts = parse_drafts([text], len(PASSAGES), lambda: False)
    return [checked.sentence for draft in drafts if isinstance(checked := checking.check(draft), CheckedSentence)]


@pytest.mark.parametrize(
    ("text", "question", "sentences"),
    [
        (
            "The KR-20 has a lease of 24 months [1]. It weighs 7.9 tons [2].",
            "",
            ["The KR-20 has a lease of 24 months."],
        ),
        (
            "The KR-20 has a lease of 24 months [1]. It weighs 3.2 tons [1].",
            "",
            ["The KR-20 has a lease of 24 months.", "It weighs 3.2 tons."],
        ),
        (
            "The KR-20 has a lease of 24 months [1]. Its weight is 7.9 tons.",
            "",
            ["The KR-20 has a lease of 24 months."],
        ),
        ("The KR-20 has a lease of 24 months [1]. Weighs 7.9 tons [2].", "", ["The KR-20 has a lease of 24 months."]),
        ("The KR-20:\n- lease of 24 months [1]\n- weight of 7.9 tons [2]", "", ["The KR-20: lease of 24 months"]),
        ("The KR-20 has:\n- a lease of 24 months [1]\n- a weight of 7.9 tons", "", ["The KR-20: a lease of 24 months"]),
        ("## KR-20\n\nIt weighs 7.9 tons [2].", "", []),
        ("## KR-20\n\nThe weight is 7.9 tons [2].", "", []),
        ("It weighs 7.9 tons [2].", "How much does the KR-20 weigh?", []),
        ("It weighs 3.2 tons [1].", "How much does the KR-20 weigh?", ["It weighs 3.2 tons."]),
        ("36 months [2].", "How long is the lease of the KR-20?", []),
        (
            "Aino Salmi leads the yard in Turku [3]. She joined the company in 2009 [3].",
            "",
            ["Aino Salmi leads the yard in Turku.", "She joined the company in 2009."],
        ),
        (
            "Cranes may be greased only on Fridays [4]. They must be kept under a roof [4].",
            "",
            ["Cranes may be greased only on Fridays.", "They must be kept under a roof."],
        ),
        (
            "The KR-20 lifts 40 crates an hour. The KR-70 has a lease of 36 months. The latter weighs 7.9 tons [2].",
            "",
            [
                "The KR-20 lifts 40 crates an hour.",
                "The KR-70 has a lease of 36 months.",
                "The latter weighs 7.9 tons.",
            ],
        ),
    ],
)
def test_a_sentence_without_its_subject_is_checked_as_said_of_the_subject_before(checker, text, question, sentences):
    assert [sentence.text for sentence in kept(checker, text, question)] == sentences


def test_under_mark_a_sentence_about_the_other_subject_is_shown_as_unsupported(checker):
    sentences = kept(checker, "The KR-20 has a lease of 24 months [1]. It weighs 7.9 tons [2].", strict=False)
    assert [sentence.supported for sentence in sentences] == [True, False]


def test_each_item_and_each_row_is_checked_on_its_own(checker):
    table = "| Crane | Lease |\n|---|---|\n| KR-20 | 24 months [1] |\n| KR-70 | 24 months [2] |"
    assert [sentence.text for sentence in kept(checker, table)] == ["KR-20: Lease: 24 months"]
    items = "The yards are:\n- Turku, opened in 1998, 120 workers [5]\n- Gdynia, opened in 1991, 45 workers [5]"
    assert [sentence.text for sentence in kept(checker, items)] == ["Turku, opened in 1998, 120 workers"]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("1", "Is grease paid for?"),
        ("Yes. [1]", "May cranes be greased?"),
        ("Lease of 1 January 2023. [1]", "How long is the lease?"),
        ("The main yard in Gdynia leads the yard in Gdynia. [3]", "Who leads the yard in Gdynia?"),
    ],
)
def test_words_that_state_nothing_are_not_kept_under_either_policy(checker, text, question):
    assert kept(checker, text, question) == kept(checker, text, question, strict=False) == []


@pytest.mark.parametrize(
    "text", ["1", "Yes.", "N/A", "Version of 1 January 2023.", "Aino Salmi.", "Here is the answer."]
)
def test_a_line_without_a_statement(text):
    assert states_nothing(text)


@pytest.mark.parametrize(
    "text",
    [
        "The crane is red.",
        "Grease is not paid.",
        "犬は金曜日だけです。",
        "Kräne dürfen nur freitags fahren.",
        "Monday to Friday: 9-17",
    ],
)
def test_a_line_with_a_statement(text):
    assert not states_nothing(text)


@pytest.mark.parametrize(
    ("before", "sentence", "reading"),
    [
        ("The KR-20 lifts crates.", "It weighs 3 tons.", "The KR-20 weighs 3 tons."),
        ("The lease of the KR-20 is long.", "However, it ends in May.", "The lease of the KR-20 ends in May."),
        ("The yard in Turku is led by Aino Salmi.", "She joined in 2009.", "Aino Salmi joined in 2009."),
        ("In 2007, the yard in Turku opened.", "It has 45 workers.", "the yard in Turku has 45 workers."),
        ("The KR-20, a crane, weighs 3 tons.", "Its lease is long.", "The KR-20's lease is long."),
        ("The KR-20 weighs 3 tons.", "This crane has a roof.", "The KR-20 has a roof."),
    ],
)
def test_the_subject_of_the_sentence_before_takes_the_place_of_the_pronoun(before, sentence, reading):
    assert lacks_subject(sentence)
    assert readings(sentence, before)[0].text == reading


@pytest.mark.parametrize(
    "text", ["It is important to grease the crane.", "The crane is red.", "Cranes must be kept dry."]
)
def test_a_sentence_that_needs_no_other(text):
    assert not lacks_subject(text)


def test_a_sentence_that_adds_nothing_from_its_quote_answers_no_question_for_a_name():
    question, quote = "Who leads the yard?", "The yard is led by Jan Mazur."
    assert answers_nothing(question, "The main yard leads the yard.", quote)
    assert not answers_nothing(question, "Jan Mazur leads the yard.", quote)
    assert not answers_nothing("Is the yard open?", "The yard is open.", "The yard is open.")


def test_code_is_one_sentence_and_answer_labels_are_left_out():
    text = "Run this [1]:\n```sh\nlift --all\nstop. Now.\n```\n**Answer:** The crane is red [2]."
    assert [draft.text for draft in parse_drafts([text], 2, lambda: False)] == [
        "lift --all stop. Now.",
        "The crane is red.",
    ]


def test_headings_and_labels_are_kept_for_the_lines_below():
    structure = Structure()
    lines = ["# Cranes", "It lifts.", "**KR-20**", "- red", "Lease:", "- long", "It ends.", "- new"]
    read = [structure.read(line, cites=False) for line in lines]
    assert [line and (line.text, line.under, line.listed) for line in read] == [
        None,
        ("It lifts.", "Cranes", False),
        None,
        ("red", "KR-20", True),
        None,
        ("long", "Lease", True),
        ("It ends.", "KR-20", False),
        ("new", "KR-20", True),
    ]
