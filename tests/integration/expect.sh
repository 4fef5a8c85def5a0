# shellcheck shell=bash
# What the integration tests share: saying what went wrong, calling drover, small images.
#
# $DROVER is the program; DROVER_TEST_REGISTRY, DROVER_TEST_ENGINE and DROVER_TEST_FOLDER come from with_services.sh.

set -euo pipefail
integration=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$DROVER_TEST_FOLDER"
export DROVER_STORE=$DROVER_TEST_FOLDER/store DROVER_STATE=$DROVER_TEST_FOLDER/state HOME=$DROVER_TEST_FOLDER/home XDG_CONFIG_HOME=$DROVER_TEST_FOLDER/home DOCKER_HOST=${DROVER_TEST_ENGINE:-}
mkdir -p "$HOME"
[[ $DOCKER_HOST ]] || unset DOCKER_HOST
registry=$DROVER_TEST_REGISTRY
engine=${DROVER_TEST_ENGINE:-}
# shellcheck source=tests/integration/layout.sh
source "$integration/layout.sh"

fail() { echo "FAILED at line ${BASH_LINENO[0]}: $*" >&2; exit 1; }
say() { echo "-- $*"; }

# expect_code CODE COMMAND…: its output goes to ./out and ./err.
expect_code() {
  local want=$1 got=0
  shift
  "$@" >out 2>err || got=$?
  ((got == want)) || { cat out err >&2; fail "exit code $got instead of $want: $*"; }
}

# expect_json FILTER: jq -e over ./out.
expect_json() { jq -e "$@" out >/dev/null || { cat out >&2; fail "not so: $*"; }; }

drover() { "$DROVER" "$@"; }
push() { skopeo --insecure-policy copy --quiet --all --preserve-digests --dest-tls-verify=false "oci:$1:$2" "docker://$registry/$2"; }

# random_tree DIR BYTES SEED: a folder with one incompressible file, the same for the same seed.
random_tree() {
  mkdir -p "$1"
  openssl enc -aes-128-ctr -K "$(printf '%032x' "$3")" -iv 0 -in /dev/zero 2>/dev/null | head -c "$2" >"$1/data-$3" || true
}

# simple_image LAYOUT NAME BYTES SEED [KIND]: for amd64 and arm64, a layer of its own each and one that both share.
simple_image() {
  local layout=$1 name=$2 bytes=$3 seed=$4 kind=${5:-gzip} arch shared own manifests=()
  [[ -e $layout/index.json ]] || layout_begin "$layout"
  random_tree "tree-shared" 300000 1
  shared=$(layout_layer "$layout" tree-shared gzip)
  for arch in amd64 arm64; do
    random_tree "tree-$name-$arch" "$bytes" "$(cksum <<<"$seed$arch" | cut -c1-6)"
    own=$(layout_layer "$layout" "tree-$name-$arch" "$kind")
    manifests+=("$(layout_manifest "$layout" "$arch" '{"Cmd":["/bin/true"]}' "$shared" "$own")")
  done
  layout_index "$layout" "$name" "${manifests[@]}"
}
