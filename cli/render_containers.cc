#include "cli/render_containers.h"

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/table.h"
#include "stack/ledger.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

namespace drover::cli {
namespace {

constexpr std::size_t command_columns = 20;  // as docker cuts it

// The last byte of a cut is no half of a character.
std::string cut(const std::string& text, std::size_t columns) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) continue;
    if (++characters == columns) {
      const bool is_last = std::none_of(text.begin() + static_cast<std::ptrdiff_t>(i) + 1, text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
      });
      return is_last ? text : text.substr(0, i) + "…";
    }
  }
  return text;
}

std::string address_text(const std::string& ip, const std::string& port) {
  return (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + port;
}

struct PortRange {
  std::string ip;
  std::string type;
  std::int64_t first = 0;
  std::int64_t last = 0;

  std::string to_string() const {
    const std::string range = std::to_string(first) + (first == last ? "" : "-" + std::to_string(last));
    return (ip.empty() ? range : address_text(ip, range) + "->" + range) + "/" + type;
  }
};

// "Exited (137) 2 minutes ago"; 0 for what runs.
std::int64_t exit_code_of(const engine::ContainerSummary& container) {
  const std::size_t open = container.status.find('(');
  if (!container.status.starts_with("Exited") || open == std::string::npos) return 0;
  return static_cast<std::int64_t>(
      parse_uint(container.status.substr(open + 1, container.status.find(')') - open - 1)).value_or(0));
}

Json ports_json(const std::vector<engine::PublishedPort>& ports) {
  Json list = Json::array();
  for (const engine::PublishedPort& port : ports) {
    list.push_back(
        {{"hostIp", port.ip}, {"published", port.public_port}, {"target", port.private_port}, {"protocol", port.type}});
  }
  return list;
}

std::string created_text(const engine::ContainerSummary& container, engine::Timestamp now) {
  if (!container.created) return "";
  return age_text(std::chrono::duration_cast<std::chrono::seconds>(now - *container.created)) + " ago";
}

}  // namespace

std::string age_text(std::chrono::seconds age) {
  const std::int64_t seconds = std::max<std::int64_t>(0, age.count());
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = (seconds + 1800) / 3600;
  const auto counted = [](std::int64_t count, const char* what) { return std::to_string(count) + " " + what; };
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return counted(seconds, "seconds");
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return counted(minutes, "minutes");
  if (hours == 1) return "About an hour";
  if (hours < 48) return counted(hours, "hours");
  if (hours < 24 * 7 * 2) return counted(hours / 24, "days");
  if (hours < 24 * 30 * 2) return counted(hours / 24 / 7, "weeks");
  if (hours < 24 * 365 * 2) return counted(hours / 24 / 30, "months");
  return counted(seconds / 3600 / 24 / 365, "years");
}

std::string ports_text(std::vector<engine::PublishedPort> ports) {
  std::sort(ports.begin(), ports.end(), [](const auto& a, const auto& b) {
    return std::tie(a.private_port, a.ip, a.public_port, a.type) < std::tie(b.private_port, b.ip, b.public_port, b.type);
  });
  std::vector<PortRange> open;
  std::vector<std::string> texts;
  std::vector<std::string> mapped;
  for (const engine::PublishedPort& port : ports) {
    if (!port.ip.empty() && port.public_port != port.private_port) {
      mapped.push_back(address_text(port.ip, std::to_string(port.public_port)) + "->" + std::to_string(port.private_port) + "/" +
                       port.type);
      continue;
    }
    const auto range = std::find_if(
        open.begin(), open.end(), [&](const PortRange& each) { return each.ip == port.ip && each.type == port.type; });
    if (range == open.end()) {
      open.push_back({port.ip, port.type, port.private_port, port.private_port});
    } else if (range->last + 1 == port.private_port) {
      range->last = port.private_port;
    } else {
      texts.push_back(range->to_string());
      range->first = range->last = port.private_port;
    }
  }
  for (const PortRange& range : open) texts.push_back(range.to_string());
  texts.insert(texts.end(), mapped.begin(), mapped.end());
  return join(texts, ", ");
}

std::string health_of(const engine::ContainerSummary& container) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"(healthy)", "healthy"}, {"(unhealthy)", "unhealthy"}, {"(health: starting)", "starting"}};
  for (const auto& [text, health] : words) {
    if (container.status.find(text) != std::string::npos) return std::string(health);
  }
  return "";
}

Json containers_json(const ContainersView& view) {
  Json list = Json::array();
  for (const engine::ContainerSummary& container : view.containers) {
    Json created = nullptr;
    if (container.created)
      created = format_time(std::chrono::time_point_cast<std::chrono::system_clock::duration>(*container.created));
    list.push_back({{"id", container.id},
                    {"name", container.name},
                    {"service", stack::service_of(container.labels)},
                    {"image", container.image_reference},
                    {"command", container.command},
                    {"created", std::move(created)},
                    {"state", container.state},
                    {"status", container.status},
                    {"health", health_of(container)},
                    {"exitCode", exit_code_of(container)},
                    {"ports", ports_json(container.ports)}});
  }
  return {{"containers", std::move(list)}};
}

std::string containers_text(const ContainersView& view) {
  Table table({"NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"});
  for (const engine::ContainerSummary& container : view.containers) {
    const std::string command = view.is_truncated ? cut(container.command, command_columns) : container.command;
    table.add({container.name,
               container.image_reference,
               "\"" + command + "\"",
               stack::service_of(container.labels),
               created_text(container, view.now),
               container.status,
               ports_text(container.ports)});
  }
  return table.to_string();
}

}  // namespace drover::cli
