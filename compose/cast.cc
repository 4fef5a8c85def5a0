#include "compose/cast.h"

#include "base/text.h"
#include "compose/invalid.h"
#include "compose/quantity.h"
#include "compose/tree_path.h"

#include <cmath>

namespace drover::compose {
namespace {

struct CastRule {
  std::string_view pattern;
  Node::Kind kind;
};

constexpr Node::Kind integer = Node::Kind::integer;
constexpr Node::Kind number = Node::Kind::number;
constexpr Node::Kind boolean = Node::Kind::boolean;

constexpr CastRule cast_rules[] = {
    {"services.*.cpu_count", integer},
    {"services.*.cpu_percent", number},
    {"services.*.cpu_period", integer},
    {"services.*.cpu_quota", integer},
    {"services.*.cpu_rt_period", integer},
    {"services.*.cpu_rt_runtime", integer},
    {"services.*.cpus", number},
    {"services.*.cpu_shares", integer},
    {"services.*.init", boolean},
    {"services.*.deploy.replicas", integer},
    {"services.*.deploy.update_config.parallelism", integer},
    {"services.*.deploy.update_config.max_failure_ratio", number},
    {"services.*.deploy.rollback_config.parallelism", integer},
    {"services.*.deploy.rollback_config.max_failure_ratio", number},
    {"services.*.deploy.restart_policy.max_attempts", integer},
    {"services.*.deploy.placement.max_replicas_per_node", integer},
    {"services.*.healthcheck.retries", integer},
    {"services.*.healthcheck.disable", boolean},
    {"services.*.oom_kill_disable", boolean},
    {"services.*.oom_score_adj", integer},
    {"services.*.pids_limit", integer},
    {"services.*.ports.*.target", integer},
    {"services.*.privileged", boolean},
    {"services.*.read_only", boolean},
    {"services.*.scale", integer},
    {"services.*.stdin_open", boolean},
    {"services.*.tty", boolean},
    {"services.*.ulimits.*", integer},
    {"services.*.ulimits.*.hard", integer},
    {"services.*.ulimits.*.soft", integer},
    {"services.*.volumes.*.read_only", boolean},
    {"services.*.volumes.*.volume.nocopy", boolean},
    {"networks.*.external", boolean},
    {"networks.*.internal", boolean},
    {"networks.*.attachable", boolean},
    {"networks.*.enable_ipv4", boolean},
    {"networks.*.enable_ipv6", boolean},
    {"volumes.*.external", boolean},
    {"secrets.*.external", boolean},
    {"configs.*.external", boolean},
};

class Caster {
 public:
  explicit Caster(WarningList& warnings) : warnings_(warnings) {}

  void walk(Node& node) {
    if (node.is_string()) cast(node);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const PathStep step(path_, "[" + std::to_string(i) + "]");
      walk(node.items[i]);
    }
    for (Member& member : node.members) {
      const PathStep step(path_, member.key);
      walk(member.value);
    }
  }

 private:
  void cast(Node& node) {
    for (const CastRule& rule : cast_rules) {
      if (!matches(path_, rule.pattern)) continue;
      node.text = cast_text(node, rule.kind);
      node.kind = rule.kind;
      return;
    }
  }

  std::string cast_text(const Node& node, Node::Kind kind) {
    if (kind == boolean) {
      const auto value = parse_boolean(node.text);
      if (!value) throw refusal(node, "a boolean");
      const std::string word = *value ? "true" : "false";
      if (to_lower(node.text) != word)
        warnings_.add("\"" + printable(node.text, 20) + "\" for a boolean is not YAML 1.2: please write " + word);
      return word;
    }
    if (kind == integer) {
      const auto value = parse_integer(node.text);
      if (!value) throw refusal(node, "an integer");
      return std::to_string(*value);
    }
    const auto value = parse_number(node.text);
    if (!value || !std::isfinite(*value)) throw refusal(node, "a number");
    return node.text;
  }

  Error refusal(const Node& node, std::string_view wanted) const {
    return invalid(node.origin, path_, "must be " + std::string(wanted) + ", not \"" + printable(node.text, 80) + "\"");
  }

  WarningList& warnings_;
  TreePath path_;
};

}  // namespace

void cast_strings(Node& project, WarningList& warnings) {
  Caster(warnings).walk(project);
}

}  // namespace drover::compose
