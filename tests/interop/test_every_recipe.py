"""Every recipe that a manifest may name: the `gguf` package decodes the files to the source, and llama.cpp
runs them and finds the perplexity that qbuild found."""

import json
import math

import gguf
import numpy as np
import pytest
from gguf.quants import dequantize

import importance
from conftest import CONTEXT, MAX_ERROR, ROOT, QuickStart

SCHEMA = json.loads((ROOT / "manifests/qbuild.schema.json").read_text())
RECIPES = SCHEMA["$defs"]["quant"]["properties"]["type"]["anyOf"][0]["enum"]
BOTH_MAKE = [recipe for recipe in RECIPES if recipe != "NVFP4"]  # which llama.cpp's quantizer does not make
CHUNKS = 4  # of the held-out text, to be quick

NOT_DECODED = {"Q1_0"}  # of which the package reads the header only

# Ours and theirs quantize activations alike and sum in another order.
MAX_PERPLEXITY_DIFFERENCE = 0.003


@pytest.fixture(scope="module")
def every_recipe(qbuild, checkpoint, tmp_path_factory) -> QuickStart:
    folder = tmp_path_factory.mktemp("recipes")
    importance.write(folder / "bard.imatrix", importance.collected(checkpoint))
    text = f"{{text: {checkpoint}/heldout.txt, context: {CONTEXT}, chunks: {CHUNKS}}}"
    (folder / "qbuild.yaml").write_text(
        f"version: 1\nmodels:\n  bard:\n    source: {checkpoint}\n"
        f"    imatrix: bard.imatrix\n    quants: {importance.quants(RECIPES)}\n    benchmark: {{perplexity: {text}}}\n"
        "    publish: {repo: acme/bard, hub: ./hub}\n"
    )
    started = QuickStart(qbuild, folder)
    started.run("publish")
    return started


def path_of(built: QuickStart, recipe: str):
    (path,) = built.folder.glob(f"out/**/*-{recipe}.gguf")
    return path


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_gguf_package_decodes_it_to_the_source(every_recipe, reference_gguf, recipe):
    source = {tensor.name: tensor for tensor in gguf.GGUFReader(reference_gguf).tensors}
    tensors = gguf.GGUFReader(path_of(every_recipe, recipe)).tensors
    scales = {tensor.name: tensor.data for tensor in tensors if tensor.name.endswith(".scale")}
    assert bool(scales) == (recipe == "NVFP4")
    assert {tensor.name for tensor in tensors} == set(source) | set(scales)
    for tensor in tensors:
        if tensor.name in scales:
            continue
        original = source[tensor.name]
        assert list(tensor.shape) == list(original.shape), tensor.name
        if tensor.tensor_type.name in NOT_DECODED:
            continue
        exact = dequantize(original.data, original.tensor_type).astype(np.float64).ravel()
        got = dequantize(tensor.data, tensor.tensor_type).astype(np.float64).ravel()
        got *= scales.get(tensor.name.removesuffix("weight") + "scale", 1.0)
        error = math.sqrt(np.mean((got - exact) ** 2) / np.mean(exact**2))
        assert error <= MAX_ERROR[tensor.tensor_type.name], f"{tensor.name}: {error}"


@pytest.mark.parametrize("recipe", RECIPES)
def test_llama_cpp_finds_the_perplexity_that_qbuild_found(every_recipe, llama, heldout, recipe):
    with llama.model(path_of(every_recipe, recipe), CONTEXT) as model:
        theirs = model.perplexity(heldout, CHUNKS)
    assert every_recipe.perplexity(recipe) == pytest.approx(theirs, rel=MAX_PERPLEXITY_DIFFERENCE)
