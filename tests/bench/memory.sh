#!/usr/bin/env bash
# Memory of a large quantize: memory.sh QBUILD MAKE_CHECKPOINT [LAYERS] [FOLDER]
# Quantizes a random checkpoint (118 layers have about 5.3 billion weights, 10 GB in F16) on the disk of FOLDER, in
# single recipes and in four that are made in one pass, and prints the largest resident memory of the engine and of
# its workers, page cache apart (VmHWM of each), beside the size of the source and of its largest tensor.
set -euo pipefail
qbuild=$(realpath "$1")
make_checkpoint=$(realpath "$2")
layers=${3:-118}
folder=$(mktemp -d "${4:-${TMPDIR:-/tmp}}/qbuild-bench-XXXXXX")
trap 'rm -rf "$folder"' EXIT
tokenizer=$(realpath "$(dirname "$0")/../../examples/models/bard-llama")
"$make_checkpoint" "$folder/model" "$tokenizer" "$layers"
cd "$folder"
export XDG_STATE_HOME=$folder/state

# Kilobytes of every process below the given one that has ended by now, by name: the largest.
watch_memory() {
  local pid name peak
  while kill -0 "$1" 2>/dev/null; do
    for pid in "$1" $(pgrep -P "$1" || true); do
      name=$(cat "/proc/$pid/comm" 2>/dev/null) || continue
      peak=$(awk '/^VmHWM/ {print $2}' "/proc/$pid/status" 2>/dev/null) || continue
      [ -n "$peak" ] && echo "$name $peak"
    done
    sleep 0.02
  done
}

printf '%d MiB in the source, %d MiB in its largest tensor\n' \
  $(($(stat -c %s model/model.safetensors) >> 20)) $((2048 * 5632 * 2 >> 20))
for recipes in Q8_0 Q4_K_M NVFP4 '{type: IQ2_XS, imatrix: true}' 'Q8_0, Q6_K, Q5_K_M, Q4_K_S'; do
  printf 'version: 1\nmodels:\n  m: {source: model, imatrix: model.imatrix, quants: [%s]}\n' "$recipes" >qbuild.yaml
  rm -rf store out
  "$qbuild" build --store store --threads 2 >log 2>&1 &
  engine=$!
  watch_memory "$engine" >peaks
  wait "$engine" || { cat log; exit 1; }
  sort -k1,1 -k2,2n peaks | awk -v r="$recipes" '
    { peak[$1] = $2 }
    END { for (name in peak) printf "%-30s %-15s %7.1f MiB\n", r, name, peak[name] / 1024 }'
done
