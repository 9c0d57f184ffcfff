#pragma once
// Whole manifests that load: the ones that the design shows, with the words that are known now. The
// project of support.h has the files that they name; kFullSample includes common.yaml besides.

#include <string_view>

namespace qbuild::manifests {

inline constexpr std::string_view kSmallSample = R"(version: 1
models:
  smollm2:
    source: ./tiny
    quants: [Q4_K_M, Q8_0]
)";

inline constexpr std::string_view kFullSample = R"(version: 1
include: [common.yaml]

sets:
  house: [Q4_0, Q4_K_M, Q8_0]

defaults:
  quants: house
  benchmark:
    perplexity: {text: text.txt, context: 512, chunks: 100}
    throughput: {prompt: 512, generate: 128, repeat: 5}
  licenses: [apache-2.0, mit, llama3.1]

models:
  smollm2:
    source: ./tiny
    template: chat.jinja
    quants:
      - Q6_K
      - {type: Q8_0}
      - name: smol-Q4_K_M
        base: Q4_K_M
        rules:
          - {match: "attn_|_shexp", type: Q8_0}
          - {match: ffn_down, layers: "0-3,-4..-1", type: Q6_K}
      - {method: command, run: ["my-tool", "{source}", "{out}"], outputs: ["*.bin"], tool: my-tool@1.4}
    gates: {perplexity_ratio: {max: 1.03}}
    card: {template: card.md}
    publish:
      repo: "acme/{model}-GGUF"
      hub: ./hub
      layout: folders
      file: "{source.name}-{variant}"
      private: true
      message: "nightly {date}"

  "qwen2.5-{size}":
    matrix: {size: ["tiny", "small", "large"], exclude: [{size: large}]}
    source: "./{size}"
)";

}  // namespace qbuild::manifests
