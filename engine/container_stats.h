// What a container uses: processor time, memory, network, block devices. GET /containers/{id}/stats. Values; errors are the
// Client's.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/timestamp.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace drover::engine {

// Counters since the container's start, but for memory and processes, which are as of now.
struct ContainerStats {
  std::optional<Timestamp> read = {};          // nothing when the container does not run
  std::chrono::nanoseconds cpu_total{0};       // of all its processors together
  std::chrono::nanoseconds cpu_kernel{0};
  std::chrono::nanoseconds cpu_user{0};
  std::chrono::nanoseconds system_total{0};    // of the machine, all processors, idle time included
  std::int64_t online_cpus = 0;
  std::int64_t memory_used_bytes = 0;          // with the page cache
  std::int64_t memory_cache_bytes = 0;         // of it, what the kernel would give back first (inactive_file)
  std::int64_t memory_limit_bytes = 0;
  std::int64_t processes = 0;                  // and threads
  struct Traffic {
    std::int64_t received_bytes = 0;
    std::int64_t sent_bytes = 0;
  };
  std::map<std::string, Traffic> networks = {};  // by interface: "eth0"
  std::int64_t block_read_bytes = 0;
  std::int64_t block_write_bytes = 0;
};

// Of one processor between two readings, as `docker stats` shows it: 1.0 is one processor busy all the time. Nothing when the
// readings lie too near together, or are not of one run of the container.
std::optional<double> cpu_share(const ContainerStats& before, const ContainerStats& after);

// One reading, at once: `one-shot` from API 1.41 on; earlier engines take a second or two.
ContainerStats read_container_stats(const Context& ctx, Client& client, std::string_view container);
// A reading a second, until `on_stats` returns false, ctx.stop, or the container is removed.
void follow_container_stats(const Context& ctx, Client& client, std::string_view container,
                            const std::function<bool(const ContainerStats&)>& on_stats);

// Pure; absent and null members are fine. Both generations of cgroups.
ContainerStats parse_container_stats(const nlohmann::json& answer);

}  // namespace drover::engine
