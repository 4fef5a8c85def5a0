// TOML 1.0 read for its tables, texts and switches, with the line of each: what files that name mirrors are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::registry {

// Debian's shortnames.conf, the longest of these files in the wild, has 10 KiB.
inline constexpr std::uint64_t toml_bytes_max = 1U << 20U;
// Each dot of a key is a level of nesting, and so of recursion; no URL or path in these files comes near.
inline constexpr std::size_t toml_line_bytes_max = 4096;

struct TomlMember;

struct TomlValue {
  enum class Kind { text, truth, list, table, other };  // numbers and dates are other: nobody asks for them
  Kind kind = Kind::other;
  std::size_t line = 0;
  std::string text = {};
  bool truth = false;
  std::vector<TomlValue> list = {};
  std::vector<TomlMember> members = {};  // in the order of the file
};

struct TomlMember {
  std::string key;
  TomlValue value;
};

// The document's table. Throws invalid, "<file>:<line>: why".
TomlValue parse_toml(std::string_view text, const std::filesystem::path& file);

// A table's members by type, by reference: document and file name outlive it. Every function throws invalid, with file and line, for
// a member of another type than it asks for.
class TomlTable {
 public:
  TomlTable(const TomlValue& table, const std::string& file) : table_(&table), file_(&file) {}

  bool is_empty() const { return table_->members.empty(); }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::optional<std::string> find_text(std::string_view key) const;
  std::optional<bool> find_switch(std::string_view key) const;
  // A text counts as a list of one. Empty when it is absent.
  std::vector<std::string> find_texts(std::string_view key) const;
  // A text, a list of texts, or a list of lists of texts: the lists, of one text each in the first two cases.
  std::vector<std::vector<std::string>> find_text_lists(std::string_view key) const;
  // A list of tables.
  std::vector<TomlTable> find_tables(std::string_view key) const;
  // The tables of a table by name, in the order of the file.
  std::vector<std::pair<std::string, TomlTable>> find_named_tables(std::string_view key) const;

  // The members' names, in the order of the file.
  std::vector<std::string> keys() const;
  // The names in a table that is a member, in the order of the file; none when it is absent.
  std::vector<std::string> find_keys(std::string_view key) const;
  // A member that is a table and there.
  TomlTable table(std::string_view key) const;

  // "<file>:<line>" of the table, and of a member that is there.
  std::string where() const;
  std::string where(std::string_view key) const;
  [[noreturn]] void refuse(std::string_view key, std::string_view why) const;

 private:
  const TomlValue* find(std::string_view key) const;
  const TomlValue* find(std::string_view key, TomlValue::Kind kind, std::string_view otherwise) const;

  const TomlValue* table_;
  const std::string* file_;
};

}  // namespace drover::registry
