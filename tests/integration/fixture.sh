# shellcheck shell=bash
# Real services for tests and for the demo: a registry and an engine of our own, beside whatever the machine runs.
#
#   source tests/integration/fixture.sh
#   fixture_begin                 a folder for everything below in $fixture; fixture_end runs when the shell exits
#   registry_start                a Debian docker-registry on a free loopback port, as HOST:PORT in $registry
#   engine_start NAME             a dockerd with its own data, socket and bridge, as unix:///… in $engine; on a machine
#                                 that cannot run one: returns 1 with the reason in $engine_reason
#   registry_stop, engine_stop NAME, fixture_end
#   engine_get PATH               GET of the Engine API; the body on stdout
#   engine_run IMAGE [COMMAND…]   runs a container to its end; its output on stdout, its exit code returned
#   push_layout OCI_LAYOUT NAME [TAG]   all platforms of that ref name to $registry/NAME[:TAG]
#
# Several fixtures may run at once: nothing is shared but the loopback interface. Only processes started here are ended,
# by their own pid, and they end by themselves when the shell that started them dies. The engine lives in a mount
# namespace of its own, so none of its mounts is seen, or left behind, on the machine.
# Call the functions in the main shell: a process started in $(…) or a pipeline would end with that subshell.

fixture_say() { echo "fixture: $*" >&2; }

# What a fixture left behind whose shell was killed: its processes ended with it, its folder and its bridge are here.
fixture_sweep() {
  local folder owner bridge
  for folder in "$1"/drover-fixture.??????; do
    owner=$(cat "$folder/owner" 2>/dev/null) || continue
    [[ -d /proc/$owner ]] && continue
    grep -qsF "$folder/" /proc/[0-9]*/cmdline && continue
    while read -r bridge; do ip link del "$bridge" 2>/dev/null || true; done < <(cat "$folder"/*/bridge 2>/dev/null)
    rm -rf --one-file-system "$folder"
  done
}

fixture_begin() {
  fixture_sweep "${DROVER_FIXTURE_PARENT:-/var/tmp}"
  # The disk, not a tmpfs; a short path, since a socket's path must stay under 108 bytes.
  fixture=$(mktemp -d "${DROVER_FIXTURE_PARENT:-/var/tmp}/drover-fixture.XXXXXX")
  echo $$ >"$fixture/owner"
  declare -gA fixture_engine_pids=() fixture_engine_bridges=()
  fixture_registry_pid=""
  trap fixture_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

fixture_end() {
  local name
  trap - EXIT
  [[ ${fixture:-} ]] || return 0
  for name in "${!fixture_engine_pids[@]}"; do engine_stop "$name"; done
  registry_stop
  [[ ${DROVER_FIXTURE_KEEP:-} ]] && { fixture_say "kept: $fixture"; return 0; }
  rm -rf --one-file-system "$fixture"
  fixture=""
}

# fixture_wait_gone PID SECONDS: waits for the end of a child of this shell.
fixture_wait_gone() {
  local deadline=$((SECONDS + $2))
  while kill -0 "$1" 2>/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
  wait "$1" 2>/dev/null || true
}

registry_start() {
  local log=$fixture/registry.log deadline=$((SECONDS + 30))
  command -v docker-registry >/dev/null || { fixture_say "docker-registry is not installed"; return 1; }
  mkdir -p "$fixture/registry"
  cat >"$fixture/registry.yml" <<YAML
version: 0.1
log: {level: info, formatter: text}
storage:
  filesystem: {rootdirectory: $fixture/registry}
  delete: {enabled: true}
  maintenance: {uploadpurging: {enabled: false}}
http: {addr: "127.0.0.1:${1:-0}", headers: {X-Content-Type-Options: [nosniff]}}
YAML
  : >"$log"
  # Environment variables named REGISTRY_… would change the configuration.
  env -i PATH="$PATH" OTEL_TRACES_EXPORTER=none setsid setpriv --pdeathsig TERM docker-registry serve "$fixture/registry.yml" >>"$log" 2>&1 &
  fixture_registry_pid=$!
  while :; do
    registry=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$log" | head -1)
    [[ $registry ]] && curl -fsS -o "$fixture/ping" "http://$registry/v2/" 2>/dev/null && return 0
    if ! kill -0 "$fixture_registry_pid" 2>/dev/null || ((SECONDS > deadline)); then
      tail -5 "$log" >&2
      fixture_say "docker-registry did not start"
      return 1
    fi
    sleep 0.05
  done
}

registry_stop() {
  [[ $fixture_registry_pid ]] || return 0
  kill "$fixture_registry_pid" 2>/dev/null || true
  fixture_wait_gone "$fixture_registry_pid" 5 || { kill -9 "$fixture_registry_pid" 2>/dev/null; fixture_wait_gone "$fixture_registry_pid" 5; } || true
  fixture_registry_pid=""
}

# Sets engine_reason and returns 1 where no engine can run.
engine_possible() {
  local command
  engine_reason=""
  if ((EUID != 0)); then
    engine_reason="an engine needs root"
  elif ! unshare --mount true 2>/dev/null; then
    engine_reason="no mount namespace may be made here (a container without CAP_SYS_ADMIN?)"
  elif ! grep -qE ' cgroup2? ' /proc/mounts; then
    engine_reason="no cgroup file system is mounted"
  else
    for command in dockerd containerd runc ip; do
      PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null || engine_reason="$command is not installed"
    done
  fi
  [[ ! $engine_reason ]]
}

# overlay2 where its file system takes it (not on another overlay), else plain copies.
fixture_storage_driver() {
  local trial=$1/trial
  mkdir -p "$trial"/{lower,upper,work,merged}
  if unshare --mount mount -t overlay overlay -o "lowerdir=$trial/lower,upperdir=$trial/upper,workdir=$trial/work" "$trial/merged" 2>/dev/null; then
    echo overlay2
  else
    echo vfs
  fi
  rm -rf "$trial"
}

# A bridge and a /24 that no route of this machine speaks of: with dockerd's own choice two engines would share docker0.
fixture_add_bridge() {
  local name=$1 second third try
  for try in {1..20}; do
    second=$((RANDOM % 16 + 208)) third=$((RANDOM % 256))
    ip route show | grep -q "^10\.$second\.$third\." && continue
    ip link add "$name" type bridge || return 1
    ip addr add "10.$second.$third.1/24" dev "$name" && ip link set "$name" up && return 0
    ip link del "$name"
    fixture_say "bridge $name: try $try failed"
  done
  return 1
}

# engine_start NAME [DOCKERD ARGUMENTS…]
engine_start() {
  local name=$1 folder=$fixture/$1 bridge log deadline key=()
  shift
  engine_possible || return 1
  export PATH=$PATH:/usr/sbin:/sbin
  log=$folder/log
  bridge=drv$(cksum <<<"$folder" | cut -d' ' -f1)
  mkdir -p "$folder"
  [[ -e $folder/daemon.json ]] || echo '{}' >"$folder/daemon.json"
  if ((${#folder} > 80)); then engine_reason="the path of its socket is too long: $folder"; return 1; fi
  ip link show "$bridge" >/dev/null 2>&1 || fixture_add_bridge "$bridge" || { engine_reason="no network bridge can be made here"; return 1; }
  fixture_engine_bridges[$name]=$bridge
  echo "$bridge" >"$folder/bridge"
  # Engines up to 24 keep a key in /etc/docker unless told otherwise; later ones do not know the option.
  if dockerd --deprecated-key-path "$folder/key.json" --version >/dev/null 2>&1; then key=(--deprecated-key-path "$folder/key.json"); fi

  # /run/containerd is covered: dockerd would join a containerd that it finds there, and with it another engine's containers.
  # shellcheck disable=SC2016
  setsid setpriv --pdeathsig TERM unshare --mount --propagation slave bash -c '
    for d in /run/containerd /run/docker; do [[ ! -d $d ]] || mount -t tmpfs -o mode=711 drover "$d"; done
    exec dockerd "$@"' dockerd \
    --host "unix://$folder/docker.sock" --data-root "$folder/data" --exec-root "$folder/run" --pidfile "$folder/pid" \
    --config-file "$folder/daemon.json" --storage-driver "$(fixture_storage_driver "$folder")" "${key[@]}" \
    --bridge "$bridge" --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --group root --shutdown-timeout 1 "$@" >>"$log" 2>&1 </dev/null &
  fixture_engine_pids[$name]=$!
  deadline=$((SECONDS + 60))
  until curl -fsS -o "$folder/ping" --unix-socket "$folder/docker.sock" http://engine/_ping 2>/dev/null; do
    if ! kill -0 "${fixture_engine_pids[$name]}" 2>/dev/null || ((SECONDS > deadline)); then
      engine_reason="dockerd did not start: $(grep -m1 -iE 'level=(fatal|error)|failed to start' "$log" | cut -c1-300)"
      tail -5 "$log" >&2
      engine_stop "$name"
      return 1
    fi
    sleep 0.05
  done
  engine=unix://$folder/docker.sock
}

engine_stop() {
  local name=$1 folder=$fixture/$1 pid=${fixture_engine_pids[$1]:-} child
  if [[ $pid ]]; then
    kill "$pid" 2>/dev/null || true
    if ! fixture_wait_gone "$pid" 30; then
      # Its containerd and shims are told by the folder on their command lines; no other process names it there.
      kill -9 "$pid" 2>/dev/null || true
      while IFS=/ read -r _ _ child _; do
        if [[ $(readlink "/proc/$child/exe") == */containerd* ]]; then kill -9 "$child" 2>/dev/null || true; fi
      done < <(grep -lsF "$folder/" /proc/[0-9]*/cmdline)
      fixture_wait_gone "$pid" 5 || true
    fi
    unset "fixture_engine_pids[$name]"
  fi
  if [[ ${fixture_engine_bridges[$name]:-} ]]; then
    ip link del "${fixture_engine_bridges[$name]}" 2>/dev/null || true
    unset "fixture_engine_bridges[$name]"
  fi
}

engine_get() { curl -fsS --unix-socket "${engine#unix://}" "http://engine$1"; }

# engine_post PATH [JSON]
engine_post() {
  curl -fsS --unix-socket "${engine#unix://}" -X POST -H 'Content-Type: application/json' -d "${2:-}" "http://engine$1"
}

# By the API, so that no docker command line of a certain version is needed.
engine_run() {
  local image=$1 id code
  shift
  id=$(engine_post /containers/create "$(jq -cn --arg image "$image" '{Image: $image, Tty: true, HostConfig: {NetworkMode: "none"}}
    + if ($ARGS.positional | length) > 0 then {Cmd: $ARGS.positional} else {} end' --args -- "$@")" | jq -r .Id) || return 125
  engine_post "/containers/$id/start" || return 125
  code=$(engine_post "/containers/$id/wait" | jq -r .StatusCode)
  engine_get "/containers/$id/logs?stdout=1&stderr=1" | tr -d '\r'
  curl -fsS --unix-socket "${engine#unix://}" -X DELETE "http://engine/containers/$id"
  return "$code"
}

push_layout() {
  skopeo --insecure-policy copy --quiet --all --dest-tls-verify=false "oci:$1:$2" "docker://$registry/${3:-$2}"
}
