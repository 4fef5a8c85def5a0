// How fast each row hashes on this machine now, beside the system library: what people compare, where sha256_figures.h is what
// the choice of rows goes by.
#pragma once

#include "base/context.h"
#include "digest/sha256_backend.h"

#include <chrono>
#include <string>
#include <vector>

namespace drover {

// A contestant's rates, one a round, in bytes a second of all of its lanes together.
struct Sha256Rates {
  const Sha256Backend* row = nullptr;  // null: OpenSSL's EVP, one stream
  std::vector<double> bytes_per_second;
};

// Every row and OpenSSL's EVP in turn, `rounds` times, each time for an equal share of `time`, over 64 KiB a lane as transfers
// hash their buffers. In the order of `rows`, OpenSSL last; without it in a build that does without the library. Each turn runs
// at least once, however short its share. On the calling thread. Throws interrupted.
std::vector<Sha256Rates> measure_sha256_rates(const Context& ctx, const std::vector<const Sha256Backend*>& rows,
                                              std::chrono::nanoseconds time, unsigned rounds);

// "OpenSSL 3.0.17 1 Jul 2025", as the library names itself; empty in a build without it.
std::string openssl_version();

}  // namespace drover
