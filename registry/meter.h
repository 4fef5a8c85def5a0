// Counts what a client did; shared by its parts.
#pragma once

#include "registry/client.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace drover::registry {

struct Meter {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> retries{0};

  void note_tagged_manifest(const std::string& registry) {
    const std::lock_guard lock(mutex_);
    ++tagged_manifests_[registry];
  }
  std::uint64_t tagged_manifests(const std::string& registry) const {
    const std::lock_guard lock(mutex_);
    const auto found = tagged_manifests_.find(registry);
    return found == tagged_manifests_.end() ? 0 : found->second;
  }

  Counters counters() const { return {.requests = requests.load(), .bytes = bytes.load(), .retries = retries.load()}; }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> tagged_manifests_;  // sent for a tag, by registry
};

}  // namespace drover::registry
