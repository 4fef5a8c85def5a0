#include "compose/yaml.h"

#include "base/text.h"
#include "compose/invalid.h"
#include "compose/yaml_characters.h"
#include "compose/yaml_events.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace drover::compose {
namespace {

constexpr std::string_view core_tag = "tag:yaml.org,2002:";
constexpr std::string_view merge_key = "<<";

// Copies raw nodes into a tree: aliases become what they stand for, merge keys are merged, tags and types are applied.
class TreeBuilder {
 public:
  explicit TreeBuilder(const RawDocument& document) : document_(document) {}

  YamlDocument build() {
    if (auto root = expand(0)) result_.root = std::move(*root);
    return std::move(result_);
  }

 private:
  // Nothing for a node with !reset.
  std::optional<Node> expand(std::size_t index) {
    const RawNode& raw = document_.nodes[index];
    if (++count_ > yaml_nodes_max)
      throw invalid(raw.origin, "aliases grow the file beyond " + std::to_string(yaml_nodes_max) + " nodes");
    if (raw.kind == RawNode::Kind::alias) return expand_alias(raw);
    if (raw.tag == "!reset") {
      result_.resets.push_back(path_);
      return std::nullopt;
    }
    if (raw.tag == "!override") result_.resets.push_back(path_);
    if (raw.kind == RawNode::Kind::scalar) return scalar(raw);
    if (depth_ >= yaml_depth_max) throw invalid(raw.origin, path_, "nested more than " + std::to_string(yaml_depth_max) + " levels deep");
    ++depth_;
    Node node = raw.kind == RawNode::Kind::sequence ? sequence(raw) : mapping(raw);
    --depth_;
    return node;
  }

  std::optional<Node> expand_alias(const RawNode& raw) {
    if (!active_.insert(raw.target).second)
      throw invalid(raw.origin, path_, "alias *" + printable(raw.text, 80) + " stands inside its own anchor");
    auto node = expand(raw.target);
    active_.erase(raw.target);
    return node;
  }

  Node scalar(const RawNode& raw) const {
    Node node = Node::make_string(raw.text, raw.origin);
    const bool has_core_tag = raw.tag.starts_with(core_tag);
    const std::string_view type = has_core_tag ? std::string_view(raw.tag).substr(core_tag.size()) : std::string_view();
    if (type == "str" || raw.tag == "!") return node;
    if (type == "binary") return binary(raw, std::move(node));
    if (!raw.is_plain && !has_core_tag) return node;
    PlainScalar plain = resolve_plain_scalar(raw.text);
    if (has_core_tag) plain = typed(raw, type, std::move(plain));
    node.kind = plain.kind;
    node.text = std::move(plain.text);
    return node;
  }

  PlainScalar typed(const RawNode& raw, std::string_view type, PlainScalar plain) const {
    const bool fits = (type == "int" && plain.kind == Node::Kind::integer) || (type == "bool" && plain.kind == Node::Kind::boolean) ||
                      (type == "float" && (plain.kind == Node::Kind::number || plain.kind == Node::Kind::integer)) ||
                      (type == "null" && plain.kind == Node::Kind::null) || (type == "timestamp" && plain.kind == Node::Kind::timestamp);
    if (!fits) throw invalid(raw.origin, path_, "\"" + printable(raw.text, 80) + "\" is not a !!" + printable(type, 40));
    if (type == "float") plain.kind = Node::Kind::number;
    return plain;
  }

  Node binary(const RawNode& raw, Node node) const {
    std::string packed = raw.text;
    std::erase_if(packed, [](char c) { return c == '\n' || c == ' ' || c == '\t'; });
    auto bytes = decode_base64(packed);
    if (!bytes) throw invalid(raw.origin, path_, "!!binary is not base64");
    node.text = std::move(*bytes);
    return node;
  }

  Node sequence(const RawNode& raw) {
    Node node = Node::make_sequence(raw.origin);
    for (std::size_t i = 0; i < raw.children.size(); ++i) {
      const PathStep step(path_, "[" + std::to_string(i) + "]");
      if (auto item = expand(raw.children[i])) node.items.push_back(std::move(*item));
    }
    return node;
  }

  Node mapping(const RawNode& raw) {
    Node node = Node::make_mapping(raw.origin);
    std::map<std::string, int, std::less<>> lines;
    std::optional<std::size_t> merged;
    for (std::size_t i = 0; i + 1 < raw.children.size(); i += 2) {
      const RawNode& key_node = key_of(document_.nodes[raw.children[i]]);
      const auto [earlier, is_new] = lines.emplace(key_node.text, key_node.origin.line);
      if (!is_new) {
        throw invalid(key_node.origin, path_,
                      "key \"" + printable(key_node.text, 80) + "\" is already at line " + std::to_string(earlier->second));
      }
      if (key_node.is_plain && key_node.text == merge_key) {
        merged = raw.children[i + 1];
        continue;
      }
      check_key(key_node);
      const PathStep step(path_, key_node.text);
      auto value = expand(raw.children[i + 1]);
      if (!value) continue;
      if (value->origin.line == 0) value->origin = key_node.origin;  // nothing was written
      node.members.push_back({key_node.text, key_node.origin, std::move(*value)});
    }
    if (merged) {
      std::set<std::string> taken;
      for (const Member& member : node.members) taken.insert(member.key);
      merge_into(node, *merged, taken);
    }
    return node;
  }

  // A key may be an alias of a scalar.
  const RawNode& key_of(const RawNode& raw) const {
    const RawNode& key = raw.kind == RawNode::Kind::alias ? document_.nodes[raw.target] : raw;
    if (key.kind != RawNode::Kind::scalar) throw invalid(raw.origin, path_, "a key must be a string");
    return key;
  }

  void check_key(const RawNode& key) const {
    if (!key.is_plain || key.tag == std::string(core_tag) + "str") return;
    const Node::Kind kind = resolve_plain_scalar(key.text).kind;
    if (kind == Node::Kind::string) return;
    throw invalid(key.origin, path_,
                  "key " + (key.text.empty() ? std::string("(empty)") : printable(key.text, 80)) + " is " + std::string(describe(kind)) +
                      ", keys must be strings: put it in quotes");
  }

  // https://yaml.org/type/merge.html: keys that are there win, and the earlier of several sources wins.
  void merge_into(Node& node, std::size_t source, std::set<std::string>& taken) {
    const RawNode& raw = document_.nodes[source];
    const RawNode& resolved = raw.kind == RawNode::Kind::alias ? document_.nodes[raw.target] : raw;
    auto expanded = expand(source);
    if (!expanded) return;
    if (resolved.kind == RawNode::Kind::mapping) {
      merge_members(node, std::move(*expanded), taken);
      return;
    }
    if (!expanded->is_sequence()) throw invalid(raw.origin, path_, "<< takes a mapping or a list of mappings");
    for (Node& item : expanded->items) {
      if (!item.is_mapping()) throw invalid(item.origin, path_, "<< takes a mapping or a list of mappings");
      merge_members(node, std::move(item), taken);
    }
  }

  static void merge_members(Node& node, Node source, std::set<std::string>& taken) {
    for (Member& member : source.members)
      if (taken.insert(member.key).second) node.members.push_back(std::move(member));
  }

  const RawDocument& document_;
  YamlDocument result_;
  TreePath path_;
  std::set<std::size_t> active_;  // anchors that are being expanded
  std::size_t count_ = 0;
  int depth_ = 0;
};

Origin place_of(std::string_view text, std::size_t at, const std::shared_ptr<const std::filesystem::path>& file) {
  const std::string_view before = text.substr(0, at);
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 on the first line
  return {file, static_cast<int>(1 + std::count(before.begin(), before.end(), '\n')), static_cast<int>(1 + at - line_start)};
}

}  // namespace

std::vector<YamlDocument> parse_yaml(std::string_view text, const std::filesystem::path& file) {
  const auto shared_file = std::make_shared<const std::filesystem::path>(file);
  if (text.size() > yaml_bytes_max) throw invalid(Origin{shared_file, 0, 0}, "larger than " + format_bytes(yaml_bytes_max));
  if (const auto bad = find_bad_character(text)) throw invalid(place_of(text, *bad, shared_file), "not valid YAML: not UTF-8, or a control character");
  std::vector<YamlDocument> documents;
  for (const RawDocument& raw : read_yaml_events(text, shared_file)) {
    if (raw.nodes.empty()) continue;
    documents.push_back(TreeBuilder(raw).build());
  }
  return documents;
}

}  // namespace drover::compose
