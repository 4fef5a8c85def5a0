// Which sources there are for a reference: the first configuration file that speaks about its registry decides.
//
// Order: drover's own hosts.d folders, docker's (hosts.toml in its certs.d, then daemon.json), containerd's, registries.conf with its
// drop-ins. A broken file of drover's own is an error; one of another tool's is reported once and passed over. Broken is also one that names a
// certificate that is not there, and, of drover's own, one with a member that nobody knows.
#pragma once

#include "base/context.h"
#include "registry/mirror_files.h"
#include "registry/source.h"

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace drover::registry {

// Folders hold `<host[:port]>/hosts.toml`, also spelt `<host>_<port>_`, and `_default/hosts.toml` for all that have no folder. What is
// left empty is not read.
struct MirrorFiles {
  struct RegistriesConf {
    std::filesystem::path file;
    std::vector<std::filesystem::path> folders = {};  // *.conf, by name; a later one replaces an earlier one's prefix
    std::string named_by = {};                        // the variable that says so: it should be there
  };
  std::vector<std::filesystem::path> own_folders = {};
  std::vector<std::filesystem::path> docker_folders = {};
  std::vector<std::filesystem::path> daemon_files = {};
  std::vector<std::filesystem::path> containerd_folders = {};
  std::vector<RegistriesConf> registries = {};  // the first whose file exists counts, with its folders; without any the last one's do
};

// Thread-safe. Each file of another tool is read once.
class Mirrors {
 public:
  explicit Mirrors(MirrorFiles files) : files_(std::move(files)) {}

  // At least one, in the order to be asked. Throws refused for a registry that registries.conf blocks, invalid for a broken file of
  // drover's own.
  std::vector<Source> find(const Context& ctx, const Reference& reference);

  // Reads all of drover's own files. Throws as find does.
  void check_own() const;

 private:
  std::optional<MirrorRule> find_rule(const Context& ctx, const Reference& reference);
  void load(const Context& ctx);
  void load_registries(const Context& ctx, const std::filesystem::path& file);

  const MirrorFiles files_;
  std::mutex mutex_;
  bool is_loaded_ = false;
  std::vector<DaemonFile> daemon_files_;
  std::map<std::string, MirrorRule> registries_;  // by prefix
  std::map<std::pair<std::filesystem::path, std::string>, std::optional<MirrorRule>> folder_rules_;  // other tools', by folder and registry
  std::set<std::string> told_;                                                                       // notes
  std::map<std::string, std::vector<Source>> found_;                                                 // by name
};

}  // namespace drover::registry
