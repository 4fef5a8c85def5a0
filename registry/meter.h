// Counts what a client did; shared by its parts.
#pragma once

#include "registry/client.h"

#include <atomic>
#include <cstdint>

namespace drover::registry {

struct Meter {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> retries{0};

  Counters counters() const { return {.requests = requests.load(), .bytes = bytes.load(), .retries = retries.load()}; }
};

}  // namespace drover::registry
