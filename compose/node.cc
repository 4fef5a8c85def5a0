#include "compose/node.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace drover::compose {

std::string Origin::to_string() const {
  if (!file) return "";
  std::string text = file->string();
  if (line > 0) text += ":" + std::to_string(line) + ":" + std::to_string(column);
  return text;
}

Node Node::make_string(std::string text, Origin origin) {
  Node node;
  node.kind = Kind::string;
  node.text = std::move(text);
  node.origin = std::move(origin);
  return node;
}

Node Node::make_mapping(Origin origin) {
  Node node;
  node.kind = Kind::mapping;
  node.origin = std::move(origin);
  return node;
}

Node Node::make_sequence(Origin origin) {
  Node node;
  node.kind = Kind::sequence;
  node.origin = std::move(origin);
  return node;
}

const Node* Node::find(std::string_view key) const {
  for (const Member& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

Node* Node::find(std::string_view key) {
  for (Member& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

std::string_view Node::text_of(std::string_view key) const {
  const Node* value = find(key);
  return value && value->is_string() ? std::string_view(value->text) : std::string_view();
}

Node& Node::set(std::string_view key, Node value) {
  if (kind == Kind::null) kind = Kind::mapping;
  if (Node* existing = find(key)) return *existing = std::move(value);
  Origin key_origin = value.origin;
  members.push_back({std::string(key), std::move(key_origin), std::move(value)});
  return members.back().value;
}

void Node::remove(std::string_view key) {
  std::erase_if(members, [&](const Member& member) { return member.key == key; });
}

bool Node::equals(const Node& other) const {
  if (kind != other.kind || text != other.text || items.size() != other.items.size() || members.size() != other.members.size()) return false;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!items[i].equals(other.items[i])) return false;
  return std::all_of(members.begin(), members.end(), [&](const Member& member) {
    const Node* twin = other.find(member.key);
    return twin && member.value.equals(*twin);
  });
}

std::string_view describe(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null: return "null";
    case Node::Kind::boolean: return "a boolean";
    case Node::Kind::integer: return "an integer";
    case Node::Kind::number: return "a number";
    case Node::Kind::string: return "a string";
    case Node::Kind::timestamp: return "a timestamp";
    case Node::Kind::sequence: return "a list";
    case Node::Kind::mapping: return "a mapping";
  }
  return "";
}

namespace {

template <typename Number>
bool read_whole(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

nlohmann::ordered_json number_to_json(const std::string& text) {
  std::int64_t whole = 0;
  if (read_whole(text, whole)) return whole;
  std::uint64_t large = 0;
  if (read_whole(text, large)) return large;
  double value = 0;
  const std::string_view digits = text.starts_with('+') ? std::string_view(text).substr(1) : std::string_view(text);
  if (read_whole(digits, value) && std::isfinite(value)) return value;
  return text;  // infinities and not-a-number have no JSON form
}

}  // namespace

nlohmann::ordered_json to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return nullptr;
    case Node::Kind::boolean: return node.text == "true";
    case Node::Kind::integer:
    case Node::Kind::number: return number_to_json(node.text);
    case Node::Kind::string:
    case Node::Kind::timestamp: return node.text;
    case Node::Kind::sequence: {
      auto list = nlohmann::ordered_json::array();
      for (const Node& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case Node::Kind::mapping: {
      auto object = nlohmann::ordered_json::object();
      for (const Member& member : node.members) object.push_back({member.key, to_json(member.value)});
      return object;
    }
  }
  return nullptr;
}

}  // namespace drover::compose
