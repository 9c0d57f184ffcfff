"""Importance matrices that other programs made: of the trained checkpoint by transformers, which reads the
calibration text, or of any numbers; written by the `gguf` package as `llama-imatrix` writes them."""

import pathlib

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from reference import gguf_name

# Of which nothing comes without an importance matrix, here and there.
NEED_IMPORTANCE = ["IQ3_XS", "IQ3_XXS", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S", "Q2_K_S"]

CHUNK_TOKENS = 512
DATASET = "calibration.txt"

# name of the weight -> [matrices, columns]: the mean of the squares of what comes in
Importance = dict[str, np.ndarray]


def collected(checkpoint: pathlib.Path, chunks: int = 8) -> Importance:
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    tokens = AutoTokenizer.from_pretrained(checkpoint)((checkpoint / DATASET).read_text())["input_ids"]
    sums: dict[str, np.ndarray] = {}

    def collect(name: str):
        def hook(_module, inputs):
            squares = inputs[0].detach().reshape(-1, inputs[0].shape[-1]).square().sum(0)
            sums[name] = sums.get(name, 0) + squares.numpy().astype(np.float64)

        return hook

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name.startswith("model.layers."):
            module.register_forward_pre_hook(collect(gguf_name(name + ".weight")))
    size = min(CHUNK_TOKENS, model.config.max_position_embeddings)
    count = min(chunks, len(tokens) // size)
    assert count > 0
    with torch.no_grad():
        for chunk in range(count):
            model(torch.tensor([tokens[chunk * size : (chunk + 1) * size]]))
    return {name: (total / (count * size)).astype(np.float32)[None, :] for name, total in sums.items()}


def random(source: pathlib.Path) -> Importance:
    """Log-normally distributed, for every matrix of the network's blocks."""
    importance, generator = {}, np.random.default_rng(1)
    for tensor in gguf.GGUFReader(source).tensors:
        shape = [int(n) for n in tensor.shape]
        if tensor.name.startswith("blk.") and tensor.name.endswith(".weight") and len(shape) > 1:
            matrices = shape[2] if len(shape) > 2 else 1
            importance[tensor.name] = generator.lognormal(0, 1, (matrices, shape[0])).astype(np.float32)
    return importance


def write(path: pathlib.Path, importance: Importance, chunks: int = 8) -> None:
    writer = gguf.GGUFWriter(path, "")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", [DATASET])
    writer.add_uint32("imatrix.chunk_count", chunks)
    writer.add_uint32("imatrix.chunk_size", CHUNK_TOKENS)
    # A power of two: its products and quotients are exact.
    count = np.float32(chunks * CHUNK_TOKENS)
    for name, means in sorted(importance.items()):
        writer.add_tensor(name + ".in_sum2", means * count)
        writer.add_tensor(name + ".counts", np.full((len(means), 1), count))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quants(recipes: list[str], by_importance: bool = False) -> str:
    """For a manifest; those that need importance, or all of them, are made by it."""
    entries = [
        f"{{type: {recipe}, imatrix: true}}" if by_importance or recipe in NEED_IMPORTANCE else recipe
        for recipe in recipes
    ]
    return f"[{', '.join(entries)}]"
