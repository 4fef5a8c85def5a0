#!/usr/bin/env bash
# A disk that is too small is refused with the numbers; one that is full on the way is one clear line. Nothing is lost, the next run goes on.
source "$(dirname "$0")/expect.sh"
((EUID == 0)) || { echo "skipped: mounting a tmpfs needs root"; exit 77; }

simple_image layout disk:1 30000000 30 tar
push layout disk:1
mkdir -p small
# In a mount namespace of our own, so that nothing is left mounted whatever happens.
unshare --mount --propagation private true 2>/dev/null || { echo "skipped: no mount namespace may be made here"; exit 77; }
cat >inside.sh <<'SH'
set -euo pipefail
mount -t tmpfs -o size=20m tmpfs small
code=0
"$DROVER" --store small/store pull --platform linux/amd64 "$1/disk:1" >out 2>err || code=$?
((code == 3)) || { cat err; echo "exit code $code instead of 3"; exit 1; }
grep -q 'nothing was fetched: 2.* are free for the store .* are needed at least' err || { cat err; echo "the numbers are missing"; exit 1; }
rm -r small/store
# Room enough, and too few files: what no plan can see.
mount -o remount,size=200m,nr_inodes=13 small
code=0
"$DROVER" --store small/store pull --platform linux/amd64 --json "$1/disk:1" >out 2>err || code=$?
((code == 1)) || { cat err; echo "exit code $code instead of 1"; exit 1; }
grep -q 'No space left on device' err || { cat err; echo "the message does not say what is wrong"; exit 1; }
[[ $(grep -c . err) -ge 1 ]] && ! grep -qi 'terminate\|abort' err
"$DROVER" --store small/store ls --json >tags
[[ $(jq '[.. | strings | select(test("disk:1"))] | length' tags) == 0 ]] || { cat tags; echo "a tag names an incomplete image"; exit 1; }
mount -o remount,nr_inodes=10000 small
"$DROVER" --store small/store pull --platform linux/amd64 --json "$1/disk:1" >out 2>err || { cat err; exit 1; }
"$DROVER" --store small/store verify
SH
unshare --mount --propagation private bash inside.sh "$registry" || fail "see above"
