#!/usr/bin/env bash
# Whole builds beside llama.cpp's quantizer: quantize.sh QBUILD MAKE_CHECKPOINT PEER [THREADS] [LAYERS]
#   PEER  folder with a natively built llama-quantize
# Both write to a memory file system and read a source in the page cache: the peer our F16 GGUF, qbuild the
# imported F16 checkpoint. Per recipe the best of three runs, in seconds, and the ratio.
set -euo pipefail
qbuild=$(realpath "$1")
make_checkpoint=$(realpath "$2")
peer=$(realpath "$3")
threads=${4:-2}
layers=${5:-8}
folder=$(mktemp -d /dev/shm/qbuild-bench-XXXXXX)
trap 'rm -rf "$folder"' EXIT
tokenizer=$(realpath "$(dirname "$0")/../../examples/models/bard-llama")
"$make_checkpoint" "$folder/model" "$tokenizer" "$layers"
cd "$folder"
export XDG_STATE_HOME=$folder/state LD_LIBRARY_PATH=$peer

manifest() { printf 'version: 1\nmodels:\n  m: {source: model, quants: [%s]}\n' "$1" >qbuild.yaml; }
seconds() {
  local begin=$EPOCHREALTIME
  "$@" >/dev/null 2>&1
  local end=$EPOCHREALTIME
  echo $((${end/./} - ${begin/./}))
}
best_of_three() { for _ in 1 2 3; do "$@"; done | sort -n | head -1 | awk '{printf "%.3f", $1 / 1e6}'; }
ours() {
  rm -rf store out
  seconds "$qbuild" build --store store --threads "$threads"
}
theirs() { seconds "$peer/llama-quantize" f16.gguf "peer-$1.gguf" "$1" "$threads"; }

# The import is not part of what is compared: the first build hashes the source.
manifest F16
"$qbuild" build --store store --threads "$threads" >/dev/null
cp out/m/*F16.gguf f16.gguf
for recipe in Q8_0 Q4_0 Q4_K_S Q4_K_M Q6_K; do
  manifest "$recipe"
  mine=$(best_of_three ours)
  peers=$(best_of_three theirs "$recipe")
  rm -f "peer-$recipe.gguf"
  awk -v r="$recipe" -v a="$mine" -v b="$peers" 'BEGIN {printf "%-7s qbuild %7.3f s   llama.cpp %7.3f s   ratio %.2f\n", r, a, b, b / a}'
done
