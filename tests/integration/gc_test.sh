#!/usr/bin/env bash
# What drover gc keeps and removes on a real engine: everything goes by the plan, nothing that somebody uses or owns is lost.
source "$(dirname "$0")/expect.sh"

socket=${engine#unix://}
get() { curl -fsS --unix-socket "$socket" "http://engine$1"; }
post() { curl -fsS --unix-socket "$socket" -X POST -H 'Content-Type: application/json' -d "${2:-}" "http://engine$1"; }
remove() { curl -fsS --unix-socket "$socket" -X DELETE "http://engine$1"; }
gc() { drover gc "$@"; }

layout_begin layout
layout_busybox amd64 busybox-amd64 "$PWD/cache" || { echo "skipped: Debian's busybox-static cannot be fetched"; exit 77; }
mkdir -p base/bin && cp busybox-amd64 base/bin/busybox && ln -sf busybox base/bin/sh
base=$(layout_layer layout base gzip)

# image NAME VERSION: the base, and 200 kB of its own; one digest a version.
image() {
  random_tree "tree-$1-$2" 200000 "$(cksum <<<"$1$2" | cut -c1-6)"
  layout_index layout "$1:$2" "$(layout_manifest layout amd64 '{"Cmd":["/bin/busybox","sleep","1000"]}' "$base" "$(layout_layer layout "tree-$1-$2" gzip)")"
  push layout "$1:$2"
}
# pull NAME VERSION [TAG]: into the engine, by way of drover.
pull() { drover prefetch --progress none -q "$registry/$1:$2" >id; }
image_id() { get "/images/$registry/$1/json" | jq -r .Id; }
has_image() { get "/images/$1/json" >one 2>/dev/null; }
has_volume() { get "/volumes/$1" >one 2>/dev/null; }

# create IMAGE NAME [LABELS] [MOUNTS] [VOLUMES]: a container's ID.
create() {
  post "/containers/create?name=$2" "$(jq -cn --arg image "$registry/$1" --argjson labels "${3:-{\}}" --argjson mounts "${4:-[]}" --argjson volumes "${5:-{\}}" \
    '{Image: $image, Labels: $labels, Volumes: $volumes, HostConfig: {NetworkMode: "none", Mounts: $mounts}}')" | jq -r .Id
}
labels() { jq -cn --arg p "$1" --arg s "$2" '{"com.docker.compose.project": $p, "com.docker.compose.service": $s}'; }
mount() { jq -cn --arg v "$1" '[{Type: "volume", Source: $v, Target: "/data"}]'; }
removed() { jq -r '.remove[] | .names[0] // .id' out | sort; }

for version in 1 2 3 4; do image app $version; done
image web 1
image other 1
image stopped 1

# apply IMAGE: a container uses it while drover looks, so that it is prefetched no more.
apply() {
  local id
  id=$(create "$1" once)
  expect_code 0 gc networks
  remove "/containers/$id"
}

say "images: in use, stopped, the last two of a repository, pinned, prefetched; the rest goes"
for version in 1 2 3 4; do
  pull app $version
  sleep 1.1  # drover remembers seconds
done
pull web 1 && pull other 1 && pull stopped 1
up=$(create app:2 app)
post "/containers/$up/start"
create stopped:1 stopped >id
expect_code 0 drover pin "$registry/web:1"
expect_code 0 gc images --json --min-age 0
expect_json '.remove == []'  # prefetched, and not applied yet
for name in app:1 app:3 app:4 web:1 other:1; do apply "$name"; done
expect_code 0 gc images --json
expect_json '.remove == [] and all(.keep[]; .reason | length > 0)'  # all are young
expect_code 0 gc images --json --min-age 0
removed >got
printf '%s\n' "$registry/app:1" "$registry/other:1" | diff - got || fail "other images would go"
expect_json '.bytes >= 400000 and .bytes < 1000000'  # the base stays; the containerd store has packed blobs as well
expect_code 0 gc images --min-age 0 --keep 1
grep -q "^remove image $registry/app:3" out || { cat out; fail "app:3 would stay although one is enough"; }
cp "$PWD/out" plan.txt

say "a plan is applied exactly, or not at all"
expect_code 0 gc images --json --min-age 0
cp out plan.json
late=$(create app:1 late)
expect_code 3 gc images --plan plan.json
grep -q 'no longer true.*late' err || { cat err; fail "the reason is not told"; }
has_image "$registry/other:1" || fail "something was removed"
remove "/containers/$late"
expect_code 0 gc images --plan plan.json --json
expect_json 'all(.outcomes[]; .state == "removed") and (.outcomes | length == 2)'
if get /info | jq -e 'any(.DriverStatus[]; .[1] == "io.containerd.snapshotter.v1")' >/dev/null; then
  say "(by the engine's own count $(jq .measuredBytes out) of $(jq .bytes out) bytes)"
else
  expect_json '.measuredBytes == .bytes'
fi
! has_image "$registry/app:1" || fail "app:1 is still there"
expect_code 0 gc images --plan plan.json  # once more: what is gone is gone
for kept in app:2 app:3 app:4 web:1 stopped:1; do has_image "$registry/$kept" || fail "$kept is gone"; done

say "an image of several names goes, one that loses its name by a retag, too"
pull other 1
apply other:1
post "/images/$registry/other:1/tag?repo=again&tag=1" && post "/images/$registry/other:1/tag?repo=$registry/other&tag=2"
dangling=$(image_id web:1)
post "/images/$registry/stopped:1/tag?repo=$registry/web&tag=1"
expect_code 0 gc images --min-age 0 --apply --json
! has_image again:1 || fail "again:1 is still there"
expect_json --arg id "$dangling" 'any(.keep[]; .id == $id and (.reason | startswith("one of the last 2 of")))'  # drover remembers its name
expect_code 0 gc images --min-age 0 --keep 1 --apply --json
! has_image "$dangling" || fail "the dangling image is still there"
has_image "$registry/stopped:1" || fail "stopped:1 is gone"

say "after compose down nothing of the project goes"
post /volumes/create "{\"Name\":\"mail_data\",\"Labels\":$(labels mail db)}" >id
post /networks/create "{\"Name\":\"mail_default\",\"Labels\":$(labels mail db)}" >id
mail=$(create web:1 mail-db-1 "$(labels mail db)" "$(mount mail_data)" '{"/anonymous": {}}')
post "/containers/$mail/start"
anonymous=$(get "/containers/$mail/json" | jq -r '.Mounts[] | select(.Destination == "/anonymous") | .Name')
expect_code 0 gc all --json --min-age 0
post "/containers/$mail/kill"
remove "/containers/$mail"
remove /networks/mail_default
expect_code 13 gc all --min-age 0 --apply
grep -q 'project mail is down' err || { cat err; fail "the refusal does not name the project"; }
has_volume mail_data && has_volume "$anonymous" || fail "a volume of the project is gone"
has_image "$registry/web:1" || fail "the project's image is gone"
# Known by the ledger alone: the volume's label could be of any tool, the anonymous one has none.
expect_code 13 gc volumes --min-age 0 --json
expect_json --arg v "$anonymous" 'any(.refused[]; .id == $v and (.reason | contains("project mail")))'

say "an anonymous volume of a removed container goes after its grace, not before"
mail=$(create web:1 mail-db-1 "$(labels mail db)" "$(mount mail_data)")
post "/containers/$mail/start"
plain=$(create web:1 plain '{}' '[]' '{"/anonymous": {}}')
loose=$(get "/containers/$plain/json" | jq -r '.Mounts[0].Name')
expect_code 0 gc volumes --min-age 0 --json
expect_json --arg v "$loose" 'any(.keep[]; .id == $v and (.reason | contains("plain")))'
remove "/containers/$plain"
expect_code 0 gc volumes --json
expect_json --arg v "$loose" 'any(.keep[]; .id == $v and (.reason | startswith("younger")))'
expect_code 0 gc volumes --min-age 0 --apply --json
expect_json --arg v "$loose" '.remove | length == 1 and .[0].id == $v'
! has_volume "$loose" || fail "it is still there"
has_volume "$anonymous" && has_volume mail_data || fail "an owned volume is gone"

say "a named volume goes by name, archived, and comes back as it was"
post /volumes/create '{"Name":"files","Labels":{"note":"mine"}}' >id
folder=$(get /volumes/files | jq -r .Mountpoint)
mkdir -p "$folder/d/deep"
echo hello >"$folder/a" && ln "$folder/a" "$folder/hard" && ln -s a "$folder/sym" && mkfifo "$folder/pipe"
head -c 300000 /dev/urandom >"$folder/d/deep/na$(printf '\303\257')ve"
chown 12:34 "$folder/a" "$folder/d" && chmod 640 "$folder/a" && chmod 1777 "$folder" && touch -d 2001-02-03T04:05:06Z "$folder/a"
python3 -c 'import os, sys; os.setxattr(sys.argv[1] + "/a", "user.note", b"hi")' "$folder" 2>/dev/null || say "(no user attributes on this disk)"
tree() { (cd "$1" && find . ! -name pipe -printf '%P %y %m %U:%G %T@ %l\n' | sed 's/\.[0-9]* / /' | sort &&
  find . -type f -exec sha256sum {} + | sort -k2 && python3 -c 'import os
for root, folders, files in sorted(os.walk(".")):
    for name in sorted(folders + files):
        path = os.path.join(root, name)
        if not os.path.islink(path): print(path, [(key, os.getxattr(path, key)) for key in os.listxattr(path)])'); }
tree "$folder" >before
expect_code 13 gc volumes --volume mail_data --apply
expect_code 2 gc volumes --volume filez --apply
grep -q 'did you mean files' err || { cat err; fail "no word of what was meant"; }
expect_code 0 gc volumes --volume files --archive archive --apply --json
archive=$(jq -r '.outcomes[0].archive' out)
[[ -s $archive ]] || fail "no archive"
! has_volume files || fail "it is still there"
tar --zstd -tf "$archive" >listing && grep -qx './d/deep/' listing || fail "tar cannot read the archive"
expect_code 0 gc restore "$archive"
folder=$(get /volumes/files | jq -r .Mountpoint)
tree "$folder" >after
diff before after || fail "it did not come back as it was"
[[ $(get /volumes/files | jq -r .Labels.note) == mine ]] || fail "the label is lost"
expect_code 3 gc restore "$archive"
expect_code 0 gc restore "$archive" --volume twin
has_volume twin || fail "no twin"
[[ $(get "/containers/json?all=1" | jq 'map(select(.Labels["io.github.drover.volume"])) | length') == 0 ]] || fail "a helper is left"

say "an owned one only by force; a project is forgotten only when it has nothing"
expect_code 13 gc forget mail
post "/containers/$mail/kill" && remove "/containers/$mail"
expect_code 13 gc volumes --named --project mail --apply
expect_code 0 gc volumes --named --project mail --force --apply --json
expect_json '.outcomes[0].state == "removed" and (.outcomes[0].archive | contains("mail_data"))'
expect_code 2 gc volumes --named --project mial --apply
expect_code 13 gc volumes --min-age 0 --apply
remove "/volumes/$anonymous"
expect_code 0 gc forget mail
expect_code 0 gc volumes --min-age 0

say "killed in the middle, then again: the planned state"
for i in 1 2 3 4 5 6; do post /volumes/create "{\"Name\":\"many$i\"}" >id && head -c 3000000 /dev/urandom >"$(get "/volumes/many$i" | jq -r .Mountpoint)/data"; done
words=() && for i in 1 2 3 4 5 6; do words+=(--volume "many$i"); done
expect_code 0 gc volumes "${words[@]}" --json
cp out plan.json
"$DROVER" gc volumes --plan plan.json --archive archive >out 2>err &
pid=$!
while has_volume many1 && kill -0 $pid 2>/dev/null; do :; done
kill -9 $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
expect_code 0 gc volumes --plan plan.json --archive archive
for i in 1 2 3 4 5 6; do
  ! has_volume "many$i" || fail "many$i is still there"
  compgen -G "archive/many$i-*.tar.zst" >/dev/null || fail "many$i has no archive"
done
[[ $(get "/containers/json?all=1" | jq 'map(select(.Labels["io.github.drover.volume"])) | length') == 0 ]] || fail "a helper is left"

say "one removes at a time, and never while images are brought in"
exec {hold}>state/engine.lock
flock -s "$hold"
expect_code 14 gc all --apply
expect_code 0 gc all
flock -u "$hold"
flock -x "$hold"
expect_code 14 drover prefetch "$registry/other:1"
exec {hold}>&-

say "a damaged ledger is no empty one"
truncate -s -3 state/ledger
expect_code 13 gc all --apply --min-age 0
grep -q "state/ledger" err || { cat err; fail "the file is not named"; }
expect_code 0 drover check "$registry/other:1"
