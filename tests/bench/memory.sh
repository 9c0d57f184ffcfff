#!/usr/bin/env bash
# Memory of a large quantize: memory.sh QBUILD MAKE_CHECKPOINT [LAYERS] [FOLDER]
# Quantizes a random checkpoint (44 layers have about 2 billion weights, 4 GB in F16) on the disk of FOLDER, and
# prints the largest resident memory of the engine and of its workers, page cache apart (VmHWM of each), beside the
# size of the source and of its largest tensor.
set -euo pipefail
qbuild=$(realpath "$1")
make_checkpoint=$(realpath "$2")
layers=${3:-44}
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
for recipe in Q8_0 Q4_K_M; do
  printf 'version: 1\nmodels:\n  m: {source: model, quants: [%s]}\n' "$recipe" >qbuild.yaml
  "$qbuild" build --store store --threads 2 >log 2>&1 &
  engine=$!
  watch_memory "$engine" >peaks
  wait "$engine" || { cat log; exit 1; }
  sort -k1,1 -k2,2n peaks | awk -v r="$recipe" '
    { peak[$1] = $2 }
    END { for (name in peak) printf "%-7s %-15s %7.1f MiB\n", r, name, peak[name] / 1024 }'
done
