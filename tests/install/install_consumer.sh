#!/usr/bin/env bash
# install_consumer.sh BUILD_FOLDER SCRATCH_FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1 scratch=$2/try
fail() { echo "install_consumer: $*" >&2; exit 1; }

rm -rf "$scratch"
mkdir -p "$scratch"
cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/log" || { tail -20 "$scratch/log"; fail "cmake --install failed"; }
for file in bin/drover share/man/man1/drover.1 share/man/man1/drover-prefetch.1 share/bash-completion/completions/drover \
  share/zsh/vendor-completions/_drover share/fish/vendor_completions.d/drover.fish share/doc/drover/LICENSE \
  include/drover/registry/client.h include/drover/engine/client.h include/drover/stack/prefetch.h; do
  [[ -s $scratch/prefix/$file ]] || fail "$file is not installed, or empty"
done
# Nothing that is installed may point back at the tree that it was built from.
tree=$(cd "$here/../.." && pwd)
grep -rlF "$tree" "$scratch/prefix/lib" --include='*.cmake' && fail "the package configuration names the source tree"
"$scratch/prefix/bin/drover" --version | grep -q '^drover [0-9]' || fail "the installed binary does not say its version"
for shell in bash zsh fish; do
  command -v "$shell" >/dev/null || continue
  case $shell in
    bash) bash -n "$scratch/prefix/share/bash-completion/completions/drover" ;;
    zsh) zsh -n "$scratch/prefix/share/zsh/vendor-completions/_drover" ;;
    fish) fish -n "$scratch/prefix/share/fish/vendor_completions.d/drover.fish" ;;
  esac || fail "the $shell completion has a syntax error"
done

# A sanitized library needs a sanitized program.
sanitize=$(sed -n 's/^DROVER_SANITIZE:[A-Z]*=//p' "$build/CMakeCache.txt")
cmake -S "$here/consumer" -B "$scratch/build" -G Ninja -D CMAKE_PREFIX_PATH="$scratch/prefix" -D CMAKE_BUILD_TYPE=Release \
  ${sanitize:+-D CMAKE_CXX_FLAGS=-fsanitize=$sanitize} >"$scratch/log" 2>&1 || { tail -20 "$scratch/log"; fail "find_package(drover) failed"; }
cmake --build "$scratch/build" >"$scratch/log" 2>&1 || { tail -40 "$scratch/log"; fail "the consumer does not build"; }
said=$("$scratch/build/consumer" memcached:1.6 "$scratch/store")
[[ $said == "docker.io/library/memcached:1.6 1 service, 0 tags" ]] || fail "the consumer said: $said"
# The example, as it would be built by somebody who copied it; tests/integration runs it on an engine.
cp -r "$tree/examples/run_container" "$scratch/example"
cmake -S "$scratch/example" -B "$scratch/example/build" -G Ninja -D CMAKE_PREFIX_PATH="$scratch/prefix" -D CMAKE_BUILD_TYPE=Release \
  ${sanitize:+-D CMAKE_CXX_FLAGS=-fsanitize=$sanitize} >"$scratch/log" 2>&1 || { tail -20 "$scratch/log"; fail "the example's find_package failed"; }
cmake --build "$scratch/example/build" >"$scratch/log" 2>&1 || { tail -40 "$scratch/log"; fail "the example does not build"; }
code=0
said=$(DOCKER_HOST=unix://$scratch/none "$scratch/example/build/run_container" an:image true 2>&1) || code=$?
[[ $code == 125 && $said == *"no answer from the engine at unix://$scratch/none (DOCKER_HOST)"* ]] || fail "the example said: $said"
if cmake -S "$here/consumer" -B "$scratch/wrong" -G Ninja -D CMAKE_PREFIX_PATH="$scratch/prefix" -D COMPONENTS=teapot >"$scratch/log" 2>&1; then
  fail "a component that does not exist was found"
fi
