#include "compose/model_checks.h"

#include "base/text.h"
#include "compose/invalid.h"
#include "compose/short_port.h"

#include <initializer_list>

namespace drover::compose {
namespace {

using Check = void (*)(const Node& node, const TreePath& path);

void check_external(const Node& node, const TreePath& path) {
  const Node* external = node.find("external");
  if (!external || external->text != "true") return;
  for (const Member& member : node.members)
    if (member.key != "name" && member.key != "external" && !member.key.starts_with("x-"))
      throw invalid(member.origin, path, "`external` and `" + printable(member.key, 80) + "` exclude each other");
}

void check_one_source(const Node& node, const TreePath& path, std::initializer_list<std::string_view> keys) {
  std::string words;
  int count = 0;
  for (const std::string_view key : keys) {
    words += (words.empty() ? "" : ", ") + std::string(key);
    if (node.find(key)) ++count;
  }
  if (count > 1) throw invalid(node.origin, path, words + " exclude each other");
  if (count == 0 && !node.find("driver") && !node.find("external"))
    throw invalid(node.origin, path, "one of " + words + " must be set");
}

void check_config(const Node& node, const TreePath& path) {
  check_one_source(node, path, {"file", "environment", "content"});
}
void check_secret(const Node& node, const TreePath& path) {
  check_one_source(node, path, {"file", "environment"});
}

void check_host_ip(const Node& node, const TreePath& path) {
  const Node* ip = node.find("host_ip");
  if (ip && !is_ip_address(ip->text))
    throw invalid(ip->origin, path, "host_ip \"" + printable(ip->text, 80) + "\" is no IP address");
}

void check_watched_path(const Node& node, const TreePath& path) {
  if (node.text.empty()) throw invalid(node.origin, path, "must not be empty");
}

void check_device_request(const Node& node, const TreePath& path) {
  if (node.find("count") && node.find("device_ids"))
    throw invalid(node.origin, path, "`count` and `device_ids` exclude each other");
}

struct CheckRule {
  std::string_view pattern;
  Check check;
};

// compose-go's validation package.
constexpr CheckRule check_rules[] = {
    {"configs.*", check_config},
    {"secrets.*", check_secret},
    {"services.*.deploy.resources.reservations.devices.*", check_device_request},
    {"services.*.develop.watch.*.path", check_watched_path},
    {"services.*.gpus.*", check_device_request},
    {"services.*.ports.*", check_host_ip},
    {"volumes.*", check_external},
};

void check_all(const Node& node, TreePath& path) {
  for (const CheckRule& rule : check_rules)
    if (matches(path, rule.pattern)) rule.check(node, path);
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const PathStep step(path, "[" + std::to_string(i) + "]");
    check_all(node.items[i], path);
  }
  for (const Member& member : node.members) {
    const PathStep step(path, member.key);
    check_all(member.value, path);
  }
}

}  // namespace

void check_model(const Node& project) {
  TreePath path;
  check_all(project, path);
}

}  // namespace drover::compose
