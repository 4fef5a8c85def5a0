#!/usr/bin/env bash
# kill -9 at swept points of a pull: the next run continues, fetches hardly anything twice, and ends with the same bytes.
source "$(dirname "$0")/expect.sh"

size=50000000
layout_begin layout
simple_image layout big:1 $size 10 tar
push layout big:1

kills=0
lost_max=0
for point in 5 15 30 45 60 75 90; do
  # The run is killed once this many percent have come; the events say so.
  "$DROVER" pull --insecure-registry "$registry" --platform linux/amd64 --limit-rate 40M --progress json --json "$registry/big:1" >report 2>events &
  pid=$!
  for _ in {1..200}; do
    sleep 0.02
    done=$(jq -rs 'map(select(.total != null and .total > 1000000) | .done // 0) | max // 0' events 2>/dev/null || echo 0)
    ((done * 100 >= size * point)) && break
    kill -0 $pid 2>/dev/null || break
  done
  if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
  wait $pid 2>/dev/null || true
  # A run that was just through may have set the tag; then everything must be there.
  [[ ! -e store/index.json ]] || ! grep -q big:1 store/index.json || drover verify -q || fail "the tag is there before the blobs are"
  say "killed at $point %: $done bytes had come"
done
((kills >= 6)) || fail "only $kills runs were killed: nothing was tested"

expect_code 0 drover pull --insecure-registry "$registry" --platform linux/amd64 --json "$registry/big:1"
expect_json '.images[0].digest != null'
# What the killed runs recorded was taken over: the last was killed at 90 %, less buffers of at most 16 MiB.
resumed=$(jq '.bytes.resumed + .bytes.reused' out)
((resumed >= size * 90 / 100 - 17000000)) || fail "only $resumed bytes were taken over"
layer=$(jq -r '.manifests[0].digest' layout/index.json | cut -d: -f2)
amd64=$(jq -r '.manifests[] | select(.platform.architecture == "amd64").digest' "layout/blobs/sha256/$layer" | cut -d: -f2)
for digest in $(jq -r '.config.digest, .layers[].digest' "layout/blobs/sha256/$amd64" | cut -d: -f2); do
  cmp "layout/blobs/sha256/$digest" "store/blobs/sha256/$digest" || fail "blob $digest differs"
done
expect_code 0 drover verify
[[ -z $(find store/ingest -type f) ]] || fail "left behind: $(find store/ingest -type f)"

say "a second pull finds everything"
expect_code 0 drover pull --insecure-registry "$registry" --platform linux/amd64 --json "$registry/big:1"
expect_json '.bytes.fetched + .bytes.wasted < 20000'

say "the store is an OCI layout to other tools"
skopeo --insecure-policy copy --quiet --override-arch amd64 "oci:store:$registry/big:1" dir:elsewhere || fail "skopeo cannot read the store"
