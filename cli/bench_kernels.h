// The SHA-256 rows of this CPU beside OpenSSL's EVP, as a table and as JSON. Pure.
#pragma once

#include "cli/render.h"
#include "cli/version.h"
#include "digest/sha256_rates.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace drover::cli {

struct KernelRate {
  const Sha256Backend* row = nullptr;  // null: OpenSSL's EVP
  double bytes_per_second = 0;         // median of the rounds, all lanes together
  std::optional<double> to_openssl;    // rate by rate; nothing without OpenSSL
};

struct KernelBench {
  std::string cpu;                // "AMD EPYC 9R14, AuthenticAMD 25-17-1"
  std::string openssl;            // its version; empty without it
  std::vector<KernelRate> rates;  // the rows in the order of the table, OpenSSL last
  Sha256ChoiceInUse in_use;
  Sha256Choice by_these;  // what would be chosen by these rates
};

// Every row has a rate in every round, and one row has one lane.
KernelBench bench_of(const std::vector<Sha256Rates>& rates, std::string cpu, std::string openssl,
                     const Sha256ChoiceInUse& in_use);

// Members "cpu", "openssl", "kernels", "byStreams", "figures", "byTheseFigures" of the document.
Json kernels_json(const KernelBench& bench);
std::string kernels_text(const KernelBench& bench);

}  // namespace drover::cli
