// JSON read strictly (RFC 8259), and its members taken out by type: the one way from bytes to the nouns of this room.
//
// Refused beyond what the grammar refuses: two equal keys in one object, a byte order mark, a NUL byte, more than json_depth_max
// levels or json_values_max values. Every failure is Error{invalid} and names the member ("layers[2].size").
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

// `what` begins every message: "manifest", "image configuration".
nlohmann::json parse_json_strictly(std::string_view bytes, std::string_view what);

// A key as case-blind parsers see it: ASCII lower case, U+017F as "s", U+212A as "k".
std::string fold_key(std::string_view key);

// An object of a document, by reference; the document outlives it. `where` names it in messages.
class JsonObject {
 public:
  // Throws invalid unless `value` is an object whose keys differ by more than case, and whose members that fold to one of `known` are
  // spelt as there.
  JsonObject(const nlohmann::json& value, std::string where, std::span<const std::string_view> known);

  const std::string& where() const { return where_; }
  // "layers[2].size", for messages.
  std::string name_of(std::string_view key) const;

  // Present and not null.
  bool has(std::string_view key) const { return find(key) != nullptr; }
  const nlohmann::json* find(std::string_view key) const;

  // Absent and null are nothing; any other type throws.
  std::optional<std::string> find_string(std::string_view key) const;
  std::vector<std::string> find_strings(std::string_view key) const;
  // As above, and absence throws as well.
  std::string string(std::string_view key) const;
  // Digits only, below 2^63: what a parser of any language takes for the same number.
  std::uint64_t uint(std::string_view key) const;
  // An array of at most `count_max`; null is an empty one, absence throws.
  std::vector<const nlohmann::json*> array(std::string_view key, std::size_t count_max) const;

 private:
  const nlohmann::json* value_;
  std::string where_;
};

[[noreturn]] void refuse_json(std::string_view name, std::string_view why);

}  // namespace drover
