#!/usr/bin/env bash
# The main job, seen to work on this machine, with a registry and an engine of its own; ended at the end.
#
#   tools/demo.sh                    a small multi-architecture stack made on the spot
#   tools/demo.sh -f compose.yml …   your stack: all arguments go to drover. Your engine is used when it answers, else one
#                                    of the demo's own; the store is $DROVER_STORE, else build/demo/store
#
# Every line of the summary was checked; what is not true ends the demo with a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
drover=${DROVER:-$top/build/release/cli/drover}
[[ -x $drover ]] || { echo "demo: $drover is not built; run: make" >&2; exit 1; }
# shellcheck source=tests/integration/fixture.sh
source tests/integration/fixture.sh
# shellcheck source=tests/integration/layout.sh
source tests/integration/layout.sh

summary=()
step() { if [[ -t 1 ]]; then printf '\n\033[1m== %s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi; }
told() { printf '$ drover'; printf ' %q' "$@"; printf '\n'; }
show() { told "$@"; "$drover" "$@"; }
seen() { summary+=("$*"); }
# must WHAT COMMAND…: what the summary will say, and the check of it.
must() {
  local what=$1
  shift
  if ! "$@"; then
    printf '\ndemo: FAILED, this is not true: %s\n      (checked by: %s)\n' "$what" "$*" >&2
    exit 1
  fi
  seen "$what"
}
print_summary() {
  step "What was seen"
  printf '  - %s\n' "${summary[@]}"
}

# ------------------------------------------------------------------------------------------ your own stack
own_stack() {
  local load=() code=0
  export DROVER_STORE=${DROVER_STORE:-$top/build/demo/store}
  export DROVER_STATE=${DROVER_STATE:-$top/build/demo/state}
  fixture_begin
  if [[ " $* " =~ \ (-H|--host|--context)[\ =] ]]; then
    echo "demo: using the engine that was named"
  elif docker version >/dev/null 2>&1 || curl -fs -o /dev/null --unix-socket /var/run/docker.sock http://engine/_ping 2>/dev/null; then
    echo "demo: using the engine that answers on this machine"
  elif engine_start engine; then
    echo "demo: no engine answers here; using one of the demo's own, ended at the end"
    export DOCKER_HOST=$engine
  else
    echo "demo: no engine answers here and none can be started ($engine_reason): stopping at the store"
    load=(--no-load)
  fi
  step "Prefetch: registry to store${load:+ only}, store $DROVER_STORE"
  show prefetch "$@" "${load[@]}" || code=$?
  if ((code == 0)) && ((${#load[@]} == 0)); then
    step "Check: is there anything newer?"
    show check "$@" || code=$?
  fi
  exit "$code"
}

# ------------------------------------------------------------------------------------------ a stack made here
platforms=(linux/amd64 linux/arm64)
services=(web api worker cache)

# A base layer shared by all services, a layer and a command of each one's own.
make_stack() {
  local layout=$fixture/layout service arch tree layer base manifests
  declare -A bases=()
  layout_begin "$layout"
  for arch in amd64 arm64; do
    tree=$fixture/base-$arch
    mkdir -p "$tree"/{bin,tmp,etc}
    layout_busybox "$arch" "$tree/bin/busybox" "$top/build/demo/debian" || return 1
    ln -s busybox "$tree/bin/sh"
    echo 'root:x:0:0:root:/:/bin/sh' >"$tree/etc/passwd"
    bases[$arch]=$(layout_layer "$layout" "$tree")
  done
  for service in "${services[@]}"; do
    manifests=()
    for arch in amd64 arm64; do
      base=${bases[$arch]} tree=$fixture/$service-$arch
      mkdir -p "$tree/etc"
      echo "this is $service for $arch" >"$tree/etc/motd"
      layer=$(layout_layer "$layout" "$tree")
      manifests+=("$(layout_manifest "$layout" "$arch" '{"Cmd": ["/bin/busybox", "cat", "/etc/motd"], "Env": ["PATH=/bin"]}' "$base" "$layer")")
    done
    layout_index "$layout" "$service:1.0" "${manifests[@]}"
    push_layout "$layout" "$service:1.0" "demo/$service:1.0"
  done
}

# One image of a single large layer that does not compress.
make_big_image() {
  local layout=$fixture/big tree=$fixture/big-tree
  layout_begin "$layout"
  mkdir -p "$tree"
  head -c "$1" /dev/urandom >"$tree/data"
  layout_index "$layout" big:1.0 "$(layout_manifest "$layout" amd64 '{}' "$(layout_layer "$layout" "$tree" tar)")"
  rm -r "$tree"
  push_layout "$layout" big:1.0 demo/big:1.0
}

# shellcheck disable=SC2016  # compose replaces the variables
write_compose_file() {
  local service
  {
    echo 'name: demo'
    echo 'services:'
    for service in "${services[@]}"; do
      printf '  %s:\n    image: ${REGISTRY}/demo/%s:${VERSION:-1.0}\n' "$service" "$service"
    done
  } >"$fixture/compose.yml"
  echo "REGISTRY=$registry" >"$fixture/.env"
}

json_is() {
  jq -e "$2" >/dev/null <"$1" && return 0
  echo "demo: the answer was:" >&2
  jq . "$1" >&2
  return 1
}

demo_prefetch() {
  local load=() flags=() platform
  [[ $engine ]] || load=(--no-load)
  for platform in "${platforms[@]}"; do flags+=(--platform "$platform"); done

  step "What a tag means: resolve"
  show resolve "$registry/demo/web:1.0"
  "$drover" resolve --json "$registry/demo/web:1.0" >"$fixture/resolve.json"
  must "resolve names both platforms of demo/web:1.0 and the digest that the registry has" json_is "$fixture/resolve.json" \
    "[.platforms[].platform | sub(\"/v8\$\"; \"\")] == [\"linux/amd64\", \"linux/arm64\"] and .digest == \"$(registry_digest web)\""

  step "Prefetch the stack for both platforms"
  show prefetch "${flags[@]}" -f "$fixture/compose.yml" "${load[@]}"
  "$drover" prefetch --json "${flags[@]}" -f "$fixture/compose.yml" "${load[@]}" >"$fixture/again.json"
  # Manifests may be asked for again: a tag can have moved.
  must "a second prefetch fetches no layer again and sends the engine nothing" json_is "$fixture/again.json" \
    '.bytes.fetched * 100 < .bytes.total and ([.images[].bytesSent // 0] | add) == 0'
  show ls
}

registry_digest() { skopeo inspect --tls-verify=false --raw "docker://$registry/demo/$1:1.0" | sha256sum | sed 's/^/sha256:/; s/ .*//'; }

# Each service's two manifests, found by another tool than ours.
store_has_all() {
  local service arch name
  for service in "${services[@]}"; do
    name=$registry/demo/$service:1.0
    for arch in amd64 arm64; do
      skopeo --override-arch "$arch" --override-os linux --insecure-policy copy --quiet "oci:$DROVER_STORE:$name" "dir:$fixture/copied" || return 1
      rm -r "$fixture/copied"
    done
  done
}

engine_has_all() {
  local service
  for service in "${services[@]}"; do
    engine_get "/images/$registry/demo/$service:1.0/json" >"$fixture/image.json" || return 1
    json_is "$fixture/image.json" ".Architecture == \"$(dpkg --print-architecture)\" and .Os == \"linux\"" || return 1
  done
}

demo_engine() {
  step "The engine has the images; nothing was pulled by it"
  engine_get /images/json | jq -r '.[] | "\(.RepoTags[0])  \(.Id[7:19])"' | sort
  must "the engine ($(engine_get /version | jq -r '"\(.Version), API \(.ApiVersion)"')) holds the ${#services[@]} images of its own platform" engine_has_all

  step "Check: nothing newer"
  show check -f "$fixture/compose.yml"
  "$drover" check --json -f "$fixture/compose.yml" >"$fixture/check.json"
  must "check says current for all ${#services[@]}" json_is "$fixture/check.json" "[.images[] | select(.state == \"current\")] | length == ${#services[@]}"

  step "A container runs from a loaded image, with the registry gone"
  registry_stop
  engine_run "$registry/demo/web:1.0" | tee "$fixture/ran.txt"
  must "a container of demo/web:1.0 ran while no registry was there" grep -qx "this is web for $(dpkg --print-architecture)" "$fixture/ran.txt"
  registry_start "${registry##*:}"
}

demo_resume() {
  local size=$((256 << 20)) pid resumed fetched
  step "kill -9 in the middle of a pull of 256 MiB, then again"
  make_big_image "$size"
  "$drover" pull --progress none --limit-rate 64M --platform linux/amd64 "$registry/demo/big:1.0" >"$fixture/killed.txt" 2>&1 &
  pid=$!
  sleep 2.5
  kill -9 "$pid"
  wait "$pid" 2>/dev/null && { echo "demo: the pull ended before it could be killed" >&2; exit 1; }
  echo "killed after 2.5 s at 64 MB/s"
  told pull --json --platform linux/amd64 "$registry/demo/big:1.0"
  "$drover" pull --json --platform linux/amd64 "$registry/demo/big:1.0" >"$fixture/resumed.json"
  jq -c '{bytes, requests, seconds}' "$fixture/resumed.json"
  resumed=$(jq .bytes.resumed "$fixture/resumed.json") fetched=$(jq .bytes.fetched "$fixture/resumed.json")
  must "after kill -9 the pull went on: $((resumed >> 20)) MiB kept, $((fetched >> 20)) MiB fetched" \
    json_is "$fixture/resumed.json" ".bytes.resumed > $((32 << 20)) and .bytes.fetched + .bytes.resumed <= $size * 1.02"
}

demo_verify() {
  step "Verify: every byte of the store against its name"
  show verify --progress none
  must "every blob of the store is what its digest says, by sha256sum too" blobs_are_named_right
}

blobs_are_named_right() {
  local found=0 blob
  for blob in "$DROVER_STORE"/blobs/sha256/*; do
    [[ $(sha256sum <"$blob" | cut -d' ' -f1) == "${blob##*/}" ]] || return 1
    found=$((found + 1))
  done
  ((found > 0))
}

own_services() {
  local engine_note
  fixture_begin
  mkdir -p build/demo
  export DROVER_STORE=$fixture/store
  export DROVER_STATE=$fixture/state
  unset DOCKER_HOST DOCKER_CONTEXT COMPOSE_FILE COMPOSE_PROJECT_NAME REGISTRY VERSION
  export DOCKER_CONFIG=$fixture/docker-config  # no contexts, no credentials: this registry wants none
  engine="" engine_note=""
  step "A registry and an engine of the demo's own"
  registry_start 0
  echo "registry: docker-registry at $registry"
  if engine_start engine; then
    echo "engine:   dockerd at $engine"
    export DOCKER_HOST=$engine
  else
    engine_note="no engine can run here ($engine_reason): the demo stopped at the store"
    echo "engine:   $engine_note"
  fi
  step "A stack of ${#services[@]} services for ${platforms[*]}, from Debian's busybox-static of both"
  make_stack
  write_compose_file
  cat "$fixture/compose.yml"

  demo_prefetch
  must "the store holds ${#services[@]} images for both platforms, and skopeo reads them from it" store_has_all
  [[ ! $engine ]] || demo_engine
  demo_resume
  demo_verify
  [[ ! $engine_note ]] || seen "$engine_note"
  print_summary
}

if (($# > 0)); then own_stack "$@"; else own_services; fi
