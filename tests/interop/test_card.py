"""The Hub's own library accepts the front matter of the card."""

import pytest
from huggingface_hub import ModelCard

from conftest import VARIANTS


@pytest.fixture(scope="module")
def data(quick_start):
    return ModelCard.load(quick_start.card).data


def test_front_matter_says_what_the_repository_is(data):
    assert data.license == "apache-2.0"
    assert data.library_name == "gguf"
    assert data.pipeline_tag == "text-generation"
    assert {"gguf", "quantized"} <= set(data.tags)


def test_front_matter_survives_being_written_again(data):
    again = type(data)(**data.to_dict(), ignore_metadata_errors=False)
    assert again.to_yaml() == data.to_yaml()


def test_results_are_accepted_as_evaluation_results(quick_start):
    content = quick_start.card.read_text()
    # Errors in model-index are swallowed unless they are asked for.
    card = ModelCard(content, ignore_metadata_errors=False)
    for entry in card.data.eval_results:
        assert entry.task_type == "text-generation"
        assert entry.metric_type == "perplexity"
        assert 30 < entry.metric_value < 45


@pytest.mark.parametrize("variant", VARIANTS)
def test_card_names_every_file(quick_start, variant):
    assert quick_start.gguf(variant).name in quick_start.card.read_text()
