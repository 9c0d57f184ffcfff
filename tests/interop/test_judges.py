"""The judges themselves, on a file that qbuild did not write."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from conftest import CONTEXT

# The model's card: llama.cpp's own perplexity program says 35.62474, transformers in float32 35.62507.
PUBLISHED_PERPLEXITY = 35.6247


def test_llama_cpp_measures_the_published_perplexity(llama, reference_gguf, heldout):
    with llama.model(reference_gguf, CONTEXT) as model:
        assert model.perplexity(heldout) == pytest.approx(PUBLISHED_PERPLEXITY, abs=0.001)


def test_llama_cpp_and_transformers_compute_the_same_logits(llama, reference_gguf, checkpoint):
    with llama.model(reference_gguf, CONTEXT) as model:
        tokens = model.tokenize("ROMEO:\nBut, soft! what light through yonder window breaks?")
        theirs = model.logits(tokens)
    network = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    with torch.no_grad():
        ours = network(torch.tensor([tokens])).logits[0].numpy()
    assert abs(ours - theirs).max() < 1e-3


def test_llama_cpp_reads_the_checkpoints_vocabulary(llama, reference_gguf, checkpoint):
    config = json.loads((checkpoint / "config.json").read_text())
    with llama.model(reference_gguf) as model:
        assert model.vocabulary_size == config["vocab_size"]
        assert model.tokenize("")[:1] == [config["bos_token_id"]]


def test_llama_cpp_refuses_a_file_that_is_cut_off(llama, reference_gguf, tmp_path):
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(reference_gguf.read_bytes()[:-100_000])
    with pytest.raises(AssertionError, match="llama.cpp refuses"):
        llama.model(cut)
