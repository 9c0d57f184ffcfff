"""Of every recipe our file is no further from the source than llama.cpp's: both are made of one F16 GGUF,
by one importance matrix where one is needed, and llama.cpp runs all three. Compared is the Kullback-Leibler
divergence of the next token's probabilities, at the same positions; a difference within two standard errors of
the paired differences counts as equal."""

import numpy as np
import pytest

import importance
from conftest import CONTEXT, run
from test_every_recipe import BOTH_MAKE

# Besides those that need one: what an importance matrix makes better.
ALSO_BY_IMPORTANCE = ["Q4_K_M", "IQ4_XS", "IQ3_S", "Q3_K_M", "Q2_K"]
CHUNKS = 16  # of the held-out text; the first half of each is not scored, as for a perplexity
PLAIN = {"F16", "F32", "BF16"}


def log_probabilities(llama, path, heldout) -> np.ndarray:
    """[positions, vocabulary]"""
    with llama.model(path, CONTEXT) as model:
        tokens = model.tokenize(heldout.removesuffix("\n"))
        rows = []
        for chunk in range(CHUNKS):
            evaluated = tokens[chunk * CONTEXT : (chunk + 1) * CONTEXT]
            evaluated[0] = llama.functions.llama_vocab_bos(model.vocabulary)
            rows.append(model.logits(evaluated)[CONTEXT // 2 :].astype(np.float64))
    logits = np.concatenate(rows)
    top = logits.max(axis=1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))


def divergences(source: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of each position."""
    return (np.exp(source) * (source - other)).sum(axis=1)


@pytest.fixture(scope="module")
def matrix(checkpoint) -> importance.Importance:
    return importance.collected(checkpoint)


@pytest.fixture(scope="module")
def built(qbuild, checkpoint, matrix, tmp_path_factory):
    """A folder with bard-F16.gguf, what qbuild makes of it, and by importance what it makes of that."""
    folder = tmp_path_factory.mktemp("divergence")
    (folder / "qbuild.yaml").write_text(
        f"version: 1\nmodels:\n  exact: {{source: {checkpoint}, quants: [F16]}}\n"
    )
    run(qbuild, "build", "--store", str(folder / "store"), cwd=folder)
    (made,) = folder.glob("out/exact/*F16.gguf")
    made.rename(folder / "bard-F16.gguf")
    importance.write(folder / "bard.imatrix", matrix)
    (folder / "qbuild.yaml").write_text(
        "version: 1\ndefaults: {imatrix: bard.imatrix}\nmodels:\n"
        f"  bard: {{source: bard-F16.gguf, quants: {importance.quants(BOTH_MAKE)}}}\n"
        f"  by: {{source: bard-F16.gguf, quants: {importance.quants(ALSO_BY_IMPORTANCE, True)}}}\n"
    )
    run(qbuild, "build", "--store", str(folder / "store"), cwd=folder)
    return folder


@pytest.fixture(scope="module")
def source(built, llama, heldout) -> np.ndarray:
    return log_probabilities(llama, built / "bard-F16.gguf", heldout)


@pytest.mark.parametrize("recipe", [recipe for recipe in BOTH_MAKE if recipe not in PLAIN])
def test_our_file_is_no_further_from_the_source(built, source, llama, heldout, matrix, recipe):
    needed = matrix if recipe in importance.NEED_IMPORTANCE else None
    compare(built, source, llama, heldout, built / f"out/bard/bard-{recipe}.gguf", needed)


@pytest.mark.parametrize("recipe", ALSO_BY_IMPORTANCE)
def test_by_importance_it_is_no_further_either(built, source, llama, heldout, matrix, recipe):
    compare(built, source, llama, heldout, built / f"out/by/bard-{recipe}.gguf", matrix)


def compare(built, source, llama, heldout, ours_path, matrix):
    theirs_path = built / "theirs.gguf"
    with llama.model(ours_path, CONTEXT) as model:
        file_type = int(model.metadata("general.file_type"))
    assert llama.quantize(built / "bard-F16.gguf", theirs_path, file_type, matrix) == ""
    ours = divergences(source, log_probabilities(llama, ours_path, heldout))
    theirs = divergences(source, log_probabilities(llama, theirs_path, heldout))
    theirs_path.unlink()
    difference = ours - theirs
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    said = f"{ours_path.stem}: {ours.mean():.6f}, llama.cpp {theirs.mean():.6f}, difference within {error:.6f}"
    print(said)  # pytest -rP shows it
    assert difference.mean() <= 2 * error, said
