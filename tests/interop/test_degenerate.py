"""Weights that are no bell: zeros, padding, pruned ones, outliers, the smallest numbers. Both quantizers make
them in every type, and qbuild's error is at or below llama.cpp's, unless it is next to nothing."""

import pathlib

import gguf
import numpy as np
import pytest
from gguf.quants import dequantize

import importance
from conftest import run
from test_every_recipe import BOTH_MAKE, NOT_DECODED

# One for each case: most of those that get the type that the recipe is named after.
TENSORS = [f"blk.{block}.{name}.weight" for name in ("ffn_up", "ffn_gate", "attn_q", "attn_k") for block in range(6)]
# Of plain types every byte is determined, and MXFP4_MOE makes Q8_0 of this network.
SEARCHED = [r for r in BOTH_MAKE if r not in ("MXFP4_MOE", "F32", "F16", "BF16")]
ROOM = 1.0002  # which way a value half-way between two codes is rounded
NEARLY_EXACT = 0.004  # of the values: scales are rounded to binary16, which is luck


def cases(rows: int, columns: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(5)

    def bell() -> np.ndarray:
        return generator.normal(0, 0.02, (rows, columns))

    index = np.arange(columns)
    where = generator.random((rows, columns))
    row = np.arange(rows)[:, None]
    outlier = bell()
    outlier[np.arange(rows), generator.integers(0, columns, rows)] = 30
    single = np.zeros((rows, columns))
    single[row, np.arange(0, columns, 32)[None, :] + row % 32] = bell()[:, : columns // 32]
    return {
        "zeros": np.zeros((rows, columns)),
        "padded at the end": np.where(index < columns - 96, bell(), 0),
        "padded at the beginning": np.where(index >= 96, bell(), 0),
        "groups of 16 that are zero": np.where(index // 16 % 3 == row % 3, 0, bell()),
        "groups of 32 that are zero": np.where(index // 32 % 4 == row % 4, 0, bell()),
        "a block that is zero but for its last group": np.where(index % 256 >= 224, bell(), 0),
        "every second is pruned": np.where(index % 2 == row % 2, 0, bell()),
        "most are pruned": np.where(where < 0.9, 0, bell()),
        "one of each 32 is left": single,
        "a huge outlier": outlier,
        "all alike": np.full((rows, columns), 0.02) * (1 + row),
        "all alike and negative": np.full((rows, columns), -0.02) * (1 + row),
        "of two values": np.where(where < 0.5, -0.02, 0.02),
        "positive": np.abs(bell()),
        "negative": -np.abs(bell()),
        "a ramp": (index / columns - 0.5) * 0.1 * (1 + row),
        "tiny": bell() * 1e-4,
        "large": bell() * 1e4,
        "of many magnitudes": generator.normal(0, 1, (rows, columns))
        * 10.0 ** -generator.integers(0, 5, (rows, columns)),
        "below binary16": bell() * 1e-9,
        "denormal": bell() * 1e-38,
    }


CASE_OF = dict(zip(TENSORS, cases(1, 256)))


@pytest.fixture(scope="module")
def source(reference_gguf, tmp_path_factory) -> pathlib.Path:
    """The trained network in F32, with the cases in a tensor of the middle."""
    reader = gguf.GGUFReader(reference_gguf)
    path = tmp_path_factory.mktemp("degenerate") / "source.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        kind = field.types[0]
        of_array = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), kind, of_array)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if case := CASE_OF.get(tensor.name):
            values = cases(*values.shape)[case].astype(np.float32)
        writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors_of(path: pathlib.Path) -> dict:
    return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors if tensor.name in CASE_OF}


@pytest.fixture(scope="module", params=[False, True], ids=["alike", "by importance"])
def built(request, qbuild, source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    by = request.param
    recipes = [r for r in SEARCHED if by or r not in importance.NEED_IMPORTANCE]
    matrix = importance.random(source)
    importance.write(folder / "x.imatrix", matrix)
    (folder / "qbuild.yaml").write_text(
        f"version: 1\nmodels:\n  odd:\n    source: {source}\n    imatrix: x.imatrix\n"
        f"    quants: {importance.quants(recipes, by)}\n"
    )
    run(qbuild, "build", "--store", str(folder / "store"), cwd=folder)
    return folder, matrix if by else None


@pytest.mark.parametrize("recipe", SEARCHED)
def test_errors_are_at_or_below_llama_cpps(built, llama, source, tmp_path, recipe):
    folder, matrix = built
    if matrix is None and recipe in importance.NEED_IMPORTANCE:
        pytest.skip(f"{recipe} is made by importance only")
    theirs_path = tmp_path / "theirs.gguf"
    by = {"importance": matrix, "said": {"quantize.imatrix.chunks_count": 8}} if matrix else {}
    assert llama.quantize(source, theirs_path, int(gguf.LlamaFileType[f"MOSTLY_{recipe}"]), **by) == ""
    (path,) = folder.glob(f"out/**/*-{recipe}.gguf")
    exact, ours, theirs = (tensors_of(one) for one in (source, path, theirs_path))
    worse = []
    for name, case in CASE_OF.items():
        assert ours[name].tensor_type == theirs[name].tensor_type
        if ours[name].tensor_type.name in NOT_DECODED:
            pytest.skip(f"the gguf package does not decode {ours[name].tensor_type.name}")
        right = exact[name].data.astype(np.float64)
        weights = 1 if matrix is None else matrix[name][0].astype(np.float64)
        our_error, their_error = (
            np.sqrt(np.sum(weights * (dequantize(t.data, t.tensor_type).astype(np.float64) - right) ** 2))
            for t in (ours[name], theirs[name])
        )
        if case == "zeros":
            assert our_error == 0
            continue
        size = np.sqrt(np.sum(weights * right**2))
        if not our_error <= max(their_error * ROOM, size * NEARLY_EXACT):
            worse.append(f"{case}: {our_error / size:.6f}, llama.cpp {their_error / size:.6f}")
    assert not worse, "; ".join(worse)
