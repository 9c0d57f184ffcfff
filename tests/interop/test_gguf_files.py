"""The `gguf` package, which most other tools read GGUF with, opens what qbuild published."""

import json

import gguf
import numpy as np
import pytest
from gguf.quants import dequantize

from conftest import MAX_ERROR, VARIANTS

@pytest.fixture(scope="module")
def source(reference_gguf) -> gguf.GGUFReader:
    return gguf.GGUFReader(reference_gguf)


def decoded(tensor) -> np.ndarray:
    return dequantize(tensor.data, tensor.tensor_type).astype(np.float64).ravel()


def value_of(reader: gguf.GGUFReader, key: str):
    return reader.fields[key].contents()


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_tensor_decodes_to_the_source(quick_start, source, variant):
    reader = gguf.GGUFReader(quick_start.gguf(variant))
    wanted = {tensor.name: tensor for tensor in source.tensors}
    assert {tensor.name for tensor in reader.tensors} == set(wanted)
    for tensor in reader.tensors:
        original = wanted[tensor.name]
        assert list(tensor.shape) == list(original.shape), tensor.name
        exact, got = decoded(original), decoded(tensor)
        error = np.sqrt(np.mean((got - exact) ** 2) / np.mean(exact**2))
        assert error <= MAX_ERROR[tensor.tensor_type.name], f"{tensor.name}: {error}"


@pytest.mark.parametrize("variant", VARIANTS)
def test_inspect_says_of_every_tensor_what_the_package_sees(quick_start, variant):
    path = quick_start.gguf(variant)
    theirs = [
        (tensor.name, tensor.tensor_type.name, [int(extent) for extent in tensor.shape], int(tensor.n_bytes))
        for tensor in gguf.GGUFReader(path).tensors
    ]
    ours = [
        (tensor["name"], tensor["type"], tensor["shape"], tensor["size"])
        for tensor in quick_start.inspect(path)["tensors"]
    ]
    assert ours == theirs


@pytest.mark.parametrize("variant", VARIANTS)
def test_inspect_says_of_every_key_what_the_package_sees(quick_start, variant):
    path = quick_start.gguf(variant)
    reader = gguf.GGUFReader(path)
    ours = quick_start.inspect(path)["metadata"]
    theirs = {key: value_of(reader, key) for key in reader.fields if not key.startswith("GGUF.")}
    assert list(ours) == list(theirs)
    for key, value in theirs.items():
        if isinstance(value, list):
            assert ours[key]["count"] == len(value), key
            assert ours[key]["first"] == value[: len(ours[key]["first"])], key
        elif isinstance(value, float):
            assert ours[key] == pytest.approx(value, rel=1e-7), key
        else:
            assert ours[key] == value, key


@pytest.mark.parametrize("variant", VARIANTS)
def test_network_and_vocabulary_are_those_of_the_source(quick_start, source, variant):
    reader = gguf.GGUFReader(quick_start.gguf(variant))
    for key in source.fields:
        if key.startswith(("llama.", "tokenizer.", "general.architecture")):
            assert key in reader.fields, key
            assert value_of(reader, key) == value_of(source, key), key


@pytest.mark.parametrize("variant", VARIANTS)
def test_chat_template_is_the_sources(quick_start, checkpoint, variant):
    config = json.loads((checkpoint / "tokenizer_config.json").read_text())
    reader = gguf.GGUFReader(quick_start.gguf(variant))
    assert value_of(reader, "tokenizer.chat_template") == config["chat_template"]


@pytest.mark.parametrize(
    ("variant", "name"),
    [("Q8_0", "MOSTLY_Q8_0"), ("Q6_K", "MOSTLY_Q6_K"), ("Q4_K_M", "MOSTLY_Q4_K_M"), ("Q4_0", "MOSTLY_Q4_0")],
)
def test_file_type_is_the_recipes(quick_start, variant, name):
    reader = gguf.GGUFReader(quick_start.gguf(variant))
    assert gguf.LlamaFileType(value_of(reader, "general.file_type")).name == name
