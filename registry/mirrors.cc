#include "registry/mirrors.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "registry/toml_file.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace drover::registry {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view hosts_file = "hosts.toml";
constexpr std::string_view default_folder = "_default";
constexpr std::size_t folder_entries_max = 10'000;

// What a folder for `registry` may be called, best first: "lan_5000_" is containerd's spelling for file systems without colons.
std::vector<std::string> folder_names(const std::string& registry) {
  std::vector<std::string> names;
  if (const std::size_t colon = registry.rfind(':'); colon != std::string::npos && registry.back() != ']') {
    names.push_back(registry.substr(0, colon) + "_" + registry.substr(colon + 1) + "_");
  }
  names.push_back(registry);
  return names;
}

// Said here, where the file is known, and not as a failure of each request.
void check_certificates(const MirrorRule& rule) {
  for (const MirrorRule::Entry& entry : rule.entries) {
    const net::TlsOptions& tls = entry.site.tls;
    for (const fs::path& file : {tls.ca_file, tls.client_cert, tls.client_key}) {
      std::error_code failed;
      if (file.empty() || fs::exists(file, failed) || failed) continue;
      const std::string_view member = file == tls.ca_file ? "ca" : "client";
      throw Error(ErrorCode::invalid, entry.site.origin + ": " + std::string(member) + ": " + printable(file.string()) + " does not exist");
    }
  }
}

std::optional<MirrorRule> read_hosts_file(const fs::path& folder, const std::string& prefix) {
  const fs::path file = folder / hosts_file;
  const std::optional<std::string> text = try_read_file(file, toml_bytes_max);
  std::optional<MirrorRule> rule = text ? parse_hosts_toml(*text, file, prefix) : std::nullopt;
  if (rule) check_certificates(*rule);
  return rule;
}

// As containerd has it, the first folder that is there decides, also when it holds certificates only.
std::optional<MirrorRule> find_in_folder(const fs::path& root, const std::string& registry) {
  std::error_code ignored;
  for (const std::string& name : folder_names(registry)) {
    if (fs::is_directory(root / name, ignored)) return read_hosts_file(root / name, registry);
  }
  return read_hosts_file(root / default_folder, "");
}

// Of drover's own: nobody else reads it, so that what we do not know is a slip of the pen.
const std::optional<MirrorRule>& refuse_unknown(const std::optional<MirrorRule>& rule) {
  if (rule && !rule->unknown.empty()) throw Error(ErrorCode::invalid, rule->unknown.front());
  return rule;
}

std::vector<fs::path> list_sorted(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end && entries.size() < folder_entries_max; it.increment(failed)) {
    entries.push_back(it->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

// What another tool would be told about its own file is its affair; ours is to go on without.
template <typename Read>
auto read_or_warn(const Context& ctx, Read read) -> decltype(read()) {
  try {
    return read();
  } catch (const Error& error) {
    const std::string text = std::string(error.what()) + "; this file's mirrors are not used";
    // Some installations keep other tools' folders to root: nothing that everybody else has to be told on every run.
    if (error.code() == ErrorCode::io) {
      ctx.debug(text);
    } else {
      ctx.warn(text);
    }
    return {};
  }
}

}  // namespace

void Mirrors::check_own() const {
  for (const fs::path& root : files_.own_folders) {
    for (const fs::path& folder : list_sorted(root)) {
      std::error_code ignored;  // what cannot be looked at, or is a file, is not read later either
      if (fs::is_directory(folder, ignored)) refuse_unknown(read_hosts_file(folder, folder.filename().string()));
    }
  }
}

void Mirrors::load(const Context& ctx) {
  if (std::exchange(is_loaded_, true)) return;
  for (const fs::path& file : files_.daemon_files) {
    auto daemon = read_or_warn(ctx, [&] {
      const std::optional<std::string> text = try_read_file(file, toml_bytes_max);
      return text ? std::optional(DaemonFile::parse(*text, file)) : std::nullopt;
    });
    if (daemon) daemon_files_.push_back(*std::move(daemon));
  }
  std::error_code ignored;
  for (const MirrorFiles::RegistriesConf& conf : files_.registries) {
    const bool is_there = fs::exists(conf.file, ignored);
    if (!is_there && !conf.named_by.empty()) ctx.warn(conf.named_by + ": " + printable(conf.file.string()) + " does not exist; no mirrors are read from it");
    if (!is_there && &conf != &files_.registries.back()) continue;
    load_registries(ctx, conf.file);
    for (const fs::path& folder : conf.folders) {
      for (const fs::path& file : list_sorted(folder)) {
        if (file.extension() == ".conf") load_registries(ctx, file);
      }
    }
    break;
  }
}

void Mirrors::load_registries(const Context& ctx, const fs::path& file) {
  const std::vector<MirrorRule> rules = read_or_warn(ctx, [&] {
    const std::optional<std::string> text = try_read_file(file, toml_bytes_max);
    return text ? parse_registries_conf(*text, file) : std::vector<MirrorRule>();
  });
  for (const MirrorRule& rule : rules) registries_.insert_or_assign(rule.prefix, rule);
}

std::optional<MirrorRule> Mirrors::find_rule(const Context& ctx, const Reference& reference) {
  for (const fs::path& root : files_.own_folders) {
    if (auto rule = find_in_folder(root, reference.registry())) return refuse_unknown(rule);
  }
  load(ctx);
  const auto find_in = [&](const std::vector<fs::path>& roots) -> std::optional<MirrorRule> {
    for (const fs::path& root : roots) {
      const auto [known, is_new] = folder_rules_.try_emplace({root, reference.registry()});
      if (is_new) known->second = read_or_warn(ctx, [&] { return find_in_folder(root, reference.registry()); });
      if (known->second) return known->second;
    }
    return std::nullopt;
  };
  if (auto rule = find_in(files_.docker_folders)) return rule;
  for (const DaemonFile& daemon : daemon_files_) {
    if (auto rule = daemon.find(reference)) return rule;
  }
  if (auto rule = find_in(files_.containerd_folders)) return rule;
  const MirrorRule* longest = nullptr;
  for (const auto& [prefix, rule] : registries_) {
    if (name_behind(prefix, reference) && (longest == nullptr || prefix.size() > longest->prefix.size())) longest = &rule;
  }
  return longest == nullptr ? std::nullopt : std::optional(*longest);
}

std::vector<Source> Mirrors::find(const Context& ctx, const Reference& reference) {
  const std::lock_guard lock(mutex_);
  const std::string key = reference.name() + (reference.digest() ? "@" : "");
  if (const auto known = found_.find(key); known != found_.end()) return known->second;
  const std::optional<MirrorRule> rule = find_rule(ctx, reference);
  if (rule && rule->is_blocked) {
    throw Error(ErrorCode::refused, rule->prefix + " is blocked by " + rule->origin + "; --no-mirrors passes that file over");
  }
  std::vector<Source> sources;
  if (rule) {
    for (const std::string& note : rule->notes) {
      if (told_.insert(note).second) ctx.warn(note);
    }
    for (const std::string& note : rule->unknown) {
      if (told_.insert(note).second) ctx.debug(note);
    }
    sources = read_or_warn(ctx, [&] { return sources_of(*rule, reference); });
  }
  if (sources.empty()) sources.push_back(registry_itself(reference));
  return found_.emplace(key, std::move(sources)).first->second;
}

}  // namespace drover::registry
