#!/usr/bin/env bash
# Nothing to do, beside ninja: null_build.sh QBUILD [TARGETS] [RUNS]
# Makes a project of TARGETS command steps (each: one input, one result, and in the store its blob and its
# record) and a ninja graph of the same shape (as many files to look at per target), builds both once, and
# times runs that have nothing to do, turn by turn. Prints minimum, median and maximum in milliseconds.
set -euo pipefail
qbuild=$(realpath "$1")
targets=${2:-1000}
runs=${3:-21}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
source=$(realpath "$(dirname "$0")/../../examples/models/bard-llama")

# Models of at most 1,000 steps each: more are refused.
make_qbuild() {
  mkdir -p "$folder/q/in" && cd "$folder/q"
  local models=$(((targets + 999) / 1000)) steps i m
  steps=$((targets / models))
  printf 'cp "$1" "$2"/made.bin\n' >tool.sh
  {
    echo "version: 1"
    echo "models:"
    echo "  \"m{m}\":"
    echo "    matrix: {m: [$(seq -s , 1 "$models")]}"
    echo "    source: $source"
    echo "    publish: {repo: \"acme/{model}\", hub: ./hub, layout: folders}"
    echo "    quants:"
    for ((i = 0; i < steps; i++)); do
      for ((m = 1; m <= models; m++)); do echo "input $m $i" >"in/$m-$i.txt"; done
      echo "      - {name: v$i, method: command, run: [sh, tool.sh, \"in/{m}-$i.txt\", \"{out}\"], outputs: [made.bin], inputs: [\"in/{m}-$i.txt\"], tool: cp@1}"
    done
  } >qbuild.yaml
}

make_ninja() {
  mkdir -p "$folder/n/in" && cd "$folder/n"
  {
    echo "rule copy"
    echo "  command = cp \$in \$out && cp \$in \$out.blob && cp \$in \$out.record"
    for ((i = 0; i < targets; i++)); do
      echo "input $i" >"in/$i.txt"
      echo "build out/$i.bin | out/$i.bin.blob out/$i.bin.record: copy in/$i.txt"
    done
  } >build.ninja
}

# Milliseconds that a command takes.
milliseconds() {
  local begin=$EPOCHREALTIME
  "$@" >/dev/null
  local end=$EPOCHREALTIME
  echo $((${end/./} - ${begin/./})) | awk '{print $1 / 1000}'
}

summary() {
  sort -n "$1" | awk '{v[NR]=$1} END {printf "min %.1f ms, median %.1f ms, max %.1f ms\n", v[1], v[int((NR+1)/2)], v[NR]}'
}

make_qbuild
export QBUILD_STORE=$folder/store XDG_STATE_HOME=$folder/state
cd "$folder/q"
first=$(milliseconds "$qbuild" build)
echo "qbuild, first build: $(awk "BEGIN {printf \"%.2f\", $first / $targets}") ms per command"
make_ninja
cd "$folder/n" && ninja >/dev/null
for ((r = 0; r < runs; r++)); do
  cd "$folder/q" && milliseconds "$qbuild" build >>"$folder/ours"
  cd "$folder/n" && milliseconds ninja >>"$folder/theirs"
done
if command -v strace >/dev/null; then
  cd "$folder/q"
  strace -f -c -S calls -U calls,name -o "$folder/calls" "$qbuild" build >/dev/null
  echo "qbuild, $targets targets, system calls: $(awk '$1 ~ /^[0-9]+$/ && $2 != "total" {printf "%s%s %s", s, $1, $2; s = ", "}' "$folder/calls")"
fi
echo "qbuild, $targets targets: $(summary "$folder/ours")"
echo "ninja,  $targets targets: $(summary "$folder/theirs")"
