#!/usr/bin/env bash
# drover beside the tools that are on this machine, on a stack made here: 11 images of which most bytes do not compress,
# like real ones, straight and through a slow link. A registry and, where one can run, an engine of the bench's own; both ended at the end.
#
#   tools/bench.sh [OPTIONS OF bench/compare]      e.g. --repeat 5, --engine 28=SOCKET for one more engine (its images are removed!),
#                                                  --crane CMD for a peer that is not on PATH; bench/compare --help has more
#
# Writes docs/benchmarks.md, or the file that --markdown names, and build/benchmarks.json.
set -euo pipefail
cd "$(dirname "$0")/.."
drover=${DROVER:-$PWD/build/release/cli/drover}
[[ -x $drover ]] || { echo "bench: $drover is not built; run: make" >&2; exit 1; }
# shellcheck source=tests/integration/fixture.sh
source tests/integration/fixture.sh
# shellcheck source=tests/integration/layout.sh
source tests/integration/layout.sh
names=(mariadb clamav sogo php rspamd postfix dovecot memcached unbound redis nginx)
megabytes=(60 50 30 25 20 12 12 5 5 5 5)
architecture=$(dpkg --print-architecture)

# make_stack: :v1 and :v2 of each image share all but a last, small layer.
make_stack() {
  local layout=$fixture/layout i version base own last config='{}'
  layout_begin "$layout"
  base=$(random_layer "$layout" 30)
  for i in "${!names[@]}"; do
    own=$(random_layer "$layout" "${megabytes[i]}")
    for version in v1 v2; do
      mkdir "$fixture/tree"
      echo "${names[i]} $version" >"$fixture/tree/version"
      last=$(layout_layer "$layout" "$fixture/tree")
      rm -r "$fixture/tree"
      layout_index "$layout" "${names[i]}:$version" "$(layout_manifest "$layout" "$architecture" "$config" "$base" "$own" "$last")"
      push_layout "$layout" "${names[i]}:$version" "stack/${names[i]}:$version"
    done
  done
  rm -r "$layout"
}

# random_layer LAYOUT MEGABYTES: 9 of 10 bytes random.
random_layer() {
  mkdir "$fixture/tree"
  head -c "$(($2 * 900000))" /dev/urandom >"$fixture/tree/data"
  head -c "$(($2 * 100000))" /dev/zero >"$fixture/tree/zero"
  layout_layer "$1" "$fixture/tree"
  rm -r "$fixture/tree"
}

fixture_begin
export DOCKER_CONFIG=$fixture/docker-config
registry_start 0
engines=() cases=(loopback wan cut blobs verify memory)
if engine_start engine; then
  version=$(engine_get /version | jq -r .Version)
  engines=(--engine "${version%%[+-]*}=${engine#unix://}")
fi
if [[ ${#engines[@]} != 0 || " $* " == *" --engine"[\ =]* ]]; then
  cases+=(cold update cold_wan update_wan)
else
  echo "bench: without an engine: $engine_reason"
fi
mkdir -p build
echo "bench: making the stack"
make_stack
images=$(printf ',stack/%s:v1' "${names[@]}")
updated=$(printf ',stack/%s:v2' "${names[@]}")
[[ " $* " == *" --markdown "* ]] || set -- --repeat 3 --markdown docs/benchmarks.md --json build/benchmarks.json "$@"
bench/compare --drover "$drover" --registry "$registry" --platform "linux/$architecture" --images "${images#,}" --update-images "${updated#,}" \
  "${engines[@]}" --work "$fixture/work" "$@" "${cases[@]}"
