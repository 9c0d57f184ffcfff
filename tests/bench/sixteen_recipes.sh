#!/usr/bin/env bash
# The sixteen common recipes of one model in one manifest, beside sixteen runs of llama.cpp's quantizer:
# sixteen_recipes.sh QBUILD MAKE_CHECKPOINT PEER [THREADS] [LAYERS]
#   PEER  folder with a natively built llama-quantize
# Both write to a memory file system and read an F16 GGUF in the page cache. The two take turns, three times each;
# the shortest and the longest time, and with them what qbuild's counters say: each tensor is computed once in each
# type, and copied where another recipe has it in that type.
set -euo pipefail
qbuild=$(realpath "$1")
make_checkpoint=$(realpath "$2")
peer=$(realpath "$3")
threads=${4:-2}
layers=${5:-8}
quantized="Q2_K Q3_K_S Q3_K_M Q3_K_L Q4_0 Q4_1 Q4_K_S Q4_K_M Q5_0 Q5_1 Q5_K_S Q5_K_M Q6_K Q8_0"
plain="F16 F32"
folder=$(mktemp -d /dev/shm/qbuild-bench-XXXXXX)
trap 'rm -rf "$folder"' EXIT
tokenizer=$(realpath "$(dirname "$0")/../../examples/models/bard-llama")
"$make_checkpoint" "$folder/model" "$tokenizer" "$layers"
cd "$folder"
export XDG_STATE_HOME=$folder/state LD_LIBRARY_PATH=$peer

seconds() {
  local begin=$EPOCHREALTIME
  "$@" >/dev/null 2>&1
  local end=$EPOCHREALTIME
  echo $((${end/./} - ${begin/./}))
}
# The import is not part of what is compared: the first build hashes the source.
printf 'version: 1\nmodels:\n  m: {source: model, quants: [F16]}\n' >qbuild.yaml
"$qbuild" build --store store --threads "$threads" >/dev/null
cp out/m/*F16.gguf m-F16.gguf
rm -rf store out model .qbuild
manifest() { printf 'version: 1\nmodels:\n  m: {source: m-F16.gguf, quants: [%s]}\n' "${1// /, }" >qbuild.yaml; }
ours() {
  rm -rf store out
  seconds "$qbuild" build --store store --threads "$threads"
}
theirs() {
  local recipe
  for recipe in $1; do
    "$peer/llama-quantize" m-F16.gguf peer.gguf "$recipe" "$threads" >/dev/null 2>&1
    rm -f peer.gguf
  done
}
compare() { # NAME RECIPES
  : >ours.txt
  : >theirs.txt
  manifest "$2"
  "$qbuild" build --store warm --threads "$threads" >/dev/null
  rm -rf warm out
  for _ in 1 2 3; do
    ours >>ours.txt
    seconds theirs "$2" >>theirs.txt
  done
  paste <(sort -n ours.txt) <(sort -n theirs.txt) | awk -v name="$1" '
    NR == 1 { a = $1; b = $2 }
    { c = $1; d = $2 }
    END { printf "%-22s qbuild %7.3f to %7.3f s   llama.cpp %7.3f to %7.3f s   ratio %.2f\n",
            name, a / 1e6, c / 1e6, b / 1e6, d / 1e6, b / a }'
}
compare "fourteen quantized" "$quantized"
compare "F16 and F32" "$plain"
manifest "$quantized $plain"
rm -rf store out
"$qbuild" build --store store --threads "$threads" --json | tail -1
