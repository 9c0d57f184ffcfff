#!/usr/bin/env bash
# Whole builds beside llama.cpp's quantizer:
# quantize.sh QBUILD MAKE_CHECKPOINT PEER [THREADS] [LAYERS] [FOLDER] [RECIPE...]
#   PEER    folder with a natively built llama-quantize
#   FOLDER  where both write: a memory file system (/dev/shm) unless said; on a disk qbuild flushes, the peer does not
# Both read a source in the page cache: the peer our F16 GGUF, qbuild the imported F16 checkpoint. The two take turns,
# three times each; per recipe the shortest and the longest time in seconds, the ratio of the shortest, and how long
# a plain copy of qbuild's file and its SHA-256, one after the other, take at the least.
# That needs openssl, whose SHA-256 uses what the processor has for it.
set -euo pipefail
command -v openssl >/dev/null || { echo "quantize.sh: openssl is not installed" >&2; exit 2; }
qbuild=$(realpath "$1")
make_checkpoint=$(realpath "$2")
peer=$(realpath "$3")
threads=${4:-2}
layers=${5:-8}
folder=$(mktemp -d "${6:-/dev/shm}/qbuild-bench-XXXXXX")
recipes=("${@:7}")
[ ${#recipes[@]} -gt 0 ] || recipes=(F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K Q3_K_S Q3_K_M
  Q3_K_L Q2_K IQ4_NL IQ4_XS IQ3_M IQ3_S MXFP4_MOE TQ2_0 TQ1_0 Q1_0)
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
ours() {
  rm -rf store out
  seconds "$qbuild" build --store store --threads "$threads"
}
theirs() { seconds "$peer/llama-quantize" f16.gguf "peer-$1.gguf" "$1" "$threads"; }

# Of what the last build made.
copy_and_digest() {
  cp --reflink=never out/m/*.gguf copied
  openssl dgst -sha256 copied
}

# The import is not part of what is compared: the first build hashes the source.
manifest F16
"$qbuild" build --store store --threads "$threads" >/dev/null
cp out/m/*F16.gguf f16.gguf
for recipe in "${recipes[@]}"; do
  manifest "$recipe"
  : >ours.txt
  : >theirs.txt
  : >copies.txt
  for _ in 1 2 3; do
    ours >>ours.txt
    theirs "$recipe" >>theirs.txt
    rm -f "peer-$recipe.gguf"
    seconds copy_and_digest >>copies.txt
    rm -f copied
  done
  paste <(sort -n ours.txt) <(sort -n theirs.txt) <(sort -n copies.txt) | awk -v r="$recipe" '
    NR == 1 { a = $1; b = $2; e = $3 }
    { c = $1; d = $2 }
    END { printf "%-9s qbuild %7.3f to %7.3f s   llama.cpp %7.3f to %7.3f s   ratio %6.2f   copy and SHA-256 %6.3f s\n",
            r, a / 1e6, c / 1e6, b / 1e6, d / 1e6, b / a, e / 1e6 }'
done
