"""Distillation: examples as arrays, networks of another depth, the teacher, its labels, and every command from end to end."""

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from index.inference.shape import BertShape
from service.scoring.networks import ReaderNetwork
from service.scoring.trained_model import ModelConfig
from service.scoring.weights import read_model, write_model
from training import distil, label, reader
from training.arrays import DeviceExamples, ExampleArrays, Labels
from training.batches import Labeller
from training.claims import ClaimPair
from training.depth import with_layers
from training.epochs import claim_example, without_labels
from training.losses import TAUGHT_SHARE, reader_losses
from training.mpnet import mpnet_from_hugging_face, new_teacher, read_teacher, write_teacher
from training.pretrained import base_tokenizer
from training.sources import answering_passage, irrelevant_passage

CPU = torch.device("cpu")
SHAPE = BertShape(vocabulary=30523, positions=300, width=32, layers=1, heads=4, inner=48)


@pytest.fixture(scope="module")
def groups():
    labeller = Labeller(base_tokenizer(), 64)
    rng = random.Random(0)
    made = []
    for thing, who in (("house", "Anna"), ("boat", "Otto"), ("car", "Ida"), ("bicycle", "Emil Holm")):
        passage = f"The {thing} is old. It was bought by {who}."
        pair = answering_passage(f"Who bought the {thing}?", passage, [(passage.index(who), who)], "own")
        other = irrelevant_passage(pair.question, f"The {thing} stands outside. Rain fell all day.", "own_near")
        made.append([labeller.example(one, rng) for one in (pair, other)])
    return made


def test_arrays_give_back_every_window(groups, tmp_path):
    ExampleArrays.of(groups).save(tmp_path / "reader-0.npz")
    arrays = ExampleArrays.joined([ExampleArrays.load(tmp_path / "reader-0.npz")] * 2)
    examples = [example for group in groups for example in group] * 2
    assert (len(arrays), arrays.groups.tolist()) == (16, [n for n in range(8) for _ in range(2)])
    rows = np.array([13, 2, 7])
    batch = DeviceExamples(arrays, None, CPU).batch(rows)
    for place, row in enumerate(rows):
        window, size = examples[row].window, len(examples[row].window.input_ids)
        for name in ("input_ids", "token_type_ids", "sentence_ids"):
            assert batch.inputs[name][place, :size].tolist() == getattr(window, name).tolist()
            assert batch.inputs[name][place, size:].sum() == 0
        assert batch.inputs["attention_mask"][place].sum() == size
        assert batch.inputs["firsts"][place, : len(window.firsts)].tolist() == list(window.firsts)
        assert batch.gold[batch.row == place].tolist() == examples[row].gold.tolist()
    (window, first, end, start, last) = batch.span[0].tolist()
    assert window == 1
    assert (start, last) == examples[2].span[1:]
    assert set(batch.inputs["sentence_ids"][1, first:end].tolist()) == {2}
    assert batch.group.tolist() == [0, 1, 2]
    assert [str(arrays.names[n]) for n in arrays.sources[:2]] == ["own", "own_near"]


def test_a_teacher_that_says_what_the_network_says_adds_only_its_own_uncertainty(groups):
    arrays = ExampleArrays.of(groups)
    values = np.linspace(-2, 2, len(arrays)).astype(np.float16)
    sentences = np.linspace(-1, 3, len(arrays.gold)).astype(np.float16)
    batch = DeviceExamples(arrays, Labels(values, sentences), CPU).batch(np.arange(len(arrays)))
    relevance, sentence = torch.from_numpy(values).float(), torch.zeros(len(arrays), 2)
    sentence[batch.row, batch.place] = torch.from_numpy(sentences).float()
    tokens = torch.zeros(*batch.inputs["input_ids"].shape, 2)
    found = reader_losses(relevance, sentence, tokens, batch)
    assert float(found["taught_ranking"]) == pytest.approx(0, abs=1e-6)
    assert float(found["taught_choice"]) == pytest.approx(0, abs=1e-6)
    p = relevance.sigmoid()
    entropy = -(p * p.log() + (1 - p) * (1 - p).log()).mean()
    assert float(found["taught_relevance"]) == pytest.approx(float(entropy), abs=1e-4)
    alone = reader_losses(relevance, sentence, tokens, DeviceExamples(arrays, None, CPU).batch(np.arange(len(arrays))))
    assert set(alone) == {"relevance", "ranking", "choice", "sentence", "span"}
    assert float(found["relevance"]) == pytest.approx(TAUGHT_SHARE * float(alone["relevance"]))


def test_examples_without_labels_teach_only_through_a_teacher(groups):
    arrays = ExampleArrays.of(without_labels(groups))
    batch = DeviceExamples(arrays, None, CPU).batch(np.arange(len(arrays)))
    network = ReaderNetwork(BertShape(positions=64, width=24, layers=1, heads=2, inner=24))
    assert reader.losses(network, batch)[1].item() == 0


def test_layers_are_doubled_and_dropped():
    weights = {"bert.words.weight": torch.ones(1), "head.weight": torch.ones(1)}
    for n in range(4):
        weights |= {f"bert.layers.{n}.expand.weight": torch.tensor([float(n)])}
        weights |= {f"bert.layers.{n}.contract.weight": torch.tensor([10.0 + n])}
    more = with_layers(weights, 8)
    assert [float(more[f"bert.layers.{n}.expand.weight"]) for n in range(8)] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert float(more["bert.layers.2.contract.weight"]) == 11
    assert float(more["bert.layers.3.contract.weight"]) == pytest.approx(0.3 * 11)
    fewer = with_layers(weights, 2)
    assert [float(fewer[f"bert.layers.{n}.expand.weight"]) for n in range(2)] == [1, 3]
    assert "bert.layers.2.expand.weight" not in fewer
    assert fewer["head.weight"] is weights["head.weight"]
    with pytest.raises(ValueError, match="0 layers"):
        with_layers({"head.weight": torch.ones(1)}, 2)


def their_encoder(shape):
    from transformers import MPNetConfig, MPNetModel

    config = MPNetConfig(
        vocab_size=shape.vocabulary + 4, hidden_size=shape.width, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, intermediate_size=shape.inner, max_position_embeddings=shape.positions + 2,
        layer_norm_eps=shape.norm_epsilon,
    )  # fmt: skip
    torch.manual_seed(0)
    model = MPNetModel(config, add_pooling_layer=False).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return model


def test_the_teachers_encoder_equals_transformers_with_the_same_weights():
    shape = BertShape(vocabulary=116, positions=300, width=32, layers=2, heads=4, inner=64)
    theirs = their_encoder(shape)
    ours = mpnet_from_hugging_face(shape, theirs.state_dict()).eval()
    ids = torch.randint(5, 100, (2, 260))
    mask = torch.ones_like(ids)
    mask[1, 200:] = 0
    their_ids = torch.where(mask.bool(), ids + 4, 1)
    ids[:, 0], their_ids[:, 0] = 101, 0
    ids[:, 9], their_ids[:, 9] = 102, 2
    with torch.inference_mode():
        expected = theirs(input_ids=their_ids, attention_mask=mask).last_hidden_state
        found = ours(ids, mask, torch.ones_like(ids))
    assert torch.allclose(found[mask.bool()], expected[mask.bool()], atol=1e-5)
    assert not torch.equal(ours.train()(ids, mask, torch.ones_like(ids)), found)  # dropout, in training only


def test_a_teacher_comes_back_from_its_file(tmp_path):
    network = new_teacher("support", mpnet_from_hugging_face(SHAPE, their_encoder(SHAPE).state_dict()))
    write_teacher(tmp_path / "teacher.safetensors", "support", network)
    kind, again = read_teacher(tmp_path / "teacher.safetensors")
    assert kind == "support"
    assert torch.allclose(again.support.inner.weight, network.support.inner.weight, atol=1e-3)


class Counted(torch.nn.Module):
    """A teacher that answers with the number of the window's tokens, and stops after some batches."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def forward(self, input_ids, attention_mask, token_type_ids, sentence_ids, firsts):
        if not self.left:
            raise RuntimeError("stopped")
        self.left -= 1
        lengths = attention_mask.sum(1).float()
        return lengths, lengths[:, None].expand_as(firsts), None


def test_labelling_goes_on_where_it_stopped_and_takes_the_mean_of_the_teachers(groups, tmp_path):
    path = tmp_path / "reader-0.npz"
    arrays = ExampleArrays.of(groups)
    arrays.save(path)
    tokens = 2 * int(arrays.lengths.max())
    with pytest.raises(RuntimeError, match="stopped"):
        label.label([Counted(2)], label.ask_reader, path, CPU, tokens)
    ready = int((~np.isnan(np.load(label.label_paths(path)[0]))).sum())
    assert 0 < ready < len(arrays)
    assert label.label([Counted(99)] * 2, label.ask_reader, path, CPU, tokens) == len(arrays) - ready
    labels = np.load(label.label_paths(path)[0])
    assert labels.tolist() == [min(30.0, length) for length in arrays.lengths.tolist()]
    assert not np.isnan(np.load(label.label_paths(path)[1])).any()


def test_labels_of_other_teachers_are_not_mixed_in(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).write_text(name)
    label.record_teachers(tmp_path / "reader-0.npz", [tmp_path / "one"])
    label.record_teachers(tmp_path / "reader-0.npz", [tmp_path / "one"])
    with pytest.raises(ValueError, match=r"other teachers labelled reader-0\.npz"):
        label.record_teachers(tmp_path / "reader-0.npz", [tmp_path / "other"])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The development sets that the support checker's probability is fitted on, with a few records of our own."""
    folder = tmp_path / "data"
    (folder / "mix" / "support").mkdir(parents=True)
    for name in ("wice", "begin", "scifact"):
        (folder / name).mkdir()
    claims = [(f"The gate {n} is open.", f"The gate {n} is {'open' if n % 2 else 'shut'}.", n % 2) for n in range(60)]
    with (folder / "wice" / "claim_dev.jsonl").open("w") as file:
        for n, (claim, premise, ok) in enumerate(claims):
            row = {
                "claim": claim,
                "evidence": [premise],
                "label": "supported" if ok else "not_supported",
                "meta": {"id": f"{n}"},
            }
            file.write(json.dumps(row) + "\n")
    for name in ("wow_dev", "wow_test"):
        rows = ["begin_label\tresponse\tknowledge"]
        rows += [
            f"{'Fully attributable' if ok else 'Not attributable'}\t{claim}\t{premise}" for claim, premise, ok in claims
        ]
        (folder / "begin" / f"{name}.tsv").write_text("\n".join(rows) + "\n")
    stances = [
        json.dumps({"claim": claim, "premise": premise, "label": "supported" if ok else "refuted"})
        for claim, premise, ok in claims
    ]
    path = folder / "mix" / "support" / "factcheckgpt_stance.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(stances).encode()))
    corpus = [{"_id": str(n), "title": f"Gate {n}", "text": premise} for n, (_, premise, _) in enumerate(claims)]
    (folder / "scifact" / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    evidence = [
        {"claim_id": str(n), "claim": claim, "doc_id": str(n), "label": "SUPPORT" if ok else "CONTRADICT"}
        for n, (claim, _, ok) in enumerate(claims)
    ]
    (folder / "scifact" / "evidence_train.json").write_text(json.dumps(evidence))
    return folder


def test_teachers_labels_and_students_are_made_by_one_command(groups, data, tmp_path, monkeypatch):
    base, examples, runs = tmp_path / "base", tmp_path / "examples", tmp_path / "runs"
    their_encoder(SHAPE).save_pretrained(base)
    ExampleArrays.of(groups).save(examples / "reader-0.npz")
    ExampleArrays.of(without_labels(groups)).save(examples / "reader-unlabelled.npz")
    claims = [
        ClaimPair(f"Gate {n} is open.", f"Gate {n} is {'open' if n % 2 else 'shut'}.", bool(n % 2), "own")
        for n in range(8)
    ]
    ExampleArrays.of([[claim_example(base_tokenizer(), pair)] for pair in claims]).save(examples / "support-0.npz")
    begin = tmp_path / "reader"
    shape = BertShape(layers=2)
    write_model(begin, ModelConfig("reader", "4", "b", shape, 64, ""), ReaderNetwork(shape).state_dict())
    monkeypatch.setattr("training.reader.dev_sets", lambda _: {})
    asked = ["--base", base, "--data", data, "--examples", examples, "--runs", runs, "--steps", 2, "--teachers", 2,
             "--layers", 1, 4, "--support-layers", 1, "--begin-reader", begin, "--begin-support", begin]  # fmt: skip
    distil.main([str(argument) for argument in asked])
    assert [read_model(runs / f"reader-{n}", "reader")[0].shape.layers for n in (1, 4)] == [1, 4]
    config, _ = read_model(runs / "support", "support")
    assert config.temperature != 1.0  # fitted
    for name in ("reader-0", "reader-unlabelled", "support-0"):
        assert not np.isnan(np.load(examples / f"{name}.relevance.npy")).any()
    teacher = runs / "teacher-reader-1.safetensors"
    assert not torch.equal(
        load_file(teacher)["relevance.outer.weight"],
        load_file(runs / "teacher-reader-0.safetensors")["relevance.outer.weight"],
    )
    written = teacher.stat().st_mtime_ns
    distil.main([str(argument) for argument in asked])
    assert teacher.stat().st_mtime_ns == written  # what is done is not done again
