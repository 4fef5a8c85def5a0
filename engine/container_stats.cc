#include "engine/container_stats.h"

#include "base/text.h"
#include "engine/json_fields.h"
#include "engine/json_stream.h"
#include "engine/query.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

constexpr ApiVersion one_shot_api{1, 41};

std::chrono::nanoseconds time_of(const nlohmann::json& object, const char* name) {
  return std::chrono::nanoseconds(number_member(object, name));
}

// cgroup v2 has "inactive_file", v1 its total over children.
std::int64_t cache_of(const nlohmann::json& stats) {
  return find_number_member(stats, "inactive_file").value_or(number_member(stats, "total_inactive_file"));
}

void add_block_io(const nlohmann::json& answer, ContainerStats& out) {
  for (const nlohmann::json& entry : items_member(member(answer, "blkio_stats"), "io_service_bytes_recursive")) {
    const std::string operation = to_lower(text_member(entry, "op"));  // "Read" under cgroup v1
    if (operation == "read") out.block_read_bytes += number_member(entry, "value");
    if (operation == "write") out.block_write_bytes += number_member(entry, "value");
  }
}

}  // namespace

ContainerStats parse_container_stats(const nlohmann::json& answer) {
  const nlohmann::json& cpu = member(answer, "cpu_stats");
  const nlohmann::json& usage = member(cpu, "cpu_usage");
  const nlohmann::json& memory = member(answer, "memory_stats");
  ContainerStats out;
  out.read = time_member(answer, "read");
  out.cpu_total = time_of(usage, "total_usage");
  out.cpu_kernel = time_of(usage, "usage_in_kernelmode");
  out.cpu_user = time_of(usage, "usage_in_usermode");
  out.system_total = time_of(cpu, "system_cpu_usage");
  out.online_cpus = number_member(cpu, "online_cpus");
  out.memory_used_bytes = number_member(memory, "usage");
  out.memory_cache_bytes = cache_of(member(memory, "stats"));
  out.memory_limit_bytes = number_member(memory, "limit");
  out.processes = number_member(member(answer, "pids_stats"), "current");
  if (const nlohmann::json& networks = member(answer, "networks"); networks.is_object()) {
    for (const auto& [name, traffic] : networks.items())
      out.networks[name] = {number_member(traffic, "rx_bytes"), number_member(traffic, "tx_bytes")};
  }
  add_block_io(answer, out);
  return out;
}

std::optional<double> cpu_share(const ContainerStats& before, const ContainerStats& after) {
  const auto used = after.cpu_total - before.cpu_total;
  const auto passed = after.system_total - before.system_total;
  const bool is_one_run = used.count() >= 0 && passed.count() > 0 && after.online_cpus > 0;
  if (!is_one_run) return std::nullopt;
  return static_cast<double>(used.count()) / static_cast<double>(passed.count()) * static_cast<double>(after.online_cpus);
}

ContainerStats read_container_stats(const Context& ctx, Client& client, std::string_view container) {
  Query query(object_path("containers", container, "stats"));
  query.set("stream", "0").flag("one-shot", client.api_version(ctx) >= one_shot_api);
  return parse_container_stats(client.get(ctx, query.path()));
}

void follow_container_stats(const Context& ctx, Client& client, std::string_view container,
                            const std::function<bool(const ContainerStats&)>& on_stats) {
  bool is_wanted = true;
  JsonStream stream([&](const nlohmann::json& object) { is_wanted = is_wanted && on_stats(parse_container_stats(object)); });
  const Client::Call call{.path = Query(object_path("containers", container, "stats")).set("stream", "1").path()};
  client.exchange(ctx, call, [&](std::span<const std::byte> bytes) {
    stream.feed(bytes);
    return is_wanted;
  });
}

}  // namespace drover::engine
