# The short way to everything; each line can be typed by hand. Packages: packages.txt.
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
ARGS ?=
export CTEST_PARALLEL_LEVEL ?= $(JOBS)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)

.PHONY: all drover check demo bench install package format dev asan tsan aarch64 packages clean

all: build/release/build.ninja
	cmake --build --preset release

# The program alone, without the tests.
drover: build/release/build.ninja
	cmake --build --preset release --target drover

build/release/build.ninja:
	cmake --preset release -D CMAKE_INSTALL_PREFIX=$(PREFIX)

# Every test that this machine can run, from a bare Debian on. The last run is the whole suite of the release build.
check: packages
	tools/check.sh

demo: packages-demo drover
	tools/demo.sh $(ARGS)

bench: packages-bench all
	cmake --preset release
	cmake --build --preset release --target benches
	for bench in build/release/bench/*_bench; do $$bench --benchmark_min_time=0.2 || exit 1; done
	OPENSSL_ia32cap=:~0x20000000 build/release/bench/sha256_bench --benchmark_min_time=0.2 --benchmark_filter='openssl|avx2'
	tools/bench.sh $(ARGS)

install: all
	cmake --install build/release --prefix $(PREFIX)

package: all
	cd build/release && cpack -G DEB

format:
	git ls-files '*.h' '*.cc' | xargs clang-format -i

dev asan tsan aarch64:
	cmake --workflow --preset $@

packages:
	tools/install-packages.sh build test

packages-demo:
	tools/install-packages.sh build demo

packages-bench:
	tools/install-packages.sh build demo bench

clean:
	rm -rf build
