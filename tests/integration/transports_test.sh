#!/usr/bin/env bash
# The engine client over every transport, on a real engine: unix socket, TLS with certificates both ways, ssh through a real sshd.
source "$(dirname "$0")/expect.sh"
source "$integration/fixture.sh"

sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || { echo "skipped: Debian's openssh-server is not installed"; exit 77; }
unset DOCKER_HOST
export TMPDIR=$DROVER_TEST_FOLDER/tmp XDG_RUNTIME_DIR=
mkdir "$TMPDIR"
streams() { "$ENGINE_STREAMS" "$@"; }

# wait_until SECONDS COMMAND...
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || fail "never so: $*"
    sleep 0.05
  done
}

say "certificates"
mkdir certs
certificate() {  # NAME SUBJECT EXTENSIONS
  openssl req -newkey rsa:2048 -nodes -keyout "certs/$1-key.pem" -out "$1.csr" -subj "$2" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA certs/ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -out "certs/$1.pem" -extfile <(echo "$3") 2>/dev/null
}
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out certs/ca.pem -days 2 -subj /CN=drover-test 2>/dev/null
certificate server /CN=engine "subjectAltName=IP:127.0.0.1,DNS:localhost"
certificate client /CN=client "extendedKeyUsage=clientAuth"
mkdir mine && cp certs/ca.pem mine/ && cp certs/client.pem mine/cert.pem && cp certs/client-key.pem mine/key.pem

say "an engine on a unix socket and on TLS"
fixture_begin
engine_start own --host tcp://127.0.0.1:0 --tlsverify --tlscacert "$PWD/certs/ca.pem" --tlscert "$PWD/certs/server.pem" --tlskey "$PWD/certs/server-key.pem" ||
  { echo "skipped: $engine_reason"; exit 77; }
socket=${engine#unix://}
wait_until 60 grep -q "API listen on 127" "$fixture/own/log"
port=$(sed -n 's/.*API listen on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$fixture/own/log" | head -1)
layout_busybox amd64 busybox "$PWD/cache" || { echo "skipped: Debian's busybox-static cannot be fetched"; exit 77; }
mkdir -p root/bin && mv busybox root/bin/busybox && ln -s busybox root/bin/sh
tar -C root -c . | curl -fsS --unix-socket "$socket" -X POST -T - "http://engine/images/create?fromSrc=-&repo=box&tag=1" >/dev/null
id=$(engine_post /containers/create '{"Image":"box:1","Cmd":["/bin/busybox","sleep","1000"],"HostConfig":{"NetworkMode":"none"}}' | jq -r .Id)
engine_post "/containers/$id/start"
random_tree data 5000000 1

# What a transport has to carry: a call, many at once, five megabytes up a pipe that is then closed, and back, with an exit code.
check_transport() {
  expect_code 0 streams ping
  expect_code 0 streams parallel 40
  streams exec "$id" /bin/busybox sh -c 'busybox cat; echo over >&2; exit 7' <data/data-1 >back 2>err || (($? == 7)) || { cat err >&2; fail "exec"; }
  cmp data/data-1 back || fail "other bytes came back"
  [[ $(cat err) == over ]] || fail "standard error: $(cat err)"
}

say "unix socket"
export DOCKER_HOST=$engine
check_transport

say "TLS: certificates from the environment, from a context; a proxy is not asked for this machine"
export DOCKER_HOST=tcp://127.0.0.1:$port DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$PWD/mine
export http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 HTTPS_PROXY=http://127.0.0.1:1
check_transport
unset http_proxy https_proxy HTTPS_PROXY
DOCKER_HOST=tcp://localhost:$port expect_code 0 streams ping
unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH
export DOCKER_CONFIG=$PWD/docker
name=$(printf far | sha256sum | cut -d' ' -f1)
mkdir -p "docker/contexts/meta/$name" "docker/contexts/tls/$name/docker"
cp mine/*.pem "docker/contexts/tls/$name/docker/"
echo '{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://127.0.0.1:'"$port"'","SkipTLSVerify":false}}}' >"docker/contexts/meta/$name/meta.json"
DOCKER_CONTEXT=far expect_code 0 streams ping

say "TLS: what is missing is named"
mkdir anonymous stranger && cp mine/ca.pem anonymous/ && cp mine/cert.pem mine/key.pem stranger/
openssl req -x509 -newkey rsa:2048 -nodes -keyout other-key.pem -out stranger/ca.pem -days 2 -subj /CN=other 2>/dev/null
export DOCKER_HOST=tcp://127.0.0.1:$port DOCKER_TLS_VERIFY=1
DOCKER_CERT_PATH=$PWD/anonymous expect_code 1 streams ping
grep -q "client certificate" err || fail "$(cat err)"
DOCKER_CERT_PATH=$PWD/stranger expect_code 1 streams ping
grep -q "authority that is unknown here" err || fail "$(cat err)"
DOCKER_TLS_VERIFY="" DOCKER_TLS=1 DOCKER_CERT_PATH=$PWD/mine expect_code 0 streams ping
unset DOCKER_TLS_VERIFY

say "ssh"
mkdir ssh bin
chmod 700 ssh
ssh-keygen -q -t ed25519 -N '' -f ssh/host
ssh-keygen -q -t ed25519 -N '' -f ssh/login
ssh-keygen -q -t ed25519 -N '' -f ssh/unknown
cp ssh/login.pub ssh/authorized
sshd_start() {
  local try
  for try in {1..20}; do
    ssh_port=$((RANDOM % 20000 + 20000))
    cat >ssh/sshd_config <<CONFIG
ListenAddress 127.0.0.1:$ssh_port
HostKey $PWD/ssh/host
AuthorizedKeysFile $PWD/ssh/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
AllowStreamLocalForwarding ${1:-yes}
MaxStartups 1
CONFIG
    : >ssh/log
    # shellcheck disable=SC2016
    setsid setpriv --pdeathsig TERM unshare --mount --propagation private bash -c \
      'mount -t tmpfs drover /run && mkdir -m 755 /run/sshd && exec "$@"' sshd "$sshd" -D -e -f "$PWD/ssh/sshd_config" >>ssh/log 2>&1 </dev/null &
    ssh_pid=$!
    until grep -q "Server listening" ssh/log; do
      kill -0 "$ssh_pid" 2>/dev/null || continue 2
      sleep 0.05
    done
    return 0
  done
  fail "sshd does not start: $(cat ssh/log)"
}
sshd_start
echo "[127.0.0.1]:$ssh_port $(cat ssh/host.pub)" >ssh/known
# OpenSSH takes the home folder from the password file; a wrapper keeps root's own out of it.
cat >bin/ssh <<WRAPPER
#!/bin/sh
exec $(command -v ssh) -F "$PWD/ssh/config" "\$@"
WRAPPER
chmod 755 bin/ssh
printf '%s\n' "UserKnownHostsFile $PWD/ssh/known" "GlobalKnownHostsFile /dev/null" "IdentitiesOnly yes" "IdentityFile $PWD/ssh/login" \
  "IdentityAgent none" >ssh/config
export PATH=$PWD/bin:$PATH DOCKER_HOST=ssh://root@127.0.0.1:$ssh_port$socket
logins() { grep -c "Accepted publickey" ssh/log || true; }
no_tunnel_left() { [[ -z $(ls "$TMPDIR") ]] && ! grep -lqs "$TMPDIR/drover-ssh" /proc/[0-9]*/cmdline; }

expect_code 0 streams ping
[[ $(logins) == 1 ]] || fail "$(logins) logins for one program"
check_transport
[[ $(logins) == 4 ]] || fail "forty calls at once, or a stream, took more than one login: $(logins)"
no_tunnel_left || fail "the tunnel outlived its program"

say "ssh: an event stream survives the end of its ssh"
"$ENGINE_STREAMS" events die >events 2>events-err &
watcher=$!
wait_until 60 grep -q "read anew: subscribed$" events
engine_post "/containers/$id/rename?name=first"
wait_until 60 grep -q "container rename first" events
kill "$(grep -lsF "$TMPDIR/drover-ssh" /proc/[0-9]*/cmdline | cut -d/ -f3 | head -1)"
wait_until 60 grep -q "read anew: subscribed again after" events
engine_post "/containers/$id/kill"
wait "$watcher" || fail "the watcher failed: $(cat events-err)"
[[ $(grep -c "container rename first" events) == 1 ]] || fail "an event was told twice: $(cat events)"

say "ssh ends with a program that is killed"
"$ENGINE_STREAMS" events never >events 2>&1 &
watcher=$!
wait_until 60 grep -q "read anew: subscribed$" events
kill -9 "$watcher"
wait "$watcher" 2>/dev/null || true
no_ssh_left() { ! grep -lqs "$TMPDIR/drover-ssh" /proc/[0-9]*/cmdline; }
wait_until 30 no_ssh_left
rm -rf "$TMPDIR"/drover-ssh.*

say "ssh: what is wrong is said in one line"
# expect_reason TEXT: one line on standard error, with that in it.
expect_reason() {
  expect_code 1 streams ping
  [[ $(wc -l <err) == 1 ]] || fail "not one line: $(cat err)"
  grep -qF -- "$1" err || fail "$(cat err)"
  no_tunnel_left || fail "something is left"
}
DOCKER_HOST=ssh://root@127.0.0.1:$ssh_port/nowhere.sock expect_reason "cannot connect to /nowhere.sock"
DOCKER_HOST=ssh://root:secret@127.0.0.1:$ssh_port expect_reason "a password does not belong into it"
! grep -q secret err || fail "the password is repeated"
DOCKER_HOST=ssh://root@127.0.0.1:1 expect_reason "nothing listens on that port"
expect_code 1 env PATH=/nonexistent "$ENGINE_STREAMS" ping
grep -q "no ssh program on PATH" err || fail "$(cat err)"
mv ssh/known ssh/known-right
expect_reason "its host key is not in known_hosts"
echo "[127.0.0.1]:$ssh_port $(cat ssh/unknown.pub)" >ssh/known
expect_reason "its host key is not the one in known_hosts"
mv ssh/known-right ssh/known
sed -i "s|^IdentityFile.*|IdentityFile $PWD/ssh/unknown|" ssh/config
expect_reason "it refused the login"
sed -i "s|^IdentityFile.*|IdentityFile $PWD/ssh/login|" ssh/config
kill "$ssh_pid"
wait "$ssh_pid" 2>/dev/null || true
sshd_start no
echo "[127.0.0.1]:$ssh_port $(cat ssh/host.pub)" >ssh/known
DOCKER_HOST=ssh://root@127.0.0.1:$ssh_port$socket expect_reason "AllowStreamLocalForwarding"
kill "$ssh_pid"
wait "$ssh_pid" 2>/dev/null || true

say "an engine that restarts: its events are followed again, and it is said that some may be missing"
export DOCKER_HOST=$engine
"$ENGINE_STREAMS" events rename >events 2>events-err &
watcher=$!
wait_until 60 grep -q "read anew: subscribed$" events
engine_stop own
engine_start own || fail "$engine_reason"
wait_until 60 grep -q "read anew: subscribed again after" events
engine_post "/containers/$id/rename?name=second"
wait "$watcher" || fail "the watcher failed: $(cat events-err)"
