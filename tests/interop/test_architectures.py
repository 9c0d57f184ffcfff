"""Many architectures as GGUF sources: small random checkpoints that transformers makes and llama.cpp's own
converter turns to F16 (architectures.py). Of each, every recipe that a manifest may name is made twice, by
llama.cpp's quantizer and by qbuild, and the files are laid side by side; llama.cpp runs ours."""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass

import gguf
import importance
import numpy as np
import pytest

from architectures import ARCHITECTURES, SPLIT
from conftest import ROOT, run
from test_every_recipe import BOTH_MAKE
from test_recipes import PACKAGE

CONVERTER = ("convert_hf_to_gguf.py", "conversion/", "gguf-py/")

# The metadata that differ from llama.cpp's on purpose: nothing in value, these in place. llama.cpp moves to
# the end what it writes anew; qbuild leaves it where the source has it, so that the files of all recipes
# read alike.
DOCUMENTED = ["general.quantization_version", "general.file_type"]

PLAIN = ["F32", "F16", "BF16"]  # of which every byte is determined
RUN = ["Q8_0", "Q4_K_M", "IQ4_XS", "Q2_K"]  # all would take minutes

# Root mean square of the difference from the logits of F16, relative to how they vary themselves.
MAX_LOGIT_DIFFERENCE = 0.1
MAX_NVFP4_DIFFERENCE = 0.55  # four bits of random weights, layer after layer

UNSCALED = ["deepseek2"]  # weights whose scales llama.cpp passes over: none is written
# Norms after each product take any factor away, so that nothing is seen where scales are lost.
INDIFFERENT = ["gemma3"]


def file_type(recipe: str) -> gguf.LlamaFileType:
    return gguf.LlamaFileType["ALL_F32" if recipe == "F32" else f"MOSTLY_{recipe}"]


@dataclass
class Tensor:
    shape: list[int]
    type: str
    data: np.ndarray

    @property
    def shape_without_ones(self) -> list[int]:
        """llama.cpp drops the last extents where they are 1 ([512, 1] becomes [512]), qbuild writes the
        shape that the source has. To every reader it is the same tensor."""
        shape = list(self.shape)
        while len(shape) > 1 and shape[-1] == 1:
            shape.pop()
        return shape


@dataclass
class File:
    metadata: dict[str, tuple]  # (types, value), in their order
    tensors: dict[str, Tensor]  # in their order


def read(path: pathlib.Path) -> File:
    reader = gguf.GGUFReader(path)
    fields = {key: value for key, value in reader.fields.items() if not key.startswith("GGUF.")}
    return File(
        {key: (value.types, value.contents()) for key, value in fields.items()},
        {
            tensor.name: Tensor([int(n) for n in tensor.shape], tensor.tensor_type.name, tensor.data)
            for tensor in reader.tensors
        },
    )


@dataclass
class Built:
    """One architecture: its F16 file, and what both make of it."""

    name: str
    source_path: pathlib.Path
    folder: pathlib.Path
    refused: dict[str, str]  # by llama.cpp: recipe -> why
    source: File
    theirs: dict[str, File]
    ours: dict[str, File]

    def path(self, recipe: str) -> pathlib.Path:
        return our_path(self.folder, self.name, recipe)


def our_path(folder: pathlib.Path, name: str, recipe: str) -> pathlib.Path:
    return folder / f"out/{name}/{name}-{recipe}.gguf"


def write_manifest(folder: pathlib.Path, name: str, source: pathlib.Path, recipes: list[str]) -> None:
    matrix = "    imatrix: x.imatrix\n" if (folder / "x.imatrix").exists() else ""
    (folder / "qbuild.yaml").write_text(
        f"version: 1\nmodels:\n  {name}:\n    source: {source}\n{matrix}"
        f"    quants: {importance.quants(recipes)}\n"
    )


def build(qbuild: pathlib.Path, folder: pathlib.Path, name: str, source: pathlib.Path, recipes) -> None:
    write_manifest(folder, name, source, list(recipes))
    run(qbuild, "build", "--store", str(folder / "store"), cwd=folder)


@pytest.fixture(scope="session")
def sources(checkpoint, tmp_path_factory) -> pathlib.Path:
    """The folder of NAME-F16.gguf."""
    default = ROOT / f"build/{PACKAGE}.tar.gz"
    package = pathlib.Path(os.environ.get("QBUILD_LLAMA_SOURCE", default))
    if not package.is_file():
        pytest.skip(f"{package} is not there, which holds llama.cpp's converter; ./dev interop fetches it")
    folder = tmp_path_factory.mktemp("architectures")
    prefix = f"{PACKAGE}/vendor/llama.cpp/"
    with tarfile.open(package) as archive:
        wanted = [m for m in archive if m.name.startswith(tuple(prefix + part for part in CONVERTER))]
        archive.extractall(folder, wanted, filter="data")
    program = [sys.executable, pathlib.Path(__file__).with_name("architectures.py")]
    done = subprocess.run(
        [*program, folder / prefix, checkpoint, folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module", params=ARCHITECTURES)
def built(request, qbuild, llama, sources, tmp_path_factory):
    name = request.param
    source = sources / f"{name}-F16.gguf"
    folder = tmp_path_factory.mktemp(name)
    refused, theirs = {}, {}
    matrix = importance.random(source)
    importance.write(folder / "x.imatrix", matrix)
    said = {
        "quantize.imatrix.file": "x.imatrix",
        "quantize.imatrix.dataset": importance.DATASET,
        "quantize.imatrix.entries_count": len(matrix),
        "quantize.imatrix.chunks_count": 8,
    }
    for recipe in BOTH_MAKE:
        path = folder / f"theirs-{recipe}.gguf"
        needs_it = recipe in importance.NEED_IMPORTANCE
        by = {"importance": matrix, "said": said} if needs_it else {}
        if why := llama.quantize(source, path, file_type(recipe), **by):
            refused[recipe] = why
        else:
            theirs[recipe] = read(path)
    build(qbuild, folder, name, source, theirs)
    ours = {recipe: read(our_path(folder, name, recipe)) for recipe in theirs}
    yield Built(name, source, folder, refused, read(source), theirs, ours)
    shutil.rmtree(folder)  # a hundred megabytes each


def test_the_source_is_of_the_architecture(built):
    (_, architecture) = built.source.metadata["general.architecture"]
    assert architecture == ARCHITECTURES[built.name].name
    assert {tensor.type for tensor in built.source.tensors.values()} == {"F32", "F16"}


def test_what_llama_cpp_refuses_qbuild_refuses(built, qbuild, tmp_path):
    # Only rows that the type's blocks do not fill, where no type stands in.
    assert set(built.refused) <= {"Q1_0"}
    for recipe, why in built.refused.items():
        assert "no tensor type fallback" in why
        write_manifest(tmp_path, built.name, built.source_path, [recipe])
        checked = [qbuild, "check", "--store", tmp_path / "store"]
        done = subprocess.run(checked, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert f"do not hold whole blocks of {recipe}" in done.stderr
        assert "no type stands in for it" in done.stderr


def test_tensors_are_those_of_llama_cpp(built):
    different = []
    for recipe, theirs in built.theirs.items():
        ours = built.ours[recipe].tensors
        assert list(ours) == list(theirs.tensors), recipe
        for name, tensor in theirs.tensors.items():
            got, want = ours[name], built.source.tensors[name]
            if got.type != tensor.type:
                different.append(f"{recipe} {name}: {got.type}, not {tensor.type}")
            if got.shape_without_ones != tensor.shape_without_ones or got.shape != want.shape:
                different.append(f"{recipe} {name}: {got.shape}, not {tensor.shape}")
    assert different == []


def test_what_is_not_quantized_is_the_sources(built):
    different, compared = [], 0
    for recipe, ours in built.ours.items():
        for name, tensor in ours.tensors.items():
            source = built.source.tensors[name]
            if tensor.type == source.type:
                compared += 1
                if tensor.data.tobytes() != source.data.tobytes():
                    different.append(f"{recipe} {name}")
    assert different == []
    assert compared > len(built.ours)


@pytest.mark.parametrize("recipe", PLAIN)
def test_plain_types_are_llama_cpps_byte_for_byte(built, recipe):
    theirs = built.theirs[recipe].tensors
    ours = built.ours[recipe].tensors
    assert [n for n in theirs if ours[n].data.tobytes() != theirs[n].data.tobytes()] == []


def test_metadata_are_llama_cpps_but_for_what_is_documented(built):
    for recipe, theirs in built.theirs.items():
        ours = built.ours[recipe].metadata
        assert ours == theirs.metadata, recipe  # types and values, in any order
        of_source = list(built.source.metadata)
        by = [key for key in ours if key not in of_source]
        assert list(ours) == of_source + by, recipe
        assert [key.split(".")[:2] for key in by] == (
            [["quantize", "imatrix"]] * 4 if recipe in importance.NEED_IMPORTANCE else []
        )
        others = [key for key in of_source if key not in DOCUMENTED]
        assert list(theirs.metadata) == others + DOCUMENTED + by, recipe
        assert ours["general.file_type"][1] == file_type(recipe).value
    own = {key: value for key, value in built.source.metadata.items() if key not in DOCUMENTED}
    assert own.items() <= built.ours["Q8_0"].metadata.items()


def test_llama_cpp_runs_ours(built, llama, heldout):
    logits = {}
    paths = {"source": built.source_path} | {recipe: built.path(recipe) for recipe in RUN}
    for recipe, path in paths.items():
        with llama.model(path, 64) as model:
            tokens = model.tokenize(heldout[:400])[:48]
            logits[recipe] = model.logits(tokens).astype(np.float64)
    exact = logits["source"]
    assert np.isfinite(exact).all() and exact.std() > 0
    for recipe in RUN:
        assert np.isfinite(logits[recipe]).all(), recipe
    difference = np.sqrt(np.mean((logits["Q8_0"] - exact) ** 2)) / exact.std()
    print(f"{built.name}: Q8_0 differs from F16 by {difference:.4f}")
    assert 0 < difference <= MAX_LOGIT_DIFFERENCE


def logits_of(llama, path: pathlib.Path, text: str) -> np.ndarray:
    with llama.model(path, 64) as model:
        return model.logits(model.tokenize(text)[:48]).astype(np.float64)


def test_llama_cpp_multiplies_by_every_scale_beside_a_weight_of_nvfp4(built, qbuild, llama, heldout, tmp_path):
    """A scale that llama.cpp passes over makes products some hundred times too large, which no network
    survives. The same file with all scales lost is laid beside."""
    rules = "".join(
        f"        - {{match: '{name}', type: NVFP4}}\n"
        for name, tensor in built.source.tensors.items()
        if name.endswith(".weight") and len(tensor.shape_without_ones) > 1 and tensor.shape[0] % 64 == 0
        and tensor.type == "F16" and name != "token_embd.weight"
    )
    (tmp_path / "qbuild.yaml").write_text(
        f"version: 1\nmodels:\n  {built.name}:\n    source: {built.source_path}\n    quants:\n"
        f"      - name: mine-NVFP4\n        base: F16\n        rules:\n{rules}"
    )
    run(qbuild, "build", "--store", str(tmp_path / "store"), cwd=tmp_path)
    (path,) = tmp_path.glob("out/**/*.gguf")
    tensors = read(path).tensors
    scales = {name: tensor for name, tensor in tensors.items() if name not in built.source.tensors}
    for name, tensor in scales.items():
        assert name.endswith(".scale") and tensor.type == "F32"
        assert tensors[name.removesuffix("scale") + "weight"].type == "NVFP4"
    exact = logits_of(llama, built.source_path, heldout[:400])
    difference = np.sqrt(np.mean((logits_of(llama, path, heldout[:400]) - exact) ** 2)) / exact.std()
    print(f"{built.name}: NVFP4 with {len(scales)} scales differs from F16 by {difference:.4f}")
    assert 0 < difference <= MAX_NVFP4_DIFFERENCE
    if built.name in UNSCALED:
        assert not scales
        return
    assert scales
    bytes_of = bytearray(path.read_bytes())
    for tensor in gguf.GGUFReader(path).tensors:
        if tensor.name in scales:
            one = np.ones(tensor.n_elements, np.float32).tobytes()
            bytes_of[tensor.data_offset : tensor.data_offset + len(one)] = one
    lost = tmp_path / "lost.gguf"
    lost.write_bytes(bytes_of)
    difference = np.sqrt(np.mean((logits_of(llama, lost, heldout[:400]) - exact) ** 2)) / exact.std()
    print(f"{built.name}: with all of them lost by {difference:.4f}")
    assert built.name in INDIFFERENT or not difference <= MAX_NVFP4_DIFFERENCE


@pytest.mark.parametrize("name", SPLIT)
def test_a_source_in_parts_gives_the_bytes_of_one_file(qbuild, sources, tmp_path, name):
    recipes = ["BF16", "Q4_K_M", "Q3_K_M"]
    (first,) = sources.glob(f"{name}-F16-00001-of-*.gguf")
    assert len(list(sources.glob(f"{name}-F16-0000*-of-*.gguf"))) > 1
    bytes_of = {}
    for kind, source in {"one": sources / f"{name}-F16.gguf", "parts": first}.items():
        folder = tmp_path / kind
        folder.mkdir()
        build(qbuild, folder, name, source, recipes)
        bytes_of[kind] = [our_path(folder, name, recipe).read_bytes() for recipe in recipes]
    assert bytes_of["parts"] == bytes_of["one"]
