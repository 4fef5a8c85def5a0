#!/usr/bin/env bash
# The main job with a real engine: both platforms to the store, one to the engine, then only what is new.
source "$(dirname "$0")/expect.sh"

docker_get() { curl -fsS --unix-socket "${engine#unix://}" "http://engine$1"; }
layout_begin layout
layout_busybox amd64 busybox-amd64 "$PWD/cache" || { echo "skipped: Debian's busybox-static cannot be fetched"; exit 77; }
mkdir -p base/bin && cp busybox-amd64 base/bin/busybox && ln -sf busybox base/bin/sh
base=$(layout_layer layout base gzip)

# service NAME VERSION KIND: base, a layer that stays and a small one that changes; arm64 has other bytes.
service() {
  local name=$1 version=$2 kind=$3 arch stays changes manifests=()
  for arch in amd64 arm64; do
    random_tree "stays-$name-$arch" 2000000 "$(cksum <<<"$name$arch" | cut -c1-6)"
    mkdir -p "changes-$name-$arch-$version/etc"
    echo "$name $version $arch" >"changes-$name-$arch-$version/etc/version"
    stays=$(layout_layer layout "stays-$name-$arch" "$kind")
    changes=$(layout_layer layout "changes-$name-$arch-$version" gzip)
    manifests+=("$(layout_manifest layout "$arch" '{"Cmd":["/bin/busybox","cat","/etc/version"]}' "$base" "$stays" "$changes")")
  done
  layout_index layout "$name:$version" "${manifests[@]}"
  push layout "$name:$version"
}
for name in web mail; do service $name 1 gzip; done
service cache 1 zstd
cat >compose.yml <<YAML
name: stack
services:
  web: {image: "$registry/web:\${VERSION:-1}"}
  mail: {image: "$registry/mail:\${VERSION:-1}", depends_on: [web]}
  cache: {image: "$registry/cache:1"}
  built: {build: .}
YAML

say "check before anything is there"
expect_code 0 drover check --json -f compose.yml
expect_json '.images | length == 3 and all(.state == "missing")'

say "the first prefetch, for both platforms"
expect_code 0 drover prefetch --json -f compose.yml --platform linux/amd64 --platform linux/arm64
expect_json '.images | map(select(.platform == "linux/amd64")) | length == 3 and all(.state == "loaded")'
expect_json '[.images[] | select(.platform == "linux/amd64") | .layers.sent] | add == 7'  # the base once, two more an image
for name in web mail cache; do
  docker_get "/images/$registry/$name:1/json" >inspect || fail "$name is not in the engine"
  wanted=$(skopeo inspect --tls-verify=false --raw "docker://$registry/$name:1" | jq -r '.manifests[] | select(.platform.architecture == "amd64").digest')
  config=$(skopeo inspect --tls-verify=false --raw "docker://$registry/$name@$wanted" | jq -r .config.digest)
  [[ $(jq -r .Id inspect) == "$config" ]] || fail "$name has another image ID than a pull gives"
  jq -e '.RepoDigests | length == 1' inspect >/dev/null || fail "$name has no RepoDigests: $(jq -c .RepoDigests inspect)"
done
skopeo --insecure-policy copy --quiet --override-arch arm64 "oci:store:$registry/web:1" dir:arm64 || fail "the arm64 image is not in the store"

say "what was loaded runs, the zstd image too"
source "$integration/fixture.sh"
for name in web cache; do
  [[ $(engine_run "$registry/$name:1") == "$name 1 amd64" ]] || fail "$name does not run"
done

say "nothing to do the second time, and no layer crosses the network"
expect_code 0 drover prefetch --json -f compose.yml
expect_json '.images | all(.state == "present") and (map(.bytesSent) | add) == 0'
expect_code 0 drover check --json --exit-code -f compose.yml
expect_json '.images | all(.state == "current")'

say "an update: check tells, prefetch sends only the small layers"
export VERSION=2
for name in web mail; do service $name 2 gzip; done
expect_code 0 drover prefetch --json -f compose.yml
expect_json '.images | map(select(.reference | test("cache") | not)) | all(.state == "loaded" and .layers.sent == 1 and .layers.total == 3)'
expect_json '.bytes.fetched < 100000'
[[ $(engine_run "$registry/web:2") == "web 2 amd64" ]] || fail "the new version does not run"

say "a moved tag is an update"
export VERSION=1
service web 3 gzip
skopeo --insecure-policy copy --quiet --all --dest-tls-verify=false "oci:layout:web:3" "docker://$registry/web:1"
expect_code 10 drover check --json --exit-code -f compose.yml
expect_json '.images | map(select(.reference | test("web")))[0].state == "update"'
expect_json '.images | map(select(.reference | test("mail")))[0].state == "current"'

say "a platform that nobody made"
expect_code 15 drover pull --platform linux/riscv64 "$registry/web:1"
grep -q 'linux/riscv64' err && grep -q 'linux/arm64' err || { cat err; fail "the message does not name the platforms"; }

say "an image that does not exist does not keep the others from being fetched"
expect_code 5 drover prefetch --json "$registry/nothing:1" "$registry/mail:2"
expect_json '.images | map(select(.reference | test("mail")))[0].state == "present"'

say "benchmarks: what is loaded goes again, on a base that others stand on; what the engine has is refused; nothing is left behind"
service extra 1 gzip
engine_images() { docker_get "/images/json?all=1" | jq -c '[.[] | {Id, RepoTags, RepoDigests}] | sort'; }
engine_images >before
export TMPDIR=$PWD/tmp
mkdir "$TMPDIR"
expect_code 0 drover bench pull --json --repeat 1 "$registry/extra:1"
expect_json '.bytes > 2000000 and (.tools[] | select(.tool == "drover" or .tool == "curl") | .seconds > 0)'
expect_json '.tools | map(select(.tool == "curl" and .error != null)) | length == 0'
expect_code 0 drover pull -q "$registry/extra:1"
expect_code 0 drover bench load --json --repeat 2 "$registry/extra:1"
expect_json '.tools[0].all | length == 2'
expect_code 13 drover bench load "$registry/web:1"
expect_code 13 drover bench load --dry-run "$registry/mail:1"
engine_images | diff before - || fail "the engine has not what it had"
[[ $(engine_run "$registry/mail:1") == "mail 1 amd64" ]] || fail "an image that shares its base does not run any more"
[[ -z $(ls "$TMPDIR") ]] || fail "left behind: $(ls "$TMPDIR")"
