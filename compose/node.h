// The tree that a compose file becomes: scalars with their YAML type, sequences, mappings in the order of the file,
// and where each of them was written.
//
// A Node is a value; copies are deep. Interpolation, merge, extends and include all work on this tree, so that the last error message
// can still name the line that somebody wrote. At the end it is turned into JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

// Where a node was written. The path is shared by all nodes of a file, which would otherwise hold a copy each.
struct Origin {
  std::shared_ptr<const std::filesystem::path> file;
  int line = 0;    // from 1; 0 when the node was not read from a file
  int column = 0;  // from 1

  // "compose.yml:3:7"; "" when unknown.
  std::string to_string() const;
};

struct Member;

struct Node {
  enum class Kind { null, boolean, integer, number, string, timestamp, sequence, mapping };

  Kind kind = Kind::null;
  // A string's characters; any other scalar as Go prints its value ("true", "8" for 010, "1.1" for 1.10, "" for null), which is what
  // compose writes into environment variables, labels and options.
  std::string text;
  std::vector<Node> items;      // of a sequence
  std::vector<Member> members;  // of a mapping, keys unique
  Origin origin;

  static Node make_string(std::string text, Origin origin = {});
  static Node make_mapping(Origin origin = {});
  static Node make_sequence(Origin origin = {});

  bool is_null() const { return kind == Kind::null; }
  bool is_string() const { return kind == Kind::string; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_mapping() const { return kind == Kind::mapping; }
  bool is_scalar() const { return !is_sequence() && !is_mapping(); }

  // Null when this is not a mapping or has no such key. Pointers live until the mapping changes.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  // A string member's text, "" when there is none.
  std::string_view text_of(std::string_view key) const;
  // Replaces or appends; turns a null node into a mapping.
  Node& set(std::string_view key, Node value);
  void remove(std::string_view key);

  // Same kind and content; origins and the order of keys play no part.
  bool equals(const Node& other) const;
};

struct Member {
  std::string key;
  Origin origin;  // of the key
  Node value;
};

// "a string", "a list", ...
std::string_view describe(Node::Kind kind);

nlohmann::ordered_json to_json(const Node& node);

}  // namespace drover::compose
