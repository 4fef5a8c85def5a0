#!/usr/bin/env bash
# Runs a command beside a registry and, if asked, an engine of its own; both end with it.
#
#   tests/integration/with_services.sh [--engine | --engine-if-possible] COMMAND [ARGUMENT…]
#
# The command sees DROVER_TEST_REGISTRY (HOST:PORT), DROVER_TEST_ENGINE (unix:///…, empty without one), and
# DROVER_TEST_FOLDER (a scratch folder on disk). Exit code: the command's; 77, with the reason, where a service cannot run.
set -euo pipefail
# shellcheck source=tests/integration/fixture.sh
source "$(dirname "$0")/fixture.sh"

engine_wish=none
case ${1:-} in
  --engine) engine_wish=needed; shift ;;
  --engine-if-possible) engine_wish=welcome; shift ;;
esac
(($# > 0)) || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }

fixture_begin
engine=""
registry_start 0 || { echo "skipped: no registry can be started (Debian package docker-registry)"; exit 77; }
if [[ $engine_wish != none ]] && ! engine_start engine; then
  [[ $engine_wish == welcome ]] || { echo "skipped: $engine_reason"; exit 77; }
  echo "without an engine: $engine_reason"
fi
export DROVER_TEST_REGISTRY=$registry DROVER_TEST_ENGINE=$engine DROVER_TEST_FOLDER=$fixture/scratch
mkdir "$DROVER_TEST_FOLDER"
code=0
"$@" || code=$?
exit "$code"
