"""The support checker with the shipped weights, and how long premises are cut."""

import shutil
from pathlib import Path

import pytest

from evaluation.datasets.claims import read_begin
from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from index.embedding.weights import bundled_folder, read_tokeniser
from index.errors import ModelDamaged
from models import folder
from service.answering.checking import SupportPolicy
from service.composition.service import assemble
from service.records import Question
from service.scoring.support import SupportChecker, closest_sentences, premise_window
from service.scoring.windows import Tokens
from service.settings import Settings

REPORT = (
    "The agency opened three offices in 2019. Its budget grew from 40 million to 55 million euros. "
    "Maria Keller has led it since 2021; before that she worked for the ministry of transport."
)
FILLER = "The weather was mild and the roads were dry. Trains ran on time for most of the week. "


@pytest.fixture(scope="module")
def checker(compiled):
    return SupportChecker.load(folder("support"), cache=compiled)


@pytest.mark.parametrize(
    ("claim", "other"),
    [
        ("The agency opened three offices in 2019.", "The weather was mild and the roads were dry."),
        ("Maria Keller has led the agency since 2021.", "The agency was founded by a group of farmers."),
        ("Its budget grew to 55 million euros.", "The agency sold its headquarters to a bank."),
    ],
)
def test_statements_of_the_passage_are_supported_and_others_are_not(checker, claim, other):
    said, unsaid = checker.check([(claim, REPORT), (other, REPORT)])
    assert said > 0.5 > unsaid


def test_results_are_probabilities_in_the_order_asked(checker):
    pairs = [
        ("The agency opened three offices.", REPORT),
        ("Bananas are blue.", REPORT),
        ("Trains ran on time.", FILLER),
    ]
    together = checker.check(pairs)
    assert all(0 <= p <= 1 for p in together)
    assert [checker.check([pair])[0] for pair in pairs] == pytest.approx(together, abs=0.05)  # bf16 rounds by shape


def test_an_empty_premise_supports_nothing(checker):
    nothing, rule, something = checker.check([("It grew.", ""), ("It grew.", "----"), ("It grew.", "It grew.")])
    assert nothing < 1e-6
    assert rule < 1e-6
    assert something > nothing


def test_the_supporting_sentence_is_found_in_a_long_premise(checker):
    long = FILLER * 40 + REPORT + " " + FILLER * 40
    said, unsaid = checker.check(
        [("The agency opened three offices in 2019.", long), ("The agency closed down in 1950.", long)]
    )
    assert said > 0.5
    assert said > unsaid


def test_the_fast_path_agrees_with_fp32(checker):
    reference = SupportChecker.load(folder("support"), engine="torch")
    pairs = [("The agency opened three offices.", REPORT), ("She worked for a bank.", REPORT)]
    assert checker.check(pairs) == pytest.approx(reference.check(pairs), abs=0.03)


def test_damaged_weights_are_refused_by_name(tmp_path):
    copied = shutil.copytree(folder("support"), tmp_path / "support")
    path = copied / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelDamaged, match=r"model\.safetensors"):
        SupportChecker.load(copied)


def test_a_long_premise_keeps_the_sentences_closest_to_the_claim_in_their_order():
    # four sentences of two tokens; the claim shares 5 with the last and 1 with the first, and 9 is in every sentence
    premise = Tokens([1, 9, 2, 9, 3, 9, 5, 9], [(3 * n, 3 * n + 2) for n in range(8)])
    sentences = [Span(0, 5), Span(6, 11), Span(12, 17), Span(18, 23)]
    tokens, kept = closest_sentences([5, 1, 9], premise, sentences, room=4)
    assert tokens.ids == [1, 9, 5, 9]
    assert kept == [sentences[0], sentences[3]]


def test_a_premise_that_fits_is_read_whole_and_never_beyond_the_limit():
    tokeniser = read_tokeniser(bundled_folder())
    whole = premise_window(tokeniser, "The agency opened offices.", REPORT, 256)
    assert whole.sentences == range(len(sentence_spans(REPORT)))
    assert len(premise_window(tokeniser, "word " * 500, FILLER * 80, 256).input_ids) <= 256
    assert premise_window(tokeniser, "The agency opened offices.", "", 256) is None


def test_few_unsupported_sentences_of_a_small_model_about_the_briefing_pass(checker):
    written = read_begin(Path(__file__).parent.parent / "evaluation" / "worded.tsv")
    pairs = [(case.question, written.sources[case.given[0]].text) for case in written.cases]
    passes = [probability >= SupportPolicy().min_support for probability in checker.check(pairs)]
    labels = [case.supported for case in written.cases]
    kept = [label for label, passed in zip(labels, passes, strict=True) if passed]
    # measured: .216 of 51 kept, .952 of 42 supported
    assert kept.count(False) / len(kept) <= 0.25
    assert kept.count(True) / labels.count(True) >= 0.8


def test_a_checker_loaded_when_needed_checks_its_weights_at_once_and_builds_its_network_later(tmp_path, compiled):
    checker = SupportChecker.load(folder("support"), compiled, when_needed=True)
    assert not checker.is_ready
    assert checker.check([("It rains.", "It rains.")])[0] > 0.5
    assert checker.is_ready
    copied = tmp_path / "support"
    shutil.copytree(folder("support"), copied)
    (copied / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelDamaged):
        SupportChecker.load(copied, when_needed=True)


def test_an_extractive_answer_does_without_the_checkers_network(service, home):
    answering = assemble(Settings(home=home))
    answer = answering.answerer.answer(Question("How many attacks does Seoul blame on the North?"))
    assert not answer.refused
    assert not answering.checker.is_ready
