#!/usr/bin/env bash
# How long a program takes to start and end: start.sh QBUILD [RUNS]: `qbuild --version` beside /bin/true, turn by
# turn. Prints minimum and median in milliseconds; what lies between them is an upper bound of start to main.
set -euo pipefail
qbuild=$(realpath "$1")
runs=${2:-101}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
milliseconds() {
  local begin=$EPOCHREALTIME
  "$@" >/dev/null
  local end=$EPOCHREALTIME
  echo $((${end/./} - ${begin/./})) | awk '{print $1 / 1000}'
}
for ((r = 0; r < runs; r++)); do
  milliseconds "$qbuild" --version >>"$folder/ours"
  milliseconds /bin/true >>"$folder/true"
done
for name in ours true; do
  sort -n "$folder/$name" |
    awk -v name="$name" '{v[NR]=$1} END {printf "%s: min %.2f ms, median %.2f ms\n", name, v[1], v[int((NR+1)/2)]}'
done
