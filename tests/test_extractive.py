"""The extractive generator: which sentences are chosen, in which order, with which quotes. Scores are set by hand."""

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from index.records import Chunk, Hit
from service.generators.extractive import ExtractiveGenerator
from service.generators.protocol import Draft, Passage
from service.scoring.reader import Reading, SentenceReading
from service.text.plain import plain_line


def passage(text: str, scores: list[float], *, relevance: float = 4.0, document: str = "d1", start: int = 0) -> Passage:
    sentences = tuple(
        SentenceReading(span.start, span.end, score, None)
        for span, score in zip(sentence_spans(text), scores, strict=True)
    )
    chunk = Chunk(f"{document}-{start}", document, "v1", 0, start, start + len(text), text)
    return Passage(Hit(chunk, document, f"file:///{document}", None, relevance), Reading(relevance, sentences))


def answer(*passages: Passage, question: str = "Which?") -> list[Draft]:
    return list(ExtractiveGenerator().generate(question, passages))


def test_one_sentence_for_a_fact() -> None:
    drafts = answer(passage("Rain fell. The dam held. Nobody left.", [-3.0, 3.0, -4.0]))
    assert [draft.text for draft in drafts] == ["The dam held."]
    (quote,) = drafts[0].quotes
    assert quote.span == Span(11, 24)


def test_sentences_that_answer_nearly_as_well_follow_in_the_order_of_the_text() -> None:
    drafts = answer(passage("Iron is mined. Rain fell. Zinc is traded.", [2.0, -4.0, 3.0]))
    assert [draft.text for draft in drafts] == ["Iron is mined.", "Zinc is traded."]


def test_one_fact_is_settled_by_one_sentence() -> None:
    source = passage("The mill closed early. Rain fell. The dam closed late.", [3.0, -4.0, 2.5])
    assert len(answer(source, question="What closed?")) == 2
    assert [draft.text for draft in answer(source, question="When did the mill close?")] == ["The mill closed early."]


def test_what_limits_the_one_fact_follows() -> None:
    text = "Boats moor free in June. {} Rain fell. The mill is old."
    for limit in (
        "However, winter costs two euros.",
        "Only members moor in spring.",
        "After 18:30 it costs two euros.",
        "Am Sonntag kostet es zwei Euro.",
    ):
        drafts = answer(passage(text.format(limit), [3.0, 0.5, -4.0, 2.0]), question="When is mooring free?")
        assert [draft.text for draft in drafts] == ["Boats moor free in June.", limit]


def test_what_happened_later_does_not_limit_the_one_fact() -> None:
    source = passage("The pier was built in 1920. In 1950 it was widened.", [3.0, 0.5])
    drafts = answer(source, question="When was the pier built?")
    assert [draft.text for draft in drafts] == ["The pier was built in 1920."]


def test_the_next_sentence_limits_a_yes_if_it_answers_nearly_as_well() -> None:
    source = passage("Mooring is free. Weekends cost two euros. Rain fell. The mill is free.", [3.0, 2.0, -4.0, 2.0])
    drafts = answer(source, question="Is mooring free?")
    assert [draft.text for draft in drafts] == ["Mooring is free.", "Weekends cost two euros."]


def test_a_sentence_that_limits_a_yes_follows_however_it_reads() -> None:
    source = passage("Mooring is free in the evening. Before 18:00 it costs two euros. Rain fell.", [3.0, -4.0, -4.0])
    drafts = answer(source, question="Is mooring free?")
    assert [draft.text for draft in drafts] == ["Mooring is free in the evening.", "Before 18:00 it costs two euros."]
    assert len(answer(source, question="When is mooring free?")) == 1


def test_what_contradicts_the_one_fact_follows() -> None:
    one = passage("The mill closed in May.", [3.0])
    other = passage("The mill closed in June.", [2.5], document="d2")
    assert len(answer(one, other, question="When did the mill close?")) == 2


def test_another_figure_in_another_document_follows_the_one_fact() -> None:
    one = passage("Members may keep a boat in the shed for two weeks.", [3.0])
    other = passage("Members may keep a boat in the shed for three weeks.", [2.5], document="d2")
    assert len(answer(one, other, question="How many weeks may members keep a boat in the shed?")) == 2


def test_at_most_four_sentences() -> None:
    text = "Ada left. Bo came. Cy ran. Di sang. Ed slept. Flo wrote."
    assert len(answer(passage(text, [3.0] * 6))) == 4


def test_the_document_with_the_best_sentence_comes_first() -> None:
    drafts = answer(
        passage("Copper rose.", [3.0], document="d1"),
        passage("Tin fell sharply.", [4.0], document="d2"),
    )
    assert [draft.text for draft in drafts] == ["Tin fell sharply.", "Copper rose."]


def test_a_statement_in_two_documents_appears_once_with_both_sources() -> None:
    drafts = answer(
        passage("The bridge opened in 1932.", [3.0], document="d1"),
        passage("Rain fell. The bridge opened in 1932.", [-5.0, 2.9], document="d2"),
    )
    assert [draft.text for draft in drafts] == ["The bridge opened in 1932."]
    assert [(quote.passage, quote.span) for quote in drafts[0].quotes] == [(0, Span(0, 26)), (1, Span(11, 37))]


def test_a_sentence_in_two_overlapping_passages_is_quoted_once() -> None:
    first = passage("Rain fell. The bridge opened in 1932.", [-5.0, 3.0])
    second = passage("The bridge opened in 1932.", [3.0], start=11)
    (draft,) = answer(first, second)
    assert len(draft.quotes) == 1


def test_a_sentence_that_depends_on_the_previous_one_is_quoted_with_it() -> None:
    drafts = answer(passage("The board chose Oslo. This surprised the press.", [-2.0, 3.0]))
    assert [draft.text for draft in drafts] == ["The board chose Oslo. This surprised the press."]
    assert drafts[0].quotes[0].span == Span(0, 47)


def test_a_heading_is_never_an_answer() -> None:
    drafts = answer(passage("# Where the dam stands\n\nThe dam stands near Linz.", [5.0, 3.0]))
    assert [draft.text for draft in drafts] == ["The dam stands near Linz."]


def test_an_irrelevant_passage_adds_nothing_to_a_good_one() -> None:
    drafts = answer(passage("The dam held.", [3.0]), passage("The dam was painted.", [3.0], relevance=-3.0))
    assert [draft.text for draft in drafts] == ["The dam held."]


def test_without_passages_there_is_no_answer() -> None:
    assert answer() == []


def test_the_text_of_an_answer_is_plain() -> None:
    assert plain_line("- The **dam**\n  [held](https://example.org/x).") == "The dam held."
    assert plain_line("2) 3 x 4 * 5") == "3 x 4 * 5"


def test_a_previous_sentence_that_answers_too_is_not_repeated() -> None:
    drafts = answer(passage("The board chose Oslo. This surprised the press.", [2.8, 3.0]))
    assert [draft.text for draft in drafts] == ["The board chose Oslo.", "This surprised the press."]


def test_a_statement_with_other_figures_is_another_statement() -> None:
    drafts = answer(
        passage("Seoul counts six attacks since 2007.", [3.0]),
        passage("Seoul counts seven attacks since 2007.", [2.9], document="d2"),
    )
    assert len(drafts) == 2


def test_a_line_that_only_repeats_the_question_is_no_answer() -> None:
    drafts = answer(
        passage("Net sales\n\nNet sales were 81 million.\n\nJuly 1, 2023", [5.0, 3.0, 4.0]),
        question="What were net sales on July 1, 2023?",
    )
    assert [draft.text for draft in drafts] == ["Net sales were 81 million."]


def test_a_sentence_far_below_the_best_is_left_out() -> None:
    drafts = answer(passage("Iron is mined. Zinc is traded.", [4.0, 2.4]))
    assert [draft.text for draft in drafts] == ["Iron is mined."]


def test_a_sentence_that_hardly_answers_is_not_added_to_a_weak_best() -> None:
    drafts = answer(passage("Iron is mined. Zinc is traded.", [-0.5, -1.2]))
    assert [draft.text for draft in drafts] == ["Iron is mined."]


def test_the_newer_of_two_dated_figures_comes_first_though_the_older_reads_better() -> None:
    old = passage("At the end of 2019 the mill had 80 looms.", [6.0], document="d1")
    new = passage("At the end of 2021 the mill had 95 looms.", [4.0], document="d2")
    drafts = answer(old, new, question="How many looms has the mill?")
    assert [draft.text for draft in drafts] == [new.text, old.text]
    of_year, *_ = answer(old, new, question="How many looms had the mill in 2019?")
    assert of_year.text == old.text


def test_a_question_for_the_latest_figure_gets_no_older_one() -> None:
    old = passage("At the end of 2019 the mill had 80 looms.", [6.0], document="d1")
    new = passage("At the end of 2021 the mill had 95 looms.", [4.0], document="d2")
    [draft] = answer(old, new, question="How many looms does the mill currently have?")
    assert draft.text == new.text


def test_what_held_until_a_time_does_not_answer_what_holds_now() -> None:
    source = passage("Until 30 June 2023 the fare was 4 euros. The fare is 5 euros.", [6.0, 3.0])
    [draft] = answer(source, question="What does the ferry cost now?")
    assert draft.text == "The fare is 5 euros."


def test_the_synopsis_of_a_command_answers_only_a_question_for_it() -> None:
    form = passage("ferry-log [--all | --today] [-v] [<pier>]", [6.0], document="d1")
    meaning = passage("The option --today lists the trips of the day.", [5.0], document="d2")
    [draft] = answer(form, meaning, question="What does --today do?")
    assert draft.text == meaning.text
    first, *_ = answer(form, meaning, question="What is the syntax of ferry-log?")
    assert first.text == form.text
