"""llama.cpp runs what qbuild published, and finds what qbuild found."""

import pytest
from tokenizers import Tokenizer

from conftest import CONTEXT, VARIANTS
from strings import varied_strings

# Ours and theirs quantize activations alike and sum in another order.
MAX_PERPLEXITY_DIFFERENCE = 0.003


def test_same_tokens_as_the_tokenizers_package(llama, quick_start, checkpoint, heldout):
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    strings = varied_strings(heldout)
    assert len(strings) == 200
    with llama.model(quick_start.gguf("Q8_0")) as model:
        different = [text for text in strings if model.tokenize(text) != tokenizer.encode(text).ids]
    assert different == []


def test_same_tokens_as_qbuilds_own_tokenizer(llama, quick_start, worker_logits, heldout):
    text = heldout[:600]
    with llama.model(quick_start.gguf("Q8_0"), 512) as model:
        assert model.tokenize(text) == worker_logits(text)["tokens"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_perplexity_is_what_qbuild_measured(llama, quick_start, heldout, variant):
    ours = quick_start.perplexity(variant)
    with llama.model(quick_start.gguf(variant), CONTEXT) as model:
        theirs = model.perplexity(heldout)
    assert ours == pytest.approx(theirs, rel=MAX_PERPLEXITY_DIFFERENCE)


@pytest.mark.parametrize("variant", VARIANTS)
def test_chat_template_reaches_llama_cpp(llama, quick_start, variant):
    with llama.model(quick_start.gguf(variant)) as model:
        assert "message['role']" in model.metadata("tokenizer.chat_template")
