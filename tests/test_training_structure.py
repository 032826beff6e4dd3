"""Training data about tables, lists, records and the like: from made-up facts and from passages, as Quoth itself reads them."""

import gzip
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.training_sets import facts_of_yards
from training.batches import Labeller, gold_sentences
from training.evaluate import with_lead_ins
from training.pretrained import base_tokenizer
from training.structure.attributes import Attribute
from training.structure.documents import passage_reader
from training.structure.groups import structure_groups
from training.structure.lists import enumeration, leads_of_split, paired_lists
from training.structure.passages import asked_files
from training.structure.sheets import Sheet, SheetMaker, questions
from training.structure.vocabulary import ValueKind, attribute_of, value_kind, vocabulary
from training.structure.writers import WRITERS, code, identifier, list_per_key, markdown_table

SHEET = Sheet(
    "Northern Ports", "City", (Attribute("price", ValueKind.MONEY), Attribute("head", ValueKind.PERSON)),
    ("Bergen", "Oslo"), (("40 euros", "Anna Holm"), ("75 euros", "Otto Lind")),
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the two mixes with records of our own."""
    folder = tmp_path_factory.mktemp("data")
    lines = map(json.dumps, facts_of_yards(240))
    content = gzip.compress("\n".join(lines).encode())
    for name in ("mix/reader/squad1_dutest", "mix2/reader/squad2_train_1000ctx"):
        path = folder / f"{name}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name in ("mix/reader/qamr", "mix/reader/nq_oracle", "mix/reader/selqa_sentence", "mix2/reader/timeqa_human",
                 "mix2/reader/bioasq_6b9b", "mix2/reader/cpgqa"):  # fmt: skip
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(b""))
    return folder


@pytest.mark.parametrize(
    ("question", "answer", "kind"),
    [
        ("Who led the yard?", "Anna Holm", ValueKind.PERSON),
        ("Where is it?", "Bergen", ValueKind.PLACE),
        ("What city is it in?", "Bergen", ValueKind.PLACE),
        ("When was it sold?", "12 May 1843", ValueKind.DATE),
        ("When was it sold?", "soon after", None),
        ("How many ships are there?", "1,200", ValueKind.COUNT),
        ("How much did it cost?", "$40", ValueKind.MONEY),
        ("What share?", "40 percent", ValueKind.PERCENT),
        ("What did it make?", "harbour cranes", ValueKind.PHRASE),
        ("What did it do?", "was quickly closed", None),
    ],
)
def test_the_kind_of_a_value_follows_from_its_question_and_its_form(question, answer, kind):
    assert value_kind(question, answer) == kind


def test_attributes_come_from_questions_that_name_them():
    assert attribute_of("Who is the mayor of Oslo?") == ("mayor", "Oslo")
    assert attribute_of("What was the first name of the mayor?") is None
    assert attribute_of("Why did the mayor of Oslo leave?") is None


def test_splits_share_no_value_and_no_attribute(data):
    train, test = vocabulary(data, "train"), vocabulary(data, "test")
    for kind, values in train.values.items():
        assert not set(values) & set(test.values.get(kind, ())), kind
    assert not {name for name, _ in train.attributes} & {name for name, _ in test.attributes}
    assert train.values[ValueKind.PERSON]
    assert test.values[ValueKind.PERSON]


def test_a_row_is_read_with_its_header_cells_and_answers_for_its_own_key_only():
    read = passage_reader(base_tokenizer())
    (passage,) = read(*markdown_table(SHEET, random.Random(0)))
    assert "City: Bergen; price: 40 euros; head: Anna Holm." in passage.rendering.text
    (gold,) = passage.units_with(("Bergen", "price", "40 euros"))
    assert passage.rendering.alone(gold).endswith("City: Bergen; price: 40 euros; head: Anna Holm.")
    assert passage.units_with(("Bergen", "price", "75 euros")) == []
    assert passage.holds("Oslo")
    assert not passage.holds("Osl")


def test_an_item_belongs_to_the_key_that_introduces_its_list():
    (passage,) = passage_reader(base_tokenizer())(*list_per_key(SHEET, random.Random(1)))
    (gold,) = passage.units_with(("Oslo", "head", "Otto Lind"))
    assert "Oslo" in passage.rendering.alone(gold)
    assert "Bergen" not in passage.rendering.alone(gold)


def test_a_lead_in_counts_with_the_items_that_it_introduces():
    (passage,) = passage_reader(base_tokenizer())(
        "a.md", "Bergen:\n\n- head: Anna Holm\n\nOslo:\n\n- head: Otto Lind\n"
    )
    (gold,) = passage.units_with(("Oslo", "head", "Otto Lind"))
    found = with_lead_ins({gold}, passage.rendering)
    texts = {passage.rendering.text[passage.rendering.units[n].start : passage.rendering.units[n].end] for n in found}
    assert texts == {"Oslo:", "head: Otto Lind"}


def test_names_in_code_are_found_whatever_their_form():
    sheet = Sheet("Jobs", "Job", (Attribute("retry limit", ValueKind.COUNT),), ("Night backup",), (("7",),))
    (passage,) = passage_reader(base_tokenizer())(*code(sheet, random.Random(3)))
    assert len(passage.units_with(("Night backup", "retry limit", "7"))) == 1
    assert identifier("Night backup") == "night_backup"


def test_every_writer_gives_documents_in_which_the_answers_are_found(data):
    maker, rng, read = (
        SheetMaker(vocabulary(data, "train"), "train"),
        random.Random(5),
        passage_reader(base_tokenizer()),
    )
    for writer in dict.fromkeys(WRITERS):
        found = asked = 0
        for _ in range(6):
            sheet = maker.sheet(rng, 3, 2)
            passages = read(*writer(sheet, rng))
            for question in questions(sheet, rng, 3):
                needed = (
                    sheet.keys[question.row],
                    sheet.attributes[question.column].name,
                    sheet.cells[question.row][question.column],
                )
                asked += 1
                found += any(passage.units_with(needed) for passage in passages)
        assert found >= 0.8 * asked, writer.__name__


@pytest.fixture(scope="module")
def groups(data):
    return list(structure_groups(data, "train", random.Random(7), 300))


def test_the_gold_units_of_a_pair_are_its_only_ones_that_answer(groups):
    forms = Counter()
    for group in groups:
        for pair in group:
            forms[pair.source, pair.relevant] += 1
            assert pair.rendering is not None
            assert pair.rendering.text == pair.passage
            chosen = gold_sentences(pair.gold, pair.sentences)
            assert bool(chosen) == pair.relevant
            if pair.answer is not None:
                place = next(n for n, span in enumerate(pair.sentences) if span.start <= pair.answer.start < span.end)
                assert place in chosen
    assert len({form for form, relevant in forms if relevant and form.startswith("sheet")}) > 10
    assert {form for form, _ in forms} >= {
        "passage as list",
        "passage as table",
        "passage as definitions",
        "passage as facts",
    }
    assert sum(count for (_, relevant), count in forms.items() if not relevant) > 0.3 * sum(forms.values())


def test_a_document_without_the_row_is_no_answer(groups):
    for group in groups:
        answering = [pair for pair in group if pair.relevant and pair.source.startswith("sheet")]
        for pair in group:
            if answering and not pair.relevant and not pair.source.endswith(" alone"):
                best = {answering[0].passage[span.start : span.end] for span in answering[0].gold}
                assert not best & {pair.passage[span.start : span.end] for span in pair.sentences}


def test_a_unit_alone_has_its_lead(groups):
    led = ("sheet as list_per_key alone", "sheet as item_per_key alone")
    alone = [pair for group in groups for pair in group if pair.source in led and pair.relevant]
    assert alone
    assert all(len(pair.passage.splitlines()) > 1 for pair in alone)
    assert all(len(pair.sentences) == 1 for pair in alone)


def test_a_passage_rewritten_without_its_answer_is_a_near_miss(data):
    made = list(asked_files(data, "train", random.Random(2), 60))
    answered = {(file.question, file.form) for file in made if file.needed}
    missed = [
        file
        for file in made
        if not file.needed and (file.question, file.form) in answered and file.form != "passage as facts"
    ]
    assert missed
    by_question = {(file.question, file.form): file for file in made if file.needed}
    for file in missed:
        full = by_question[file.question, file.form]
        assert full.needed[0] not in file.text


def test_the_items_of_one_of_two_lists_answer_and_its_lead_in_does_not(data):
    words, rng, read = vocabulary(data, "train"), random.Random(4), passage_reader(base_tokenizer())
    for _ in range(30):
        asked = paired_lists(words, leads_of_split(is_test=False), rng)
        (passage,) = read(asked.name, asked.text)
        if not asked.needed:
            continue
        gold = passage.units_with(asked.needed)
        (lead,) = asked.needed
        items = asked.text.partition(f"{lead}\n\n")[2].partition("\n\n")[0].splitlines()
        shown = [passage.rendering.text[start:end] for _, start, end in (passage.rendering.units[n] for n in gold)]
        assert len(shown) == len(items) > 1
        assert all(item.endswith(text) for item, text in zip(items, shown, strict=True))


def test_lead_ins_of_the_test_are_in_no_training_document():
    assert not set(leads_of_split(is_test=True)) & set(leads_of_split(is_test=False))


def test_an_enumeration_becomes_a_list_with_the_item_that_answers():
    sentences = [
        "The hall is old.",
        "The fleet of the yard includes two tugs, a ferry and a crane ship.",
        "Ida led it.",
    ]
    record = {"title": "Yard", "q": "Which ferry-like ship has the yard?"}
    full, without = enumeration(record, sentences, 1, "a crane ship")
    lead = "The fleet of the yard includes:"
    assert full.needed == (lead, "a crane ship")
    assert full.text.splitlines()[4:] == [lead, "", "- two tugs", "- a ferry", "- a crane ship", "", "Ida led it."]
    assert without.needed == ()
    assert "crane" not in without.text
    (passage,) = passage_reader(base_tokenizer())(full.name, full.text)
    (gold,) = passage.units_with(full.needed)
    assert passage.rendering.alone(gold) == f"{lead}\na crane ship"
    assert list(enumeration(record, ["The fleet includes two tugs."], 0, "two tugs")) == []


def test_windows_of_a_passage_with_structure_are_its_units(groups):
    labeller = Labeller(base_tokenizer(), 256)
    pair = next(pair for group in groups for pair in group if pair.relevant and len(pair.sentences) > 2)
    example = labeller.example(pair, random.Random(0))
    assert len(example.window.firsts) <= len(pair.sentences)
    assert np.asarray(example.gold).sum() >= 1
