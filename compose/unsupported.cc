#include "compose/unsupported.h"

#include "base/error.h"
#include "compose/tree_path.h"

namespace drover::compose {
namespace {

struct UnsupportedRule {
  std::string_view pattern;
  std::string_view value;  // that it is about; "" for any
  std::string_view why;
};

constexpr std::string_view swarm = "only a swarm has it";
constexpr std::string_view windows = "only Windows containers have it";

constexpr UnsupportedRule unsupported_rules[] = {
    {"configs.*.external", "true", swarm},
    {"configs.*.template_driver", "", swarm},
    {"secrets.*.driver", "", swarm},
    {"secrets.*.external", "true", swarm},
    {"secrets.*.template_driver", "", swarm},
    {"services.*.credential_spec", "", windows},
    {"services.*.models", "", "drover runs no models"},
    {"services.*.pre_start", "", "drover does not run hooks before the start"},
    {"services.*.provider", "", "drover runs no providers"},
    {"services.*.use_api_socket", "true", "drover does not hand out the engine's socket and credentials"},
    {"services.*.volumes.*.type", "cluster", swarm},
    {"services.*.volumes.*.type", "npipe", windows},
};

class Search {
 public:
  explicit Search(const std::set<std::string>& services) : services_(services) {}

  void walk(const Node& node) {
    if (path_.size() == 2 && path_[0] == "services" && !services_.contains(path_[1])) return;
    for (const UnsupportedRule& rule : unsupported_rules) {
      if (!matches(path_, rule.pattern) || (!rule.value.empty() && node.text != rule.value)) continue;
      SourceLocation location;
      if (node.origin.file) location = {*node.origin.file, node.origin.line, node.origin.column};
      found.push_back({location, to_string(path_), std::string(rule.why)});
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const PathStep step(path_, "[" + std::to_string(i) + "]");
      walk(node.items[i]);
    }
    for (const Member& member : node.members) {
      const PathStep step(path_, member.key);
      walk(member.value);
    }
  }

  std::vector<UnsupportedKey> found;

 private:
  const std::set<std::string>& services_;
  TreePath path_;
};

}  // namespace

std::vector<UnsupportedKey> find_unsupported(const Node& project, const std::set<std::string>& services) {
  Search search(services);
  search.walk(project);
  return std::move(search.found);
}

void require_supported(const Project& project) {
  if (project.unsupported.empty()) return;
  const UnsupportedKey& key = project.unsupported.front();
  throw Error(ErrorCode::unsupported, key.location.to_string() + ": " + key.path + ": not supported: " + key.why);
}

}  // namespace drover::compose
