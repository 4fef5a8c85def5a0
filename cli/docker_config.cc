#include "cli/docker_config.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

namespace drover::cli {
namespace {

constexpr std::uint64_t config_bytes_max = 4U << 20U;

std::filesystem::path config_file(const Environment& environment) {
  const auto named = environment.find("DOCKER_CONFIG");
  if (named != environment.end() && !named->second.empty()) return std::filesystem::path(named->second) / "config.json";
  const auto home = environment.find("HOME");
  return home == environment.end() || home->second.empty() ? std::filesystem::path()
                                                           : std::filesystem::path(home->second) / ".docker/config.json";
}

}  // namespace

compose::TextMap parse_proxies(std::string_view text, const std::string& engine) {
  constexpr std::pair<const char*, const char*> variables[] = {{"httpProxy", "HTTP_PROXY"},
                                                               {"httpsProxy", "HTTPS_PROXY"},
                                                               {"noProxy", "NO_PROXY"},
                                                               {"ftpProxy", "FTP_PROXY"},
                                                               {"allProxy", "ALL_PROXY"}};
  compose::TextMap environment;
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (document.is_discarded()) throw Error(ErrorCode::invalid, "docker's config.json is no JSON");
  if (!document.is_object() || !document.contains("proxies") || !document["proxies"].is_object()) return environment;
  const nlohmann::json& proxies = document["proxies"];
  const auto entry = proxies.contains(engine) ? proxies.find(engine) : proxies.find("default");
  if (entry == proxies.end() || !entry->is_object()) return environment;
  for (const auto& [member, name] : variables) {
    const auto value = entry->find(member);
    if (value == entry->end() || !value->is_string() || value->get_ref<const std::string&>().empty()) continue;
    environment[name] = environment[to_lower(name)] = value->get<std::string>();
  }
  return environment;
}

compose::TextMap read_proxy_environment(const Environment& environment, const std::string& engine) {
  const std::filesystem::path file = config_file(environment);
  if (file.empty()) return {};
  const std::optional<std::string> text = try_read_file(file, config_bytes_max);
  if (!text || trim(*text).empty()) return {};
  try {
    return parse_proxies(*text, engine);
  } catch (Error& error) {
    throw error.add_frame("cannot read " + file.string());
  }
}

}  // namespace drover::cli
