// What a benchmark of pulls takes from the network, told before it begins. Pure.
#pragma once

#include "cli/render.h"
#include "registry/client.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::cli {

struct PullCost {
  std::uint64_t bytes = 0;  // of all images, each blob once
  std::size_t rounds = 0;
  std::vector<std::string> tools;                // drover among them
  std::size_t hub_images = 0;                    // of Docker Hub's, which counts pulls
  std::optional<registry::RateLimit> hub_limit;  // as Docker Hub told it last

  std::uint64_t bytes_total() const { return bytes * rounds * tools.size(); }

  // One for each image, round and tool that asks what a tag means: all but curl, which is told.
  std::uint64_t hub_pulls() const;
};

// Throws refused when Docker Hub has fewer pulls left than that.
void require_quota(const PullCost& cost);

std::string to_text(const PullCost& cost);
// {"bytes","repeat","tools":[],"bytesTotal","dockerHub":{"pulls","limit","remaining"}}
Json cost_json(const PullCost& cost);

}  // namespace drover::cli
