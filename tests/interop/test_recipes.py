"""Every recipe gives each tensor the type that llama.cpp's quantizer chooses. What it chooses is read from
the snapshots of its own test, for twelve models; they lie in the source package of llama-cpp-python, which
carries llama.cpp. A snapshot names the tensors whose type is not the recipe's base: all of two dimensions
are in that of MXFP4_MOE, and what it lacks are experts, whose shapes follow from the model."""

import os
import pathlib
import re
import subprocess
import tarfile
from dataclasses import dataclass

import pytest

from conftest import ROOT

PACKAGE = "llama_cpp_python-0.3.36"
SNAPSHOTS = f"{PACKAGE}/vendor/llama.cpp/tests/snapshots/"
RECIPES_IN_SNAPSHOTS = 33
EXPERTS = ("ffn_gate_exps", "ffn_up_exps", "ffn_down_exps")


@dataclass
class Model:
    """What a snapshot does not say. `rows`: row length by the tensor's name without block and "weight",
    where it is not the width of the hidden state; `stacked`: tensors of three dimensions by the same name."""

    architecture: str
    rows: dict[str, int]
    stacked: tuple[str, ...] = ()


MODELS = {
    "deepseek-v3.1": Model(
        "deepseek2",
        {
            "attn_q_b": 1536,
            "attn_k_b": 128,
            "attn_v_b": 512,
            "attn_output": 16384,
            "ffn_down": 18432,
            "ffn_down_exps": 2048,
            "ffn_down_shexp": 2048,
        },
        (*EXPERTS, "attn_k_b", "attn_v_b"),
    ),
    "gemma-3-4b-it": Model("gemma3", {"attn_output": 2048, "ffn_down": 10240}),
    "glm-4.6v": Model(
        "glm4moe",
        {"attn_output": 12288, "ffn_down": 10944, "ffn_down_exps": 1408, "ffn_down_shexp": 1408},
        EXPERTS,
    ),
    "gpt-oss-120b": Model("gpt-oss", {"attn_output": 4096, "ffn_down_exps": 2880}, EXPERTS),
    "meta-llama-3.1-70b-instruct": Model("llama", {"ffn_down": 28672}),
    "nvidia-nemotron-3-nano-30b-a3b": Model(
        "nemotron_h_moe",
        {"attn_output": 4096, "ssm_out": 4096, "ffn_down_exps": 1856, "ffn_down_shexp": 3712},
        ("ffn_up_exps", "ffn_down_exps"),
    ),
    "qwen3-0.6b": Model("qwen3", {"attn_output": 2048, "ffn_down": 3072}),
    "qwen3-14b": Model("qwen3", {"ffn_down": 17408}),
    "qwen3-coder-next": Model(
        "qwen3next",
        {"attn_output": 4096, "ssm_out": 4096, "ffn_down_exps": 512, "ffn_down_shexp": 512},
        EXPERTS,
    ),
    "qwen3.5-397b-a17b": Model(
        "qwen35moe",
        {"attn_output": 8192, "ssm_out": 8192, "ffn_down_exps": 1024, "ffn_down_shexp": 1024},
        EXPERTS,
    ),
    "qwen3.6-27b": Model("qwen35", {"attn_output": 6144, "ssm_out": 6144, "ffn_down": 17408}),
    "step-3.5-flash": Model(
        "step35",
        {"attn_output": 8192, "ffn_down": 11264, "ffn_down_exps": 1280, "ffn_down_shexp": 1280},
        EXPERTS,
    ),
}


@dataclass
class Snapshot:
    facts: dict[str, int]  # n_embd, n_layer, n_head, ...
    recipes: dict[str, tuple[str, dict[str, str]]]  # recipe -> (base, {tensor: type})

    @property
    def names(self) -> set[str]:
        return {name for _, types in self.recipes.values() for name in types}


def parse_snapshot(text: str) -> Snapshot:
    snapshot = Snapshot({key: int(n) for key, n in re.findall(r"(n_\w+)=(\d+)", text)}, {})
    types: dict[str, str] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        first, second = line.split()
        if first.startswith("["):
            types = {}
            snapshot.recipes[first[1:-1]] = (second.upper(), types)
        else:
            types[first] = second.upper()
    return snapshot


def kind_of(name: str) -> str:
    return re.sub(r"^blk\.\d+\.", "", name).removesuffix(".weight")


def tensor_lines(model: Model, snapshot: Snapshot) -> list[str]:
    names = snapshot.names
    # Of a block's experts, ffn_down is in a snapshot in any case.
    with_experts = {name.split(".")[1] for name in names if kind_of(name) == "ffn_down_exps"}
    for block in with_experts:
        names |= {f"blk.{block}.{kind}.weight" for kind in model.stacked if kind in EXPERTS}
    width = snapshot.facts["n_embd"]
    lines = []
    for name in sorted(names):
        kind = kind_of(name)
        third = " 64" if kind in model.stacked else ""
        lines.append(f"tensor {name} {model.rows.get(kind, width)} 64{third}")
    return lines


def ask(program: pathlib.Path, model: Model, snapshot: Snapshot) -> dict[str, tuple[str, dict[str, str]]]:
    facts = snapshot.facts
    network = f"network {model.architecture} {facts['n_layer']} {facts['n_head']} {facts['n_head_kv']} "
    lines = [network + str(facts.get("n_expert", 0)), *tensor_lines(model, snapshot)]
    done = subprocess.run(
        [program], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return parse_snapshot(done.stdout).recipes


@pytest.fixture(scope="session")
def recipe_types() -> pathlib.Path:
    qbuild = pathlib.Path(os.environ.get("QBUILD", ROOT / "build/dev/bin/qbuild"))
    program = qbuild.with_name("recipe_types")
    assert program.is_file(), f"{program} is not there; ./dev interop builds it"
    return program


@pytest.fixture(scope="session")
def snapshots() -> dict[str, Snapshot]:
    default = ROOT / f"build/{PACKAGE}.tar.gz"
    package = pathlib.Path(os.environ.get("QBUILD_LLAMA_SOURCE", default))
    if not package.is_file():
        pytest.skip(f"{package} is not there; ./dev interop fetches it")
    found = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name.startswith(SNAPSHOTS) and member.name.endswith(".schema"):
                text = archive.extractfile(member).read().decode()
                found[pathlib.PurePath(member.name).stem] = parse_snapshot(text)
    return found


def test_every_snapshot_is_compared(snapshots):
    assert set(snapshots) == set(MODELS)
    assert {len(snapshot.recipes) for snapshot in snapshots.values()} == {RECIPES_IN_SNAPSHOTS}


@pytest.mark.parametrize("name", MODELS)
def test_types_are_those_of_llama_cpp(recipe_types, snapshots, name):
    snapshot = snapshots[name]
    ours = ask(recipe_types, MODELS[name], snapshot)
    different = []
    for recipe, (base, types) in snapshot.recipes.items():
        assert ours[recipe][0] == base
        assert set(types) <= set(ours[recipe][1])
        for tensor, our_type in ours[recipe][1].items():
            their_type = types.get(tensor, base)
            if our_type != their_type:
                different.append(f"{recipe} {tensor}: {our_type}, not {their_type}")
    assert different == []
