"""What the interop tests share: the program, the published quick start, and the judges."""

import json
import os
import pathlib
import subprocess
from dataclasses import dataclass

import numpy as np
import pytest
import yaml

import reference
from llama import Llama

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTEXT = 256  # of the quick start's perplexity
VARIANTS = ["Q8_0", "Q6_K", "Q4_K_M", "Q4_0"]

# Most that a decoded tensor may be off, as root mean square relative to that of the source. Half a step of
# each type's grid on bell-shaped weights is a third to a half of this; a wrong scale, order or nibble is
# beyond 1.
MAX_ERROR = {
    "F32": 0.0, "F16": 0.001, "BF16": 0.0, "Q8_0": 0.02, "Q6_K": 0.05, "Q5_K": 0.1, "Q5_0": 0.1, "Q5_1": 0.1,
    "Q4_K": 0.2, "Q4_0": 0.2, "Q4_1": 0.2, "IQ4_XS": 0.2, "IQ4_NL": 0.2, "NVFP4": 0.2, "Q3_K": 0.35, "Q2_K": 0.6,
    "IQ3_S": 0.35, "IQ3_XXS": 0.4, "IQ2_S": 0.5, "IQ2_XS": 0.5, "IQ2_XXS": 0.6, "IQ1_M": 0.7, "IQ1_S": 0.7,
    "TQ1_0": 0.8, "TQ2_0": 0.8,
}  # fmt: skip


@pytest.fixture(scope="session")
def checkpoint() -> pathlib.Path:
    return ROOT / "examples/models/bard-llama"


@pytest.fixture(scope="session")
def qbuild() -> pathlib.Path:
    program = pathlib.Path(os.environ.get("QBUILD", ROOT / "build/release/bin/qbuild"))
    assert program.is_file(), f"{program} is not there; ./dev build makes it"
    return program


def run(program: pathlib.Path, *arguments: str, cwd: pathlib.Path | None = None) -> str:
    done = subprocess.run(
        [program, *arguments], cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{program.name} {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclass
class QuickStart:
    """The quick start, published once per session in a folder and a store of its own."""

    qbuild: pathlib.Path
    folder: pathlib.Path

    def run(self, *arguments: str) -> str:
        return run(self.qbuild, *arguments, "--store", str(self.folder / "store"), cwd=self.folder)

    @property
    def card(self) -> pathlib.Path:
        (card,) = self.folder.glob("out/**/README.md")
        return card

    def gguf(self, variant: str) -> pathlib.Path:
        (path,) = self.folder.glob(f"out/**/*{variant}.gguf")
        return path

    def inspect(self, path: pathlib.Path) -> dict:
        return json.loads(self.run("inspect", "--json", str(path)))

    def perplexity(self, variant: str) -> float:
        """As `quality` measured it and the card's evaluation results state it."""
        front_matter = yaml.safe_load(self.card.read_text().split("---\n")[1])
        (entry,) = [e for e in front_matter["model-index"] if e["name"].endswith(f" {variant}")]
        (metric,) = entry["results"][0]["metrics"]
        assert metric["type"] == "perplexity"
        return metric["value"]


@pytest.fixture(scope="session")
def quick_start(qbuild, checkpoint, tmp_path_factory) -> QuickStart:
    folder = tmp_path_factory.mktemp("quickstart")
    manifest = (ROOT / "examples/quickstart/qbuild.yaml").read_text()
    (folder / "qbuild.yaml").write_text(manifest.replace("../models/bard-llama", str(checkpoint)))
    started = QuickStart(qbuild, folder)
    started.run("publish")
    return started


@pytest.fixture(scope="session")
def worker_logits(qbuild, checkpoint):
    """Of our float32 run of the checkpoint: text -> {"tokens": [...], "logits": [[...], ...]}."""

    def ask(text: str) -> dict:
        worker = qbuild.with_name("qbuild-worker")
        return json.loads(run(worker, "--logits", str(checkpoint), "--text", text))

    return ask


@pytest.fixture(scope="session")
def decode_blocks(qbuild):
    """Our decoders: (type's name, blocks as uint8) -> {backend: floats}, of all backends that this machine has."""

    def decode(name: str, blocks: np.ndarray) -> dict[str, np.ndarray]:
        program, floats = qbuild.with_name("decode_blocks"), {}
        for backend in ["scalar", "avx2", "avx512"]:
            done = subprocess.run(
                [program, name, backend], input=blocks.tobytes(), capture_output=True, timeout=600, check=False
            )
            assert done.returncode == 0 or (done.returncode == 3 and floats), done.stderr.decode()
            if done.returncode == 0:
                floats[backend] = np.frombuffer(done.stdout, np.float32)
        return floats

    return decode


@pytest.fixture(scope="session")
def llama() -> Llama:
    peer = pathlib.Path(os.environ.get("QBUILD_PEER", ROOT / "build/peer"))
    assert peer.is_dir(), f"{peer} is not there; ./dev interop fetches it"
    return Llama(peer)


@pytest.fixture(scope="session")
def heldout(checkpoint) -> str:
    return (checkpoint / "heldout.txt").read_text()


@pytest.fixture(scope="session")
def reference_gguf(checkpoint, tmp_path_factory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("reference") / "bard-llama-F32.gguf"
    reference.write_f32_gguf(checkpoint, path)
    return path
