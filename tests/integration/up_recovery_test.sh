#!/usr/bin/env bash
# drover up, killed at every step of a plan, and with an engine that restarts in the middle: the next run ends where it should.
source "$(dirname "$0")/expect.sh"
# shellcheck source=tests/integration/fixture.sh
source "$integration/fixture.sh"

fixture_begin
engine_start engine || { echo "skipped: $engine_reason"; exit 77; }
registry=$DROVER_TEST_REGISTRY
export DOCKER_HOST=$engine
up() { drover up --progress none "$@"; }

layout_begin layout
layout_busybox amd64 busybox-amd64 "$PWD/cache" || { echo "skipped: Debian's busybox-static cannot be fetched"; exit 77; }
mkdir -p base/bin base/tmp && cp busybox-amd64 base/bin/busybox && ln -s busybox base/bin/sh && ln -s busybox base/bin/sleep
base=$(layout_layer layout base gzip)
for version in 1 2; do
  mkdir -p "tree-$version" && echo "$version" >"tree-$version/version"
  layout_index layout "app:$version" "$(layout_manifest layout amd64 '{"Env":["PATH=/bin"],"Cmd":["sh","-c","trap \"exit 0\" TERM; while :; do sleep 0.1; done"]}' \
    "$base" "$(layout_layer layout "tree-$version" gzip)")"
  push layout "app:$version"
  drover prefetch --progress none -q "$registry/app:$version" >id
done

state() {
  engine_get "/containers/json?all=1" | jq -r '.[] | .Names[0][1:] + " " + (.Image | sub(".*/"; "")) + " " + .State' | sort
}
expect_state() { state >got; printf '%s\n' "$1" | diff - got >&2 || fail "the containers are not as they should be"; }
write() {
  cat >compose.yml <<YAML
name: shop
services:
  web: {image: $registry/app:$1, volumes: ["/scratch"]}
YAML
}
# killed_up LINES: a run that is killed once it has told of so many steps.
killed_up() {
  local pid lines=0 line
  rm -f steps && mkfifo steps
  "$DROVER" up >plan 2>steps & pid=$!
  while ((lines < $1)) && read -r line; do
    [[ $line == *": done"* ]] && ((++lines))
  done <steps
  kill -9 $pid 2>/dev/null || true
  wait $pid 2>/dev/null || true
}

say "killed at every step, the next run finishes"
write 1
expect_code 0 up --json
expect_json '.steps | length > 2'
version=1
for step in 0 1 2 3 4 5 6; do
  version=$((3 - version))
  write $version
  scratch=$(engine_get /containers/shop-web-1/json | jq -r '.Mounts[0].Name')
  killed_up $step
  expect_code 0 up
  expect_state "shop-web-1 app:$version running"
  [[ $(engine_get /containers/shop-web-1/json | jq -r '.Mounts[0].Name') == "$scratch" ]] || fail "another anonymous volume after a kill at step $step"
  expect_code 0 up --json
  expect_json '.steps == []'
done

say "killed, and the new one is bad: the way back leads to the container of before the kill"
write $version
old=$(engine_get /containers/shop-web-1/json | jq -r .Id)
sed -i "s|volumes|command: [\"sh\", \"-c\", \"sleep 1; exit 3\"], volumes|" compose.yml
killed_up 3
expect_code 11 up
expect_state "shop-web-1 app:$version running"
[[ $(engine_get /containers/shop-web-1/json | jq -r .Id) == "$old" ]] || fail "another container than before"

say "the engine restarts in the middle"
version=$((3 - version))
write $version
sed -i "s|volumes|restart: always, healthcheck: {test: [CMD, /bin/sh, -c, 'true'], interval: 6s}, volumes|" compose.yml
"$DROVER" up >out 2>err & pid=$!
until state | grep -q "app:$version running"; do sleep 0.05; done
engine_stop engine
engine_start engine || fail "$engine_reason"
wait $pid || { cat out err >&2; fail "exit code $?"; }
expect_state "shop-web-1 app:$version running"
expect_code 0 up --json
expect_json '.steps == []'
