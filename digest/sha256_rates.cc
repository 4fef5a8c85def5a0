#include "digest/sha256_rates.h"

#include "base/error.h"

#if DROVER_OPENSSL
#include <openssl/crypto.h>
#include <openssl/evp.h>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace drover {
namespace {

constexpr std::size_t lane_bytes = 64U << 10U;
constexpr std::size_t block_bytes = 64;

// Each lane's start in another set of the first cache.
class Buffers {
 public:
  Buffers() {
    for (std::size_t i = 0; i < lanes_.size(); ++i) lanes_[i] = {words_[i].data(), bytes_.data() + i * stride};
  }

  const Sha256Lane* lanes() const { return lanes_.data(); }

  const std::uint8_t* bytes() const { return bytes_.data(); }

 private:
  static constexpr std::size_t stride = lane_bytes + block_bytes;
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(stride * sha256_lanes_max, 0x5A);
  std::array<std::array<std::uint32_t, 8>, sha256_lanes_max> words_{};
  std::array<Sha256Lane, sha256_lanes_max> lanes_{};
};

// `hash` until `time` is over; `bytes` is what one call takes in.
template <typename Hash> double rate_of(std::size_t bytes, std::chrono::nanoseconds time, Hash hash) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  Clock::time_point now = begin;
  std::size_t calls = 0;
  do {
    hash();
    ++calls;
    now = Clock::now();
  } while (now - begin < time);
  return static_cast<double>(bytes * calls) / std::chrono::duration<double>(now - begin).count();
}

#if DROVER_OPENSSL

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

class Openssl {
 public:
  Openssl() : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
      throw Error(ErrorCode::failed, "OpenSSL offers no sha256");
    }
  }

  double rate(const Buffers& buffers, std::chrono::nanoseconds time) {
    return rate_of(lane_bytes, time, [&] { EVP_DigestUpdate(context_.get(), buffers.bytes(), lane_bytes); });
  }

 private:
  std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
};

#endif

}  // namespace

std::vector<Sha256Rates> measure_sha256_rates(const Context& ctx, const std::vector<const Sha256Backend*>& rows,
                                              std::chrono::nanoseconds time, unsigned rounds) {
  const Buffers buffers;
  std::vector<Sha256Rates> rates;
  for (const Sha256Backend* row : rows) rates.push_back({.row = row, .bytes_per_second = {}});
#if DROVER_OPENSSL
  Openssl openssl;
  rates.push_back({});
#endif
  const std::chrono::nanoseconds share = time / (rates.size() * rounds);
  for (unsigned round = 0; round < rounds; ++round) {
    for (Sha256Rates& each : rates) {
      ctx.check_stop();
#if DROVER_OPENSSL
      if (each.row == nullptr) {
        each.bytes_per_second.push_back(openssl.rate(buffers, share));
        continue;
      }
#endif
      each.bytes_per_second.push_back(
          rate_of(lane_bytes * each.row->lanes, share, [&] { each.row->compress(buffers.lanes(), lane_bytes / block_bytes); }));
    }
  }
  return rates;
}

std::string openssl_version() {
#if DROVER_OPENSSL
  return OpenSSL_version(OPENSSL_VERSION);
#else
  return {};
#endif
}

}  // namespace drover
