"""Small random checkpoints of many architectures, made by transformers and converted to F16 by llama.cpp's
own converter. Run as a program, in a process of its own: the converter brings its own `gguf` package.

    python architectures.py LLAMA_CPP TOKENIZER FOLDER [NAME...]

LLAMA_CPP is the folder of convert_hf_to_gguf.py, TOKENIZER the checkpoint whose tokenizer all get. Makes
FOLDER/NAME-F16.gguf of each, and FOLDER/NAME-F16-00001-of-*.gguf of those in SPLIT."""

import json
import logging
import os
import pathlib
import shutil
import sys
from dataclasses import dataclass, field

# Rows of 256 are whole blocks of every type; shorter ones make recipes fall back to other types. With eight
# layers and more, "the first eighth" is one, and "every third between" has some.
VOCABULARY = {"vocab_size": 1024, "bos_token_id": 1021, "eos_token_id": 1022, "pad_token_id": 1023}
USUAL = VOCABULARY | {
    "hidden_size": 256,
    "intermediate_size": 256,
    "num_hidden_layers": 8,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "max_position_embeddings": 512,
}
EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 64, "intermediate_size": 64}
GROUPS = {"n_routed_experts": 4, "n_group": 1, "topk_group": 1}
MAMBA2 = {
    "mamba_n_heads": 8,
    "mamba_d_head": 64,
    "mamba_d_state": 32,
    "mamba_expand": 2,
    "mamba_n_groups": 1,
}


@dataclass
class Architecture:
    name: str  # GGUF's general.architecture
    kind: str  # transformers' model_type
    config: dict
    flags: list[str] = field(default_factory=list)  # of the converter
    # Entries of config.json as published models have them, where transformers writes other words.
    published: dict = field(default_factory=dict)


def usual(name: str, kind: str, **config) -> Architecture:
    return Architecture(name, kind, USUAL | config)


GRANITE_LAYERS = ["mamba", "mamba", "mamba", "attention"] * 2

ARCHITECTURES = {
    # Dense.
    "llama": usual(
        "llama",
        "llama",
        num_attention_heads=8,  # four to a value head: some recipes choose otherwise
        head_dim=32,
        rope_parameters={
            "rope_type": "llama3",  # gives rope_freqs.weight
            "rope_theta": 500000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 128,
        },
    ),
    # As many layers as the largest networks, which recipes know by that.
    "llama-80-layers": usual(
        "llama", "llama", num_hidden_layers=80, head_dim=16, intermediate_size=32, num_key_value_heads=1
    ),
    # Embeddings that serve as output; biases; rows that no block of 32 divides; a vocabulary with unused
    # entries, since this tokenizer's class adds one.
    "qwen2": usual("qwen2", "qwen2", tie_word_embeddings=True, intermediate_size=80, vocab_size=1056),
    "qwen3": usual("qwen3", "qwen3", tie_word_embeddings=True),
    "gemma3": usual("gemma3", "gemma3_text", sliding_window=64),
    "phi3": usual("phi3", "phi3"),  # attn_qkv
    "granite": usual("granite", "granite", num_hidden_layers=16, intermediate_size=64),
    "starcoder2": usual("starcoder2", "starcoder2", intermediate_size=128),
    "falcon": Architecture(
        "falcon",
        "falcon",
        VOCABULARY
        | {"hidden_size": 256, "num_hidden_layers": 8, "num_attention_heads": 4, "num_kv_heads": 1},
    ),
    # Experts: eight, as recipes know Mixtral; four; in halves of one tensor, with biases.
    "mixtral": usual("llama", "mixtral", num_local_experts=8, **EXPERTS),
    "qwen3moe": usual("qwen3moe", "qwen3_moe", num_experts=4, head_dim=32, **EXPERTS),
    "gpt-oss": usual("gpt-oss", "gpt_oss", num_local_experts=4, sliding_window=64, **EXPERTS),
    # Shared experts; with MLA.
    "qwen2moe": usual(
        "qwen2moe",
        "qwen2_moe",
        num_experts=4,
        shared_expert_intermediate_size=128,
        vocab_size=1056,
        **EXPERTS,
    ),
    "deepseek2": usual(
        "deepseek2",
        "deepseek_v3",
        num_key_value_heads=4,
        n_shared_experts=1,
        first_k_dense_replace=1,
        q_lora_rank=64,
        kv_lora_rank=256,
        qk_nope_head_dim=32,
        qk_rope_head_dim=16,
        v_head_dim=32,
        **GROUPS,
        **EXPERTS,
    ),
    # Recurrent, and hybrids.
    "mamba2": Architecture(
        "mamba2",
        "mamba2",
        VOCABULARY
        | {"hidden_size": 256, "num_hidden_layers": 8, "num_heads": 8, "head_dim": 64}
        | {"state_size": 32, "expand": 2, "n_groups": 1},
    ),
    "falcon-h1": usual(
        "falcon-h1", "falcon_h1", intermediate_size=64, mamba_d_ssm=256, **(MAMBA2 | {"mamba_d_head": 32})
    ),
    "granitehybrid": Architecture(
        "granitehybrid",
        "granitemoehybrid",
        USUAL
        | {"layer_types": GRANITE_LAYERS, "num_local_experts": 4, "shared_intermediate_size": 64}
        | MAMBA2
        | EXPERTS,
        published={"layer_types": GRANITE_LAYERS},
    ),
    "lfm2": usual(
        "lfm2",
        "lfm2",
        intermediate_size=128,
        block_auto_adjust_ff_dim=False,
        layer_types=["conv", "conv", "full_attention", "conv"] * 2,
    ),
    "nemotron_h_moe": usual(
        "nemotron_h_moe",
        "nemotron_h",
        layers_block_type=["mamba", "moe", "attention", "moe"] * 2,
        mamba_num_heads=8,
        mamba_head_dim=64,
        ssm_state_size=32,
        n_groups=1,
        moe_shared_expert_intermediate_size=64,
        **GROUPS,
        **EXPERTS,
    ),
    "qwen3next": Architecture(
        "qwen3next",
        "qwen3_next",
        USUAL
        | {"vocab_size": 1056, "num_experts": 4, "shared_expert_intermediate_size": 64}
        | {"linear_num_key_heads": 2, "linear_num_value_heads": 4}
        | {"linear_key_head_dim": 32, "linear_value_head_dim": 32}
        | EXPERTS,
        flags=["--no-nextn"],  # layers that predict further tokens, which the checkpoint lacks
    ),
}

# Those that the converter writes once more in parts, and its flags: 40 tensors to a part; in the second, a
# first part of metadata only.
SPLIT = {
    "llama": ["--split-max-tensors", "40"],
    "deepseek2": ["--split-max-tensors", "40", "--no-tensor-first-split"],
}


def make_checkpoint(architecture: Architecture, tokenizer: pathlib.Path, folder: pathlib.Path) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(20261126)
    config = AutoConfig.for_model(architecture.kind, **architecture.config)
    network = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            # Zeros and ones would hide a norm or a bias that is lost.
            if weight.ndim == 1 and not name.endswith(("A_log", "dt_bias")):
                weight.add_(torch.randn_like(weight) * 0.02)
    network.to(torch.bfloat16).save_pretrained(folder)
    config_path = folder / "config.json"
    config_path.write_text(json.dumps(json.loads(config_path.read_text()) | architecture.published))
    for file in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]:
        shutil.copy(tokenizer / file, folder / file)


class Converter:
    """convert_hf_to_gguf.py with one vocabulary for every architecture. Left to itself it asks for the
    tokenizers of the real models, and knows a splitter by a digest of its tokens; tensors and numbers of
    the network, which are what is looked at here, do not depend on it."""

    def __init__(self, llama_cpp: pathlib.Path):
        sys.path.insert(0, str(llama_cpp))
        import convert_hf_to_gguf
        from conversion.base import TextModel

        self.module, self.text_model = convert_hf_to_gguf, TextModel
        TextModel.get_vocab_base_pre = lambda *_: "llama-bpe"

    def convert(self, checkpoint: pathlib.Path, path: pathlib.Path, flags: list[str]) -> None:
        base = self.module.ModelBase
        kind = self.module.ModelType.TEXT
        name = self.module.get_model_architecture(base.load_hparams(checkpoint, False), kind)
        self.module.get_model_class(name).set_vocab = self.text_model._set_vocab_gpt2
        # Not the folder's: of one that is called phi3 llama.cpp expects the tokens of the real model.
        own = ["--outtype", "f16", "--model-name", "Small", "--outfile", str(path)]
        sys.argv = ["convert", *own, *flags, str(checkpoint)]
        self.module.main()


def main() -> None:
    llama_cpp, tokenizer, folder = map(pathlib.Path, sys.argv[1:4])
    names = sys.argv[4:] or list(ARCHITECTURES)
    os.environ["HF_HUB_OFFLINE"] = "1"
    converter = Converter(llama_cpp)
    logging.disable(logging.WARNING)
    for name in names:
        checkpoint = folder / "checkpoints" / name
        make_checkpoint(ARCHITECTURES[name], tokenizer, checkpoint)
        for flags in [[], SPLIT[name]] if name in SPLIT else [[]]:
            converter.convert(checkpoint, folder / f"{name}-F16.gguf", ARCHITECTURES[name].flags + flags)
        shutil.rmtree(checkpoint)


if __name__ == "__main__":
    main()
