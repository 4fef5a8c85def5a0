#!/usr/bin/env bash
# Damage is found and mended; wrong bytes from the registry never get under a right name.
source "$(dirname "$0")/expect.sh"

simple_image layout hurt:1 3000000 40 gzip
push layout hurt:1
expect_code 0 drover pull --platform all "$registry/hurt:1"
expect_code 0 drover verify --json

flip() {  # flip FILE OFFSET: one bit
  local byte
  chmod u+w "$1"
  byte=$(od -An -tu1 -j"$2" -N1 "$1" | tr -d ' ')
  printf "\\x$(printf %02x $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

say "a flipped bit, a cut blob, a missing blob: found by verify, mended by verify --repair"
mapfile -t blobs < <(find store/blobs -type f -size +1000k | sort)
((${#blobs[@]} >= 2)) || fail "the image has no large blobs"
flip "${blobs[0]}" 500000
chmod u+w "${blobs[1]}"
truncate -s -7 "${blobs[1]}"
small=$(find store/blobs -type f -size -400k -size +200k | head -1)
rm -f "$small"
expect_code 1 drover verify --json
expect_json "[.. | strings] | any(. == \"sha256:$(basename "${blobs[0]}")\")"
expect_json "[.. | strings] | any(. == \"sha256:$(basename "${blobs[1]}")\")"
expect_json "[.. | strings] | any(. == \"sha256:$(basename "$small")\")"
expect_code 0 drover verify --repair
expect_code 0 drover verify
for blob in "${blobs[@]}" "$small"; do
  cmp "$blob" "layout/blobs/sha256/$(basename "$blob")" || fail "$blob was not mended"
done

say "the registry's own copy is damaged: never committed, and the error names the blob"
rm -rf store
digest=$(basename "${blobs[0]}")
data=$DROVER_TEST_FOLDER/../registry/docker/registry/v2/blobs/sha256/${digest:0:2}/$digest/data
[[ -e $data ]] || fail "the registry keeps its blobs elsewhere: $data"
flip "$data" 500000
expect_code 1 drover pull --platform all "$registry/hurt:1"
grep -q "$digest" err || { cat err; fail "the message does not name the blob"; }
[[ ! -e store/blobs/sha256/$digest ]] || fail "wrong bytes lie under a right name"
! grep -q hurt:1 store/index.json || fail "the tag is set"
flip "$data" 500000
expect_code 0 drover pull --platform all "$registry/hurt:1"
expect_code 0 drover verify
