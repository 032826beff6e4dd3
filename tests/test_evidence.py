"""Passages and units that do not name what the question names answer less well than those that do."""

from dataclasses import replace

from index.blocks.block import Span
from index.chunking.chunker import chunk_document
from index.records import Hit
from service.answering.evidence import KIND_PENALTY, LOOKED_UP, SUBJECT_LOSS, Weighed, is_met, weigh
from service.generators.protocol import Passage
from service.scoring.reader import Reading, SentenceReading
from service.text.constraints import Constraint, ConstraintKind
from tests.test_chunking import words
from tests.test_units import read


def passages(name: str, text: str, relevance: float = 5.0) -> list[Passage]:
    """The passages of a file, of which every unit reads equally well."""
    document = read(name, text)
    found = []
    for chunk in chunk_document(document, words):
        assert chunk.rendering is not None
        sentences = [SentenceReading(*span, relevance, Span(*span), relevance) for span in chunk.rendering.spans()]
        hit = Hit(chunk, document.title, document.uri, None, relevance)
        found.append(Passage(hit, Reading(relevance, tuple(sentences))))
    return found


def weighed(question: str, *read: Passage) -> Weighed:
    return weigh(question, read, lambda _: True)


def best_units(found: Weighed) -> list[str]:
    """The units with the highest score in all passages, as they are read."""
    scored = [
        (sentence.score, passage.text[sentence.start : sentence.end])
        for passage in found.passages
        for sentence in passage.reading.sentences
    ]
    highest = max(scored)[0]
    return [text for score, text in scored if score == highest]


def best_of(question: str, name: str, text: str) -> list[str]:
    return best_units(weighed(question, *passages(name, text)))


def test_a_question_that_names_nothing_changes_no_score() -> None:
    [ropes] = passages("a.md", "Ropes are sold by the metre. Hooks are not.")
    assert weighed("how are ropes sold?", ropes) == Weighed((ropes,), ())


def test_the_passage_that_names_what_is_asked_for_comes_first() -> None:
    [oder] = passages("oder.md", "The Oder Commission has nine members.", 4.0)
    [spree] = passages("spree.md", "The Spree Commission has seven members.", 5.0)
    found = weighed("How many members has the Oder Commission?", spree, oder)
    assert [passage.hit.title for passage in found.passages] == ["oder", "spree"]
    assert found.passages[0].reading.relevance == 4.0
    assert found.missing == ()


def test_a_name_in_the_title_or_a_heading_counts_for_the_passage() -> None:
    [oder] = passages("a.md", "# Oder Commission\n\nIt has nine members.\n")
    assert weighed("Which members has the Oder Commission?", oder).passages == (oder,)


def test_what_no_passage_names_lowers_all_of_them_and_is_missing() -> None:
    [oder] = passages("oder.md", "The Oder Commission has nine members.")
    found = weighed("How many members has the Havel Commission in 1994?", oder)
    assert found.missing == (
        Constraint(ConstraintKind.NAME, "Havel Commission"),
        Constraint(ConstraintKind.YEAR, "1994"),
    )
    assert found.passages[0].reading.relevance < 0
    assert found.passages[0].reading.best < 0


def test_another_version_or_part_number_is_missing() -> None:
    for question, text in [
        ("What is new in 3.4.1?", "New in 3.4.10: ropes are faster."),
        ("How heavy is the QL-7731-C?", "The QL-7731-B weighs 4 kg."),
    ]:
        [passage] = passages("a.md", text)
        assert weighed(question, passage).passages[0].reading.relevance < -5


def test_a_sentence_may_be_about_what_the_text_before_it_names() -> None:
    text = "The Oder Commission was founded in 1990. It has nine members."
    assert len(best_of("Which members has the Oder Commission?", "a.md", text)) == 2


def test_a_sentence_about_another_part_of_the_same_form_loses() -> None:
    text = "The PX-40 weighs 4 kg. The PX-90 weighs 9 kg."
    assert best_of("How heavy is the PX-40?", "a.md", text) == ["The PX-40 weighs 4 kg."]


def test_a_sentence_about_a_thing_with_another_number_loses() -> None:
    text = "The Merlin 5 is a pump. The seal of the Merlin 5 lasts a year. The seal of the Merlin 9 lasts ten years."
    best = best_of("How long does the seal of the Merlin 5 last?", "a.md", text)
    assert best == ["The Merlin 5 is a pump.", "The seal of the Merlin 5 lasts a year."]


def test_a_sentence_without_a_person_does_not_say_who() -> None:
    text = "The lock in Moss is led by Kari Lunde.\n\n- Horten, with 4 gates"
    assert best_of("Who leads the lock in Horten?", "a.md", text) != ["- Horten, with 4 gates"]


def test_the_sentence_with_all_words_of_a_keyword_or_a_german_question_is_lifted() -> None:
    text = "# Preise\n\nDie Karte kostet 4 Euro. Hunde fahren umsonst mit."
    assert best_of("Fahren Hunde umsonst?", "a.md", text) == ["Hunde fahren umsonst mit."]
    assert best_of("Was kostet die Karte?", "a.md", text) == ["Die Karte kostet 4 Euro."]
    assert best_of("What about Hunde?", "a.md", text) == ["Hunde fahren umsonst mit."]
    [lifted] = weighed("Was kostet die Karte?", *passages("a.md", text, -2.0)).passages
    assert lifted.reading.relevance == LOOKED_UP
    [other] = weighed("Was kostet das Rad?", *passages("a.md", text, -2.0)).passages
    assert other.reading.relevance == -2.0


def test_the_row_whose_key_the_question_names_wins() -> None:
    table = "| Article | Price |\n|---|---|\n| Rope | 40 |\n| Hook | 9 |\n| Sail | 75 |\n"
    assert best_of("How much is a hook?", "a.md", table) == ["Article: Hook; Price: 9."]
    assert best_of("what do hooks cost", "a.md", table) == ["Article: Hook; Price: 9."]


def test_no_row_loses_where_the_question_names_no_key() -> None:
    table = "| Article | Price |\n|---|---|\n| Rope | 40 |\n| Hook | 9 |\n"
    assert len(best_of("Which is the cheapest?", "a.md", table)) == 2


def test_a_row_has_to_name_the_year_or_part_itself() -> None:
    table = "| Year | Sales |\n|---|---|\n| 2017 | 40 |\n| 2018 | 55 |\n"
    assert best_of("How high were sales in 2018?", "a.md", table) == ["Year: 2018; Sales: 55."]
    rows = "Part,Weight\nQL-7731-B,4\nQL-7731-C,5\n"
    assert best_of("How heavy is the QL-7731-C?", "a.csv", rows) == ["Part: QL-7731-C; Weight: 5."]


def test_a_year_in_a_header_cell_or_a_group_counts_for_the_row() -> None:
    table = "| Port | 2017 | 2018 |\n|---|---|---|\n| Oslo | 40 | 41 |\n| Bergen | 50 | 51 |\n"
    assert best_of("How high were the sales of Bergen in 2018?", "a.md", table) == ["Port: Bergen; 2017: 50; 2018: 51."]
    years = "".join(f"<tr><td colspan=2>{year}<tr><td>Oslo<td>{sales}" for year, sales in ((2017, 40), (2018, 41)))
    page = f"<table><tr><th>Port<th>Sales{years}</table>"
    found = weighed("How high were the sales of Oslo in 2018?", *passages("a.html", page))
    assert best_units(found) == ["Port: Oslo; Sales: 41."]


def test_the_record_whose_name_or_path_the_question_names_wins() -> None:
    goods = '{"rope": {"price": 40, "metres": 3}, "hook": {"price": 9, "metres": 0}}'
    assert best_of("What is the price of the hook?", "a.json", goods) == ["price: 9; metres: 0."]
    listed = '[{"name": "rope", "price": 40}, {"name": "hook", "price": 9}]'
    assert best_of("What is the price of the hook?", "a.json", listed) == ["name: hook; price: 9."]


def test_the_meaning_whose_term_the_question_names_wins() -> None:
    page = "<dl><dt>Splice<dd>To weave two ropes.<dt>Knot<dd>To tie two ropes.</dl>"
    assert best_of("What is a splice?", "a.html", page) == ["Splice: To weave two ropes."]


def test_an_item_has_what_introduces_it() -> None:
    text = "In Bergen we sell:\n\n- ropes at 40;\n- hooks at 9.\n\nIn Oslo we sell:\n\n- ropes at 75;\n- hooks at 12.\n"
    best = best_of("What do ropes cost in Oslo?", "a.md", text)
    assert "ropes at 75;" in best
    assert "ropes at 40;" not in best


def test_whether_a_passage_names_something_counts_its_title_and_headings() -> None:
    [passage] = passages("a.md", "# Oder Commission\n\n## Members\n\nIt has nine members.\n")
    assert is_met(Constraint(ConstraintKind.NAME, "Oder Commission"), passage.hit)
    assert not is_met(Constraint(ConstraintKind.NAME, "Spree Commission"), passage.hit)


def test_what_the_first_page_or_the_file_name_says_counts_for_all_of_a_long_document() -> None:
    [members] = passages("oder.md", "The board has nine members.")
    [others] = passages("spree.md", "The council has seven members.")
    question = "How many members has the board of the Havel Commission?"
    front = {(members.hit.chunk.document_id, members.hit.chunk.version): "Havel Commission\n\nAnnual report"}
    found = weigh(question, [others, members], lambda _: True, lambda: front)
    assert (found.passages[0], found.missing) == (members, ())
    assert found.passages[1].reading.relevance < others.reading.relevance
    assert weighed("How many members has the council of Spree?", others).passages == (others,)


def test_a_sentence_with_another_name_in_the_place_of_the_one_asked_for_loses() -> None:
    text = "Sails come from Tampere. The office in Porto is led by Marta. The office is led by Ines. It opened in 1990."
    [passage] = weighed("Who leads the office in Tampere?", *passages("a.md", text)).passages
    lost = [5.0 - sentence.score for sentence in passage.reading.sentences]
    assert [loss > KIND_PENALTY for loss in lost] == [False, True, False, False]


def test_a_passage_falls_with_its_best_sentence() -> None:
    [passage] = passages("a.md", "Sails come from Tampere. The office in Porto is led by Marta.")
    sails, office = passage.reading.sentences
    reading = replace(passage.reading, sentences=(replace(sails, score=-4.0), office))
    found = weighed("Who leads the office in Tampere?", replace(passage, reading=reading))
    assert found.passages[0].reading.relevance <= 5.0 - 3.0


def test_the_value_of_the_clause_that_is_asked_for_is_marked() -> None:
    text = "The garden opens on 3 May and closes on 28 September."
    [passage] = passages("garden.md", text)
    [sentence] = passage.reading.sentences
    first = text.index("3 May")
    marked = replace(sentence, answer=Span(first, first + len("3 May")))
    read = Passage(passage.hit, replace(passage.reading, sentences=(marked,)))
    for question, value in (("When does the garden close?", "28 September"), ("When does it open?", "3 May")):
        [reading] = weighed(question, read).passages[0].reading.sentences
        assert reading.answer is not None
        assert text[reading.answer.start : reading.answer.end] == value


def test_a_passage_without_the_noun_that_the_question_is_about_answers_a_little_less_well() -> None:
    [ferry] = passages("a.md", "The ferry closes its doors at nine.")
    for question, loss in (("When does the aquarium close?", SUBJECT_LOSS), ("When does the ferry close?", 0.0)):
        [found] = weighed(question, ferry).passages
        assert found.reading.relevance == ferry.reading.relevance - loss
        assert found.reading.sentences[0].score == ferry.reading.sentences[0].score - loss


def test_a_sentence_without_a_number_does_not_say_how_many() -> None:
    text = "The club owns boats of oak. It has fourteen of them.\n"
    assert best_of("how many boats does the club own?", "a.md", text) == ["It has fourteen of them."]


def test_where_nothing_says_when_all_answer_worse() -> None:
    [bridge] = passages("a.md", "The mayor opens the footbridge.", 4.0)
    assert weighed("when does the footbridge open?", bridge).passages[0].reading.relevance == 4.0 - KIND_PENALTY
    assert weighed("who opens the footbridge?", bridge).passages[0].reading.relevance == 4.0


def test_a_lead_in_loses_nothing_since_its_items_may_say_it() -> None:
    [found] = weighed("how many boats are there?", *passages("a.md", "The boats are:\n\n- oak\n- ash\n")).passages
    assert found.reading.sentences[0].score == 5.0


def test_another_quarter_is_another_time() -> None:
    [first] = passages("first.md", "In the first quarter of 2023 the profit was 7.")
    [third] = passages("third.md", "In the third quarter of 2023 the profit was 9.", 4.0)
    found = weighed("What was the profit in the third quarter of 2023?", first, third)
    assert [passage.hit.title for passage in found.passages] == ["third", "first"]


def test_a_file_named_after_a_quarter_is_all_about_it() -> None:
    [first] = passages("2023 Q1 Alba.md", "# Alba\n\nThe profit of 2023 was 7 in these three months.")
    [third] = passages("2023 Q3 Alba.md", "# Alba\n\nThe profit of 2023 was 9 in these three months.", 4.0)
    found = weighed("What was the profit in Q3 2023?", first, third)
    assert "was 9" in found.passages[0].text
    assert found.missing == ()
