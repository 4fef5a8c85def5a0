// How fast is SHA-256 in each row, by lanes and sizes, beside OpenSSL's? In cache, as the transfer hashes its buffers.
//
// With OPENSSL_ia32cap=:~0x20000000 OpenSSL does without SHA-NI, as it must on a CPU that avx2 x8 is for.
//
// After the rows: does a narrow row lose by running after a wide one? Registers whose upper halves stay dirty slow legacy SSE code,
// SHA-NI among it, up to 3.5 times. A loss of more than 5 % ends with exit code 1.
#include "digest/cpu_features.h"
#include "digest/sha256_backend.h"
#include "digest/sha256_lanes.h"

#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

namespace {

using drover::Sha256Backend;
using drover::Sha256Lane;

constexpr std::size_t block_bytes = 64;

// So many bytes a lane, each lane's start in another set of the first cache.
class Lanes {
 public:
  explicit Lanes(std::size_t bytes_a_lane) : stride_(bytes_a_lane + block_bytes), bytes_(stride_ * drover::sha256_lanes_max, 0x5A) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) lanes_[i] = {words_[i].data(), bytes_.data() + i * stride_};
  }
  const Sha256Lane* get() const { return lanes_.data(); }

 private:
  std::size_t stride_;
  std::vector<std::uint8_t> bytes_;
  std::array<std::array<std::uint32_t, 8>, drover::sha256_lanes_max> words_{};
  std::array<Sha256Lane, drover::sha256_lanes_max> lanes_{};
};

void row_by_itself(benchmark::State& state, const Sha256Backend& row) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const Lanes lanes(bytes);
  for (auto _ : state) row.compress(lanes.get(), bytes / block_bytes);
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes * row.lanes) * state.iterations());
}

// As callers have it: streams with some bytes ready each, on the rows that are chosen for them.
void chosen_for_streams(benchmark::State& state) {
  const auto streams = static_cast<std::size_t>(state.range(0));
  const auto bytes = static_cast<std::size_t>(state.range(1));
  const std::size_t stride = bytes + block_bytes;
  const std::vector<std::byte> buffer(stride * streams, std::byte{0x5A});
  std::vector<drover::Sha256> hashes(streams);
  std::vector<drover::Sha256Piece> pieces;
  for (std::size_t i = 0; i < streams; ++i) pieces.push_back({&hashes[i], std::span(buffer).subspan(i * stride, bytes)});
  const drover::Sha256Lanes lanes;
  for (auto _ : state) lanes.update(pieces);
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes * streams) * state.iterations());
}

void openssl_evp(benchmark::State& state) {
  const std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)), std::byte{0x5A});
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  for (auto _ : state) EVP_DigestUpdate(context, bytes.data(), bytes.size());
  EVP_MD_CTX_free(context);
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size()) * state.iterations());
}

std::string name_of(const Sha256Backend& row) { return std::string(row.name) + "_x" + std::to_string(row.lanes); }

void register_all(drover::CpuFeatures have) {
  benchmark::RegisterBenchmark("openssl_evp", openssl_evp)->Arg(1 << 10)->Arg(16 << 10)->Arg(64 << 10);
  for (const Sha256Backend& row : drover::sha256_backends) {
    if (!is_runnable(row, have)) continue;
    benchmark::RegisterBenchmark(name_of(row).c_str(), [&row](benchmark::State& state) { row_by_itself(state, row); })
        ->Arg(1 << 10)->Arg(16 << 10)->Arg(64 << 10);
  }
  auto* const chosen = benchmark::RegisterBenchmark("streams", chosen_for_streams);
  for (const int streams : {1, 2, 3, 4, 8, 12, 16, 24}) chosen->Args({streams, 64 << 10});
}

// The shortest run of `row` over 4 KiB a lane, each right after `before` over the same.
std::chrono::nanoseconds shortest_after(const Sha256Backend& before, const Sha256Backend& row) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t bytes = 4 << 10;
  static const Lanes lanes(bytes);
  auto shortest = std::chrono::nanoseconds::max();
  for (int i = 0; i < 4000; ++i) {
    before.compress(lanes.get(), bytes / block_bytes);
    const Clock::time_point start = Clock::now();
    row.compress(lanes.get(), bytes / block_bytes);
    shortest = std::min(shortest, std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start));
  }
  return shortest;
}

// Whether every narrow row takes the same time after a wide one as after portable code.
bool is_free_of_dirty_uppers(drover::CpuFeatures have) {
  constexpr double loss_max = 0.05;
  constexpr unsigned wide_from = 8;
  const Sha256Backend& portable = *std::prev(std::end(drover::sha256_backends));
  bool is_free = true;
  for (const Sha256Backend& wide : drover::sha256_backends) {
    for (const Sha256Backend& narrow : drover::sha256_backends) {
      if (!is_runnable(wide, have) || !is_runnable(narrow, have) || wide.lanes < wide_from || narrow.lanes >= wide_from) continue;
      const double clean = static_cast<double>(shortest_after(portable, narrow).count());
      const double loss = static_cast<double>(shortest_after(wide, narrow).count()) / clean - 1;
      std::cout << name_of(narrow) << " after " << name_of(wide) << ": " << static_cast<int>(loss * 1000) / 10.0 << " % slower\n";
      if (loss > loss_max) is_free = false;
    }
  }
  if (!is_free) std::cerr << "sha256_bench: a wide row leaves registers dirty, more than 5 % of a narrow one's speed are lost\n";
  return is_free;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const drover::CpuFeatures have = drover::cpu_features();
  register_all(have);
  benchmark::RunSpecifiedBenchmarks();
  return is_free_of_dirty_uppers(have) ? 0 : 1;
}
