#!/usr/bin/env bash
# Every function of the Engine API client, once, on a real engine; and docs/engine-api.md names them all.
source "$(dirname "$0")/expect.sh"

say "the table in docs/engine-api.md and the program name the same calls"
"$ENGINE_CALLS" --list | cut -f2 | sort -u >called
sed -n 's/^| [^|]* | `\([A-Za-z_]*\)`.*/\1/p' "$integration/../../docs/engine-api.md" | sort -u >documented
diff called documented >&2 || fail "not the same calls"

say "an image of Debian's busybox"
layout_busybox amd64 busybox "$PWD/cache" || { echo "skipped: Debian's busybox-static cannot be fetched"; exit 77; }
mkdir -p root/bin root/tmp
mv busybox root/bin/busybox
for applet in sh sleep true touch cat; do ln -s busybox "root/bin/$applet"; done
tar -C root --owner=0 --group=0 -cf root.tar .

say "every call"
"$ENGINE_CALLS" root.tar "$registry" || fail "a call failed"

say "the example: a container's output and exit code"
curl -fsS --unix-socket "${engine#unix://}" -X POST -T root.tar "http://engine/images/create?fromSrc=-&repo=example&tag=1" >/dev/null
expect_code 4 "$RUN_CONTAINER" example:1 sh -c 'echo out; echo err >&2; exit 4'
[[ $(cat out) == out ]] || fail "standard output: $(cat out)"
grep -qx err err || fail "standard error: $(cat err)"
[[ $(curl -fsS --unix-socket "${engine#unix://}" 'http://engine/containers/json?all=1') == "[]" ]] || fail "the example left its container behind"
expect_code 125 "$RUN_CONTAINER" drover.invalid/none:1 true
grep -q "No such image" err || fail "the reason is missing: $(cat err)"
