#!/usr/bin/env bash
# All tests: the portable core under ARM emulation, unit and module tests under the sanitizers, then everything in the
# release build: unit, module, layers, integration against a real registry and engine, and the installed package.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }
# Configure and build are told in full only when they fail.
quietly() {
  local log=build/check-step.log start=$SECONDS
  if ! "$@" >"$log" 2>&1; then cat "$log" >&2; exit 1; fi
  printf '   %s (%d s)\n' "$*" $((SECONDS - start))
}

mkdir -p build
step "release build"
quietly cmake --preset release
quietly cmake --build --preset release

step "aarch64 under emulation: digest and manifest"
quietly cmake --preset aarch64
quietly cmake --build --preset aarch64
ctest --preset aarch64

step "unit and module tests with address and undefined-behaviour sanitizers"
quietly cmake --preset asan
quietly cmake --build --preset asan --target unit_and_module_tests
ctest --preset asan

step "everything, release build"
ctest --preset release
