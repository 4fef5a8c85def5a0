#!/usr/bin/env bash
# drover up on a real engine: what changes, what stays, and the way back.
source "$(dirname "$0")/expect.sh"

socket=${engine#unix://}
get() { curl -fsS --unix-socket "$socket" "http://engine$1"; }
post() { curl -fsS --unix-socket "$socket" -X POST -H 'Content-Type: application/json' -d "${2:-}" "http://engine$1"; }
remove() { curl -fsS --unix-socket "$socket" -X DELETE "http://engine$1"; }
up() { drover up --progress none "$@"; }

layout_begin layout
layout_busybox amd64 busybox-amd64 "$PWD/cache" || { echo "skipped: Debian's busybox-static cannot be fetched"; exit 77; }
mkdir -p base/bin base/tmp && cp busybox-amd64 base/bin/busybox
for command in sh sleep true false cat nc httpd test wget ip; do ln -s busybox "base/bin/$command"; done
base=$(layout_layer layout base gzip)

# image NAME:TAG CONFIG
image() {
  mkdir -p "tree-$1" && echo "$1" >"tree-$1/version"
  layout_index layout "$1" "$(layout_manifest layout amd64 "$2" "$base" "$(layout_layer layout "tree-$1" gzip)")"
  push layout "$1"
  drover prefetch --progress none -q "$registry/$1" >id
}
run='["sh","-c","test ! -d /data || echo mail >/data/mail; trap \"exit 0\" TERM; while :; do sleep 0.1; done"]'
for version in 1 2 3; do image app:$version "{\"Env\":[\"PATH=/bin\"],\"Cmd\":$run}"; done
image app:exits '{"Env":["PATH=/bin"],"Cmd":["sh","-c","for i in 1 2 3 4 5 6; do echo try $i; done; echo cannot read its settings; exit 3"]}'

container() { get "/containers/$1/json"; }
field() { container "$1" | jq -r "$2"; }
# All containers of the project, with what they are made of and whether they run.
state() {
  get "/containers/json?all=1&filters=$(jq -rn --arg p "${1:-shop}" '{label: ["com.docker.compose.project=" + $p]} | tojson | @uri')" |
    jq -r '.[] | .Names[0][1:] + " " + (.Image | sub(".*/"; "")) + " " + .State' | sort
}
expect_state() { state "${2:-shop}" >got; printf '%s' "${1:+$1$'\n'}" | diff - got >&2 || fail "the containers are not as they should be"; }
# changes SINCE: what was done to containers, networks and volumes.
changes() { get "/events?since=$1&until=$(date +%s)&filters=$(jq -rn '{type: ["container", "network", "volume"]} | tojson | @uri')" | jq -r 'select(.Action | startswith("exec_") or startswith("health_") | not) | .Type + " " + .Action'; }

compose() { cat >compose.yml; }
mkdir -p shop && cd shop
here=$PWD

say "the first up makes everything, the second nothing"
compose <<YAML
name: shop
services:
  db: {image: $registry/app:1, volumes: ["data:/data"], stop_grace_period: 2s}
  web: {image: $registry/app:1, depends_on: [db], networks: {default: {aliases: [front]}}, volumes: ["/scratch"]}
volumes: {data: }
YAML
expect_code 0 up --dry-run --json
expect_json '[.steps[] | .operation + " " + .resource] | index("create container shop-web-1") != null'
expect_json 'all(.steps[]; .dependsOn | all(. > 0))'
expect_state ""
expect_code 0 up --json
expect_json '[.services[] | .service + " " + .action] == ["db create", "web create"] and all(.outcomes[]; .state == "done")'
expect_state "$(printf 'shop-db-1 app:1 running\nshop-web-1 app:1 running')"
web=$(field shop-web-1 .Id) scratch=$(field shop-web-1 '.Mounts[] | select(.Destination == "/scratch") | .Name')
sleep 1.1
since=$(date +%s)
expect_code 0 up --json
expect_json '.steps == [] and all(.services[]; .action == "none")'
sleep 1.1
changes "$since" >got
[[ ! -s got ]] || { cat got; fail "a second up did something"; }

say "a dry run tells that the registry does not have an image"
sed "s|web: {image: $registry/app:1|web: {image: $registry/app:absent|" compose.yml >absent.yml
expect_code 5 up --dry-run -f absent.yml
grep -q "$registry/app:absent" err || { cat err; fail "the image is not named"; }

say "one changed image: one container is replaced, with its anonymous volume"
sed -i "s|web: {image: $registry/app:1|web: {image: $registry/app:2|" compose.yml
expect_code 0 up --dry-run
grep -q 'services.web.image' out || { cat out; fail "the cause is not told"; }
expect_code 0 up --json
expect_json '[.services[] | .service + " " + .action] == ["db none", "web recreate"] and (.services[1].downSeconds > 0)'
expect_state "$(printf 'shop-db-1 app:1 running\nshop-web-1 app:2 running')"
[[ $(field shop-web-1 .Id) != "$web" ]] || fail "it is the same container"
[[ $(field shop-web-1 '.Mounts[] | select(.Destination == "/scratch") | .Name') == "$scratch" ]] || fail "its anonymous volume is another one"
field shop-web-1 '.NetworkSettings.Networks.shop_default.Aliases | contains(["front", "web"])' | grep -q true || fail "an alias is lost"

say "what cannot be created touches nothing"
before=$(state; field shop-web-1 .Id)
expect_code 3 up -f compose.yml -f - <<YAML
services: {web: {image: $registry/app:absent, pull_policy: never}}
YAML
[[ $before == "$(state; field shop-web-1 .Id)" ]] || fail "something was touched"

sed "s|depends_on: \[db\]|depends_on: [db], mem_limit: 1k|" compose.yml >small.yml
expect_code 1 up -f small.yml --json
expect_json '.result == "failed" and all(.services[]; .action == "none")'
[[ $before == "$(state; field shop-web-1 .Id)" ]] || fail "something was touched"

say "an image that exits: the old containers come back, also those that were swapped beside it"
db=$(field shop-db-1 .Id) web=$(field shop-web-1 .Id)
sed "s|db: {image: $registry/app:1|db: {image: $registry/app:2|; s|web: {image: $registry/app:2|web: {image: $registry/app:exits|" compose.yml >exits.yml
expect_code 11 up -f exits.yml --json
grep -q 'cannot read its settings' err || { cat err; fail "the last lines of its log are not told"; }
log=$(sed -n 's/.*more of its log is in \([^;]*\);.*/\1/p' err | head -1)
[[ -f $log && $(stat -c %a "$log") == 600 ]] && grep -qx 'try 1' "$log" || { cat err; fail "more of its log is not kept"; }
expect_state "$(printf 'shop-db-1 app:1 running\nshop-web-1 app:2 running')"
[[ $(field shop-db-1 .Id) == "$db" && $(field shop-web-1 .Id) == "$web" ]] || fail "other containers than before"
expect_code 0 up --json
expect_json '.steps == []'

say "a port that another process holds"
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(1000)' >port &
holder=$!
until [[ -s port ]]; do sleep 0.05; done
sed "s|depends_on: \[db\]|depends_on: [db], ports: [\"127.0.0.1:$(cat port):80\"]|" compose.yml >port.yml
expect_code 11 up -f port.yml
kill $holder
expect_state "$(printf 'shop-db-1 app:1 running\nshop-web-1 app:2 running')"
[[ $(field shop-web-1 .Id) == "$web" ]] || fail "another container than before"

say "a port that another container publishes, or two of the project would: refused before anything is touched"
post "/containers/create?name=stranger" "{\"Image\":\"$registry/app:1\",\"ExposedPorts\":{\"80/tcp\":{}},\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"$(cat port)\"}]}}}" >stranger
post /containers/stranger/start
started=$(field shop-web-1 .State.StartedAt)
expect_code 3 up -f port.yml
grep -q "127.0.0.1:$(cat port)/tcp.*stranger" err || { cat err; fail "the port and its container are not named"; }
remove "/containers/stranger?force=1"
sed "s|depends_on: \[db\]|depends_on: [db], scale: 2, ports: [\"127.0.0.1:$(cat port):80\"]|" compose.yml >both.yml
expect_code 3 up -f both.yml
[[ $(field shop-web-1 .Id) == "$web" && $(field shop-web-1 .State.StartedAt) == "$started" ]] || fail "something was touched"

say "a health check that never gets green; one that was red before does not count"
sed "s|depends_on: \[db\]|depends_on: [db], healthcheck: {test: [CMD, cat, /not/there], interval: 200ms, retries: 2}|" compose.yml >sick.yml
expect_code 11 up -f sick.yml
grep -q '/not/there' err || { cat err; fail "the check's output is not told"; }
[[ $(field shop-web-1 .Id) == "$web" ]] || fail "another container than before"
expect_code 1 up -f sick.yml --no-rollback
[[ $(field shop-web-1 .Id) != "$web" ]] || fail "the new container is gone"
sed 's|app:2|app:3|' sick.yml >sicker.yml
expect_code 0 up -f sicker.yml

say "a service is a line: of the plan, at its end, and of the answer"
expect_code 0 up --progress plain
[[ $(grep -c '^web  *recreate  *services.web.image: ' out) == 1 && $(grep -c . out) == 3 ]] || { cat out; fail "the plan has not one line of the service"; }
[[ $(tail -1 out) == "web: recreated, down "* ]] || { cat out; fail "the gap is not told"; }
grep -qE '^web: recreated, passed its gate in [0-9.]+s$' err || { cat err; fail "its end is not told"; }

say "orphans, scale"
compose <<YAML
name: shop
services:
  db: {image: $registry/app:1, volumes: ["data:/data"], stop_grace_period: 2s}
  worker: {image: $registry/app:1, scale: 3}
volumes: {data: }
YAML
expect_code 0 up
grep -q 'shop-web-1' out err || fail "the orphan is not told"
expect_code 0 up --remove-orphans --scale worker=2
expect_state "$(printf 'shop-db-1 app:1 running\nshop-worker-1 app:1 running\nshop-worker-2 app:1 running')"

say "a changed network is made anew, with everybody's aliases and addresses; a changed volume is refused"
compose <<YAML
name: shop
services:
  db: {image: $registry/app:1, volumes: ["data:/data"], networks: {inner: {ipv4_address: 10.231.77.10, aliases: [mysql]}}, stop_grace_period: 2s}
  web: {image: $registry/app:1, networks: {inner: {aliases: [front]}}}
networks: {inner: {ipam: {config: [{subnet: 10.231.77.0/24}]}}}
volumes: {data: }
YAML
expect_code 0 up --remove-orphans
db=$(field shop-db-1 .Id)
sed -i 's|networks: {inner: {ipam|networks: {inner: {labels: {a: b}, ipam|' compose.yml
expect_code 0 up --json
[[ $(field shop-db-1 .NetworkSettings.Networks.shop_inner.IPAddress) == 10.231.77.10 ]] || fail "its address is lost"
field shop-db-1 '.NetworkSettings.Networks.shop_inner.Aliases | contains(["mysql", "db"])' | grep -q true || fail "an alias is lost"
get /networks/shop_inner | jq -e '.Labels.a == "b"' >/dev/null || fail "the network is the old one"
expect_code 0 up --json
expect_json '.steps == []'
say "a subnet changes together with an address in it"
sed -i 's|10\.231\.77\.|10.231.78.|g' compose.yml
expect_code 0 up --json
db=$(field shop-db-1 .Id)
[[ $(field shop-db-1 .NetworkSettings.Networks.shop_inner.IPAddress) == 10.231.78.10 ]] || fail "it does not have its new address"
field shop-db-1 '.NetworkSettings.Networks.shop_inner.Aliases | contains(["mysql", "db"])' | grep -q true || fail "an alias is lost"
[[ $(field shop-web-1 .NetworkSettings.Networks.shop_inner.IPAddress) == 10.231.78.* ]] || fail "web is not in the new subnet"
expect_code 0 up --json
expect_json '.steps == []'
sed "s|10\.231\.78\.|10.231.79.|g; s|db: {image: $registry/app:1|db: {image: $registry/app:exits|" compose.yml >moved.yml
expect_code 11 up -f moved.yml
[[ $(field shop-db-1 .Id) == "$db" && $(field shop-db-1 .NetworkSettings.Networks.shop_inner.IPAddress) == 10.231.78.10 ]] || fail "it is not as before"
get /networks/shop_inner | jq -e '.IPAM.Config[0].Subnet == "10.231.78.0/24"' >/dev/null || fail "the network is not as before"
expect_code 0 up --json
expect_json '.steps == []'
sed 's|volumes: {data: }|volumes: {data: {labels: {a: b}}}|' compose.yml >volume.yml
expect_code 13 up -f volume.yml
grep -q 'shop_data' err || fail "the volume is not named"

say "another project's full volumes are not forgotten"
expect_code 0 drover down --progress none
expect_code 13 drover -p shop2 up --progress none
grep -q 'shop_data' err || fail "the full volume is not named"

say "dependencies: health, completion, a shared network"
compose <<YAML
name: shop
services:
  once: {image: $registry/app:1, command: ["true"]}
  db: {image: $registry/app:1, healthcheck: {test: ["CMD", "true"], interval: 300ms}, stop_grace_period: 2s}
  web: {image: $registry/app:1, depends_on: {db: {condition: service_healthy}, once: {condition: service_completed_successfully}}}
  side: {image: $registry/app:1, network_mode: "service:web"}
YAML
expect_code 0 up --remove-orphans
expect_state "$(printf 'shop-db-1 app:1 running\nshop-once-1 app:1 exited\nshop-side-1 app:1 running\nshop-web-1 app:1 running')"
sed -i "s|web: {image: $registry/app:1|web: {image: $registry/app:2|" compose.yml
expect_code 0 up --json
expect_json '[.services[] | select(.action == "recreate") | .service] == ["side", "web"]'
[[ $(field shop-side-1 .HostConfig.NetworkMode) == "container:$(field shop-web-1 .Id)" ]] || fail "side is in the network of another container"

say "companions"
expect_code 0 drover ps --json
expect_json '[.containers[] | .name] | index("shop-web-1") != null'
expect_code 0 drover stop web --progress none
expect_code 0 drover start web --progress none
expect_code 0 drover restart db --progress none
expect_code 0 drover down --progress none --json
expect_state ""
get /volumes/shop_data >got || fail "down took a volume"

say "down --volumes takes anonymous volumes, those that an update carried over among them"
compose <<YAML
name: shop
services:
  web: {image: $registry/app:1, volumes: ["/scratch"]}
  db: {image: $registry/app:1, volumes: ["/scratch"]}
YAML
expect_code 0 up
scratch_of() { field "$1" '.Mounts[] | select(.Destination == "/scratch") | .Name'; }
carried=$(scratch_of shop-web-1) plain=$(scratch_of shop-db-1)
sed -i "s|web: {image: $registry/app:1|web: {image: $registry/app:2|" compose.yml
expect_code 0 up
[[ $(scratch_of shop-web-1) == "$carried" ]] || fail "its anonymous volume is another one"
expect_code 0 drover down --volumes --progress none --json
expect_json --arg v "$carried" 'any(.steps[]; .operation + " " + .resource == "remove volume " + $v)'
get /volumes >got
jq -e --arg a "$carried" --arg b "$plain" 'all(.Volumes[]; .Name != $a and .Name != $b)' got >/dev/null || fail "an anonymous volume is left"
