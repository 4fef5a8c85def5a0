// How fast is one stream of SHA-256 in each row, beside OpenSSL's? 256 KiB at a time, in cache, as the transfer hashes its buffers.
#include "digest/sha256.h"
#include "digest/sha256_backend.h"

#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <array>
#include <vector>

namespace {

constexpr std::size_t piece_bytes = 256U << 10U;

void drover_sha256(benchmark::State& state) {
  const std::vector<std::byte> bytes(piece_bytes, std::byte{0x5A});
  drover::Sha256 hash;
  for (auto _ : state) hash.update(bytes);
  state.SetBytesProcessed(static_cast<std::int64_t>(piece_bytes) * state.iterations());
  state.SetLabel(std::string(drover::sha256_backend_name()));
}

void openssl_evp(benchmark::State& state) {
  const std::vector<std::byte> bytes(piece_bytes, std::byte{0x5A});
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  for (auto _ : state) EVP_DigestUpdate(context, bytes.data(), bytes.size());
  EVP_MD_CTX_free(context);
  state.SetBytesProcessed(static_cast<std::int64_t>(piece_bytes) * state.iterations());
}

}  // namespace

BENCHMARK(drover_sha256);
BENCHMARK(openssl_evp);
BENCHMARK_MAIN();
