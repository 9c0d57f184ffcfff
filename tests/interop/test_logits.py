"""Our float32 run of the source checkpoint beside that of transformers."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

MAX_DIFFERENCE = 1e-3

TEXTS = [
    "ROMEO:\nBut, soft! what light through yonder window breaks?\nIt is the east, and Juliet is the sun.",
    "To be, or not to be: that is the question",
    "\n\n  123 !? äöü 漢字",
]


@pytest.fixture(scope="module")
def network(checkpoint):
    return AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()


@pytest.mark.parametrize("text", TEXTS)
def test_logits_are_those_of_transformers(worker_logits, network, checkpoint, text):
    ours = worker_logits(text)
    assert ours["tokens"] == AutoTokenizer.from_pretrained(checkpoint)(text)["input_ids"]
    with torch.no_grad():
        theirs = network(torch.tensor([ours["tokens"]])).logits[0].numpy()
    got = np.array(ours["logits"])
    assert got.shape == theirs.shape
    assert abs(got - theirs).max() < MAX_DIFFERENCE


def test_logits_hold_at_the_length_of_a_context(worker_logits, network, heldout):
    ours = worker_logits(heldout[:1200])
    assert len(ours["tokens"]) > 256
    with torch.no_grad():
        theirs = network(torch.tensor([ours["tokens"]])).logits[0].numpy()
    assert abs(np.array(ours["logits"]) - theirs).max() < MAX_DIFFERENCE
