#include "compose/schema.h"

#include "base/text.h"
#include "compose/invalid.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

namespace drover::compose {
namespace {

constexpr std::string_view extension_key_prefix = "x-";
constexpr std::string_view anything = "a";

char letter_of(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null: return '0';
    case Node::Kind::boolean: return 'b';
    case Node::Kind::integer: return 'i';
    case Node::Kind::number: return 'n';
    case Node::Kind::string: return 's';
    case Node::Kind::timestamp: return 't';  // in no type: a date must be quoted
    case Node::Kind::sequence: return 'l';
    case Node::Kind::mapping: return 'm';
  }
  return '?';
}

bool has_no_fraction(const std::string& number) {
  const double value = std::strtod(number.c_str(), nullptr);
  return std::isfinite(value) && value == std::trunc(value);
}

// A number without a fraction is an integer, and an integer is a number (JSON schema, validation §6.1.1).
bool allows(std::string_view kinds, const Node& node) {
  const char letter = letter_of(node.kind);
  if (kinds == anything || kinds.find(letter) != std::string_view::npos) return true;
  if (letter == 'i') return kinds.find('n') != std::string_view::npos;
  if (letter == 'n') return kinds.find('i') != std::string_view::npos && has_no_fraction(node.text);
  return false;
}

std::string describe_kinds(std::string_view kinds) {
  static constexpr std::pair<char, std::string_view> names[] = {
      {'s', "a string"}, {'i', "an integer"}, {'n', "a number"}, {'b', "a boolean"}, {'0', "null"}, {'l', "a list"}, {'m', "a mapping"}};
  std::string text;
  for (const auto& [letter, name] : names) {
    if (kinds.find(letter) == std::string_view::npos) continue;
    if (!text.empty()) text += " or ";
    text += name;
  }
  return text;
}

void check_kind(const Node& node, std::string_view kinds, const TreePath& path) {
  if (allows(kinds, node)) return;
  std::string why = "must be " + describe_kinds(kinds) + ", not " + std::string(describe(node.kind));
  if (node.kind == Node::Kind::timestamp) why += ": put it in quotes";
  throw invalid(node.origin, path, why);
}

bool is_resource_name(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

// A shape with its member list taken apart.
struct ParsedShape {
  const Shape* shape = nullptr;
  std::map<std::string_view, std::string_view> types;  // by key; also "*" and "@"
  std::vector<std::string_view> required;
};

using ParsedShapes = std::map<std::string_view, ParsedShape>;

const ParsedShapes& parsed_shapes() {
  static const ParsedShapes table = [] {
    ParsedShapes parsed;
    for (const Shape& shape : schema_shapes()) {
      ParsedShape& entry = parsed[shape.name];
      entry.shape = &shape;
      for (const std::string_view word : split(shape.members, ' ')) {
        if (word.empty()) continue;
        std::string_view key = word.substr(0, word.find(':'));
        const std::string_view type = word.substr(key.size() + 1);
        if (key.ends_with('!')) {
          key.remove_suffix(1);
          entry.required.push_back(key);
        }
        entry.types.emplace(key, type);
      }
    }
    return parsed;
  }();
  return table;
}

class SchemaCheck {
 public:
  void check(const Node& node, std::string_view type) {
    if (!is_upper(type.front())) return check_kind(node, type, path_);
    const ParsedShape& parsed = parsed_shapes().at(type);
    check_kind(node, parsed.shape->kinds, path_);
    if (node.is_string()) check_word(node, parsed.shape->words);
    if (node.is_sequence()) check_items(node, *parsed.shape);
    if (node.is_mapping()) check_members(node, parsed);
  }

 private:
  void check_word(const Node& node, std::string_view words) const {
    if (words.empty()) return;
    const std::vector<std::string_view> allowed = split(words, ' ');
    const bool is_allowed = std::any_of(allowed.begin(), allowed.end(), [&](std::string_view word) {
      return word.ends_with('*') ? std::string_view(node.text).starts_with(word.substr(0, word.size() - 1)) : word == node.text;
    });
    if (is_allowed) return;
    throw invalid(node.origin, path_,
                  "\"" + printable(node.text, 80) + "\" is not one of " + join(std::vector<std::string>(allowed.begin(), allowed.end()), ", "));
  }

  void check_items(const Node& node, const Shape& shape) {
    std::set<std::pair<Node::Kind, std::string_view>> seen;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const Node& item = node.items[i];
      const PathStep step(path_, "[" + std::to_string(i) + "]");
      check(item, shape.items);
      if (shape.has_unique_items && item.is_scalar() && !seen.emplace(item.kind, item.text).second)
        throw invalid(item.origin, path_, "\"" + printable(item.text, 80) + "\" is there twice");
    }
  }

  void check_members(const Node& node, const ParsedShape& parsed) {
    for (const std::string_view key : parsed.required)
      if (!node.find(key)) throw invalid(node.origin, path_, "\"" + std::string(key) + "\" is missing");
    for (const Member& member : node.members) {
      const std::optional<std::string_view> type = type_of(member, parsed);
      if (!type) continue;
      const PathStep step(path_, member.key);
      check(member.value, *type);
    }
  }

  // Nothing for an extension.
  std::optional<std::string_view> type_of(const Member& member, const ParsedShape& parsed) const {
    const auto& types = parsed.types;
    if (const auto type = types.find(member.key); type != types.end() && member.key != "*" && member.key != "@") return type->second;
    if (const auto type = types.find("*"); type != types.end()) return type->second;
    if (const auto type = types.find("@"); type != types.end()) {
      if (is_resource_name(member.key)) return type->second;
      throw invalid(member.origin, path_, "name \"" + printable(member.key, 80) + "\" may only have letters, digits, dots, hyphens and underscores");
    }
    if (member.key.starts_with(extension_key_prefix)) return std::nullopt;
    if (types.empty()) return std::nullopt;
    throw unknown_key(member, parsed);
  }

  Error unknown_key(const Member& member, const ParsedShape& parsed) const {
    std::vector<std::string> known;
    for (const auto& [key, type] : parsed.types) known.emplace_back(key);
    const auto meant = did_you_mean(member.key, known);
    return invalid(member.origin, path_,
                   "unknown key \"" + printable(member.key, 80) + "\"" + (meant ? "; did you mean \"" + *meant + "\"?" : ""));
  }

  TreePath path_;
};

}  // namespace

void check_schema(const Node& project) { SchemaCheck().check(project, "Project"); }

}  // namespace drover::compose
