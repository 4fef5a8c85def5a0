// What the rounds of a benchmark came to: medians and ratios as a table and as JSON. Pure.
#pragma once

#include "base/error.h"
#include "cli/render.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::cli {

// The middle one, of an even number the mean of the two in the middle; nothing of none.
std::optional<double> median(std::vector<double> values);

// A tool and its rounds. What fails has no further rounds.
struct BenchRow {
  std::string tool;             // "drover", "skopeo"
  std::vector<double> seconds;  // of each good round, in order
  std::optional<Error> failure = {};
  std::string note = {};  // what makes it differ: "does not verify"
};

// `bytes` were to be moved or hashed in each round; the first row is drover's, which the others are compared with.
struct BenchTable {
  std::uint64_t bytes = 0;
  std::vector<BenchRow> rows;
};

// [{"tool","seconds","all":[],"bytesPerSecond","droverToTool","note","error"}]: medians in `seconds` and below it, null where no
// round was good.
Json tools_json(const BenchTable& table);
// "drover takes 0.42x of it" with every tool but drover's own row.
std::string tools_text(const BenchTable& table);

// "1981 MB/s".
std::string rate_text(double bytes_per_second);
// "1.02x".
std::string ratio_text(double ratio);

}  // namespace drover::cli
