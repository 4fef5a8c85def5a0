#!/usr/bin/env bash
# reference.sh BUILD_FOLDER: the reference of the library is made without a warning, and has a page, with words, for every header.
set -euo pipefail
build=$1 top=$(cd "$(dirname "$0")/../.." && pwd) bad=0
command -v doxygen >/dev/null || { echo "skipped: doxygen is not installed"; exit 77; }
complain() { echo "reference: $*" >&2; bad=1; }

cmake --build "$build" --target reference || { echo "reference: doxygen warns" >&2; exit 1; }
for room in base digest manifest store net registry engine compose stack; do
  for header in "$top/$room"/*.h; do
    name=$(basename "$header" .h)
    page=$build/reference/html/${name//_/__}_8h.html
    # Headers of one name in two rooms have their room in front.
    [[ -s $page ]] || page=$build/reference/html/${room}_2${name//_/__}_8h.html
    [[ -s $page ]] || { complain "no page for $room/$name.h"; continue; }
    grep -q 'name="details"' "$page" || complain "$room/$name.h does not begin with what it is for"
  done
done
# What stands above a function, and behind a member, has to be there.
grep -q 'POST /containers/{id}/wait: blocks until then' "$build/reference/html/namespacedrover_1_1engine.html" || complain "wait_container lost its words"
grep -q 'then it is killed; -1: never' "$build/reference/html/structdrover_1_1engine_1_1StopOptions.html" || complain "StopOptions lost its words"
exit "$bad"
