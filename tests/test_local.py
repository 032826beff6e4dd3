"""The generator `local` with real models of transformers, from a folder and from GGUF: tiny models with weights set by hand.

Their layers are zero, their embeddings the identity, and the last matrix gives the next token for each token. So their output
is known, whatever the input.
"""

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from index.records import Chunk, Hit
from service.errors import GeneratorUnavailable, SettingsInvalid
from service.generators.budget import TokenBudget
from service.generators.local import LocalGenerator
from service.generators.protocol import Draft, Passage, Report
from service.progress import AnswerStopped, Stages
from service.prompts import Messages, load_prompts
from service.scoring.reader import Reading

START, END, UNKNOWN = "<start>", "<end>", "<unk>"
TEMPLATE = (
    "{% for message in messages %}{{ message.content }}\n{% endfor %}{% if add_generation_prompt %}"
    + START
    + "{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system message') }}{% endif %}" + TEMPLATE
BUDGET = TokenBudget(context=4096, answer=16)
WORDS = ["Seoul", "counts", "six.", "[1]", "Kerry", "came.", "[2]"]


def passage(text, number=0):
    return Passage(
        Hit(Chunk(f"c{number}", "d", "v", number, 0, len(text), text), "T", "u", None, 1.0), Reading(1.0, ())
    )


PASSAGES = [passage("Seoul counts six."), passage("Kerry came.", 1)]


def weights(vocabulary, chain):
    """Embedding and output matrices (n, n) of a model that writes `chain` after START, then END."""
    follows = torch.zeros(len(vocabulary), len(vocabulary))
    for token, following in zip([START, *chain], [*chain, END], strict=True):
        follows[vocabulary[following], vocabulary[token]] = 1.0
    return torch.eye(len(vocabulary)), follows


def save(folder, tokenizer, vocabulary, chain, template=TEMPLATE, positions=4096):
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    size = len(vocabulary)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=size,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=positions,
        eos_token_id=vocabulary[END],
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config)
    embedding, follows = weights(vocabulary, chain)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" not in name:
                parameter.zero_()
        model.model.embed_tokens.weight.copy_(embedding)
        model.lm_head.weight.copy_(follows)
    model.save_pretrained(folder)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, unk_token=UNKNOWN)
    fast.chat_template = template
    fast.save_pretrained(folder)
    return str(folder)


def words_model(folder, **options):
    vocabulary = {token: number for number, token in enumerate([UNKNOWN, START, END, *WORDS, "filler", "odd"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([UNKNOWN, START, END])
    return save(folder, tokenizer, vocabulary, WORDS, **options)


def byte_vocabulary():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [UNKNOWN, START, END, *alphabet, "qz"]
    tokens += [f"<pad{number}>" for number in range(-len(tokens) % 4)]
    return {token: number for number, token in enumerate(tokens)}


def byte_chain(text):
    ((symbols, _),) = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    assert len(set(symbols)) == len(symbols), "each byte may occur once"
    return list(symbols)


def bytes_model(folder, text):
    vocabulary = byte_vocabulary()
    tokenizer = Tokenizer(models.BPE(vocabulary, [("q", "z")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([UNKNOWN, START, END])
    return save(folder, tokenizer, vocabulary, byte_chain(text))


def gguf_file(path, text):
    """The same model as a GGUF file."""
    gguf = pytest.importorskip("gguf", reason="gguf is not installed: make dev-llm")
    pytest.importorskip("accelerate", reason="accelerate is not installed: make dev-llm")
    vocabulary = byte_vocabulary()
    size = len(vocabulary)
    embedding, follows = weights(vocabulary, byte_chain(text))
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(size)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(size // 2)
    writer.add_vocab_size(size)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(list(vocabulary))
    writer.add_token_types([3 if token in {UNKNOWN, START, END} else 1 for token in vocabulary])
    writer.add_token_merges(["q z"])
    writer.add_eos_token_id(vocabulary[END])
    writer.add_bos_token_id(vocabulary[START])
    writer.add_chat_template(TEMPLATE)
    shapes = {
        "blk.0.attn_q": (size, size),
        "blk.0.attn_k": (size, size),
        "blk.0.attn_v": (size, size),
        "blk.0.attn_output": (size, size),
        "blk.0.ffn_gate": (32, size),
        "blk.0.ffn_up": (32, size),
        "blk.0.ffn_down": (size, 32),
    }
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", torch.zeros(shape).numpy())
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", torch.ones(size).numpy())
    writer.add_tensor("token_embd.weight", embedding.numpy())
    writer.add_tensor("output.weight", follows.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return str(path)


def generate(model, budget=BUDGET, passages=PASSAGES, **options):
    return list(LocalGenerator(model, budget, load_prompts(), **options).generate("How many?", passages))


def test_a_model_in_a_folder_streams_its_sentences_with_usage_and_hash(tmp_path):
    first, second, report = generate(words_model(tmp_path))
    assert (first, second) == (Draft("Seoul counts six.", passages=(0,)), Draft("Kerry came.", passages=(1,)))
    assert isinstance(report, Report)
    assert report.prompt_hash == load_prompts().hash
    assert report.usage.completion_tokens == len(WORDS) + 1
    assert report.usage.prompt_tokens > 100
    assert report.notes == ()


def test_the_model_is_loaded_with_the_first_question(tmp_path, monkeypatch):
    model = words_model(tmp_path)
    generator = LocalGenerator(model, BUDGET, load_prompts())
    config = tmp_path / "config.json"
    content = config.read_text()
    config.write_text("{broken")
    with pytest.raises(SettingsInvalid, match="cannot be loaded"):
        list(generator.generate("How many?", PASSAGES))
    config.write_text(content)
    assert next(iter(generator.generate("How many?", PASSAGES))) == Draft("Seoul counts six.", passages=(0,))


def test_characters_of_several_bytes_are_never_split(tmp_path):
    text = "Zé€. [1]"
    draft, report = generate(bytes_model(tmp_path, text))
    assert draft == Draft("Zé€.", passages=(0,))
    assert report.usage.completion_tokens == len(text.encode()) + 1


def test_a_gguf_file_is_read(tmp_path):
    draft, _ = generate(gguf_file(tmp_path / "tiny.gguf", "Zé€. [1]"))
    assert draft == Draft("Zé€.", passages=(0,))


def test_an_answer_cut_by_the_token_limit_loses_its_unfinished_sentence(tmp_path):
    draft, report = generate(words_model(tmp_path), TokenBudget(4096, 5))
    assert draft == Draft("Seoul counts six.", passages=(0,))
    assert "stopped after 5 tokens" in report.notes[0]


def test_a_template_without_system_messages_gets_one_message(tmp_path):
    assert generate(words_model(tmp_path, template=NO_SYSTEM))[0] == Draft("Seoul counts six.", passages=(0,))


def test_passages_beyond_the_models_own_context_are_left_out(tmp_path):
    model = words_model(tmp_path, positions=400)
    many = [passage("filler " * 60, number) for number in range(6)]
    report = generate(model, passages=many)[-1]
    assert "fewer passages" in report.notes[0]
    assert report.usage.prompt_tokens <= 400
    with pytest.raises(GeneratorUnavailable, match="does not fit"):
        generate(model, passages=[passage("filler " * 600)])


def test_a_temperature_draws_among_likely_tokens(tmp_path):
    torch.manual_seed(0)
    drafts = [item.text for item in generate(words_model(tmp_path), temperature=50.0) if isinstance(item, Draft)]
    assert drafts != ["Seoul counts six.", "Kerry came."]


def test_closing_the_iterator_stops_the_model(tmp_path):
    generator = LocalGenerator(words_model(tmp_path), BUDGET, load_prompts())
    generator.load()
    calls = []
    generator._model.register_forward_pre_hook(lambda *_: calls.append(1))
    sentences = generator.generate("How many?", PASSAGES)
    next(sentences)
    made = len(calls)
    sentences.close()
    assert len(calls) == made < len(WORDS) + 1


def test_a_single_line_is_completed_within_its_time_limit(tmp_path):
    messages = Messages("Say it.", "Now.")
    model = words_model(tmp_path)
    said = LocalGenerator(model, TokenBudget(4096, 2), load_prompts(), temperature=50.0).complete(messages)
    assert said.text.split() == WORDS
    assert said.usage.completion_tokens == len(WORDS) + 1
    with pytest.raises(GeneratorUnavailable, match="llm_rewrite_timeout_s = 1e-09"):
        LocalGenerator(model, BUDGET, load_prompts(), line_s=1e-9).complete(messages)


def test_a_model_stops_within_a_sentence_when_the_caller_has_left(tmp_path):
    generator, stages, calls = LocalGenerator(words_model(tmp_path), BUDGET, load_prompts()), Stages(), []
    generator.load()
    generator._model.register_forward_pre_hook(lambda *_: calls.append(stages.stop()))
    with stages.lap("generate"), pytest.raises(AnswerStopped):
        next(generator.generate("How many?", PASSAGES))
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.gguf", "no such file"), ("missing", "no such folder"), ("empty", "without config.json")],
)
def test_a_path_without_a_model_is_refused_at_once(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsInvalid, match=message) as caught:
        LocalGenerator(str(tmp_path / name), BUDGET, load_prompts())
    assert name in str(caught.value)
    assert "llm_model" in str(caught.value)


def test_a_file_that_is_not_gguf_is_refused_by_name(tmp_path):
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF but not really")
    pytest.importorskip("gguf", reason="gguf is not installed: make dev-llm")
    pytest.importorskip("accelerate", reason="accelerate is not installed: make dev-llm")
    with pytest.raises(SettingsInvalid, match=r"bad\.gguf"):
        LocalGenerator(str(path), BUDGET, load_prompts()).load()
