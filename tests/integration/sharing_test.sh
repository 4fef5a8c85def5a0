#!/usr/bin/env bash
# Two processes pull the same image into one store: both succeed, and each blob crosses the network once.
source "$(dirname "$0")/expect.sh"

size=20000000
simple_image layout same:1 $size 20 tar
push layout same:1
total=$(find layout/blobs -type f -size +100k -printf '%s\n' | awk '{s += $1} END {print s}')

for round in 1 2 3; do
  rm -rf store
  "$DROVER" pull --platform all --limit-rate 60M --json "$registry/same:1" >one 2>one.err &
  first=$!
  "$DROVER" pull --platform all --limit-rate 60M --json "$registry/same:1" >two 2>two.err &
  second=$!
  wait $first || { cat one.err; fail "the first run failed"; }
  wait $second || { cat two.err; fail "the second run failed"; }
  fetched=$(jq -s 'map(.bytes.fetched + .bytes.wasted) | add' one two)
  say "round $round: $fetched bytes fetched by both, $total in all"
  ((fetched < total + total / 50)) || fail "blobs were fetched twice"
  expect_code 0 drover verify
done

say "one of them is killed, the other takes over"
rm -rf store
"$DROVER" pull --platform all --limit-rate 20M --json "$registry/same:1" >one 2>one.err &
first=$!
sleep 0.5
"$DROVER" pull --platform all --json "$registry/same:1" >two 2>two.err &
second=$!
sleep 0.3
kill -9 $first
wait $first 2>/dev/null || true
wait $second || { cat two.err; fail "the second run failed"; }
expect_code 0 drover verify
