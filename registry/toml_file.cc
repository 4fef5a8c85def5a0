#include "registry/toml_file.h"

#include "base/error.h"
#include "base/text.h"

#define TOML_HEADER_ONLY 1        // Debian has a shared library as well: one more thing to install for 40 KiB of code
#define TOML_ENABLE_FORMATTERS 0  // nothing is written
#include <toml++/toml.h>

#include <algorithm>

namespace drover::registry {
namespace {

std::string place(const std::string& file, std::size_t line) { return printable(file) + ":" + std::to_string(line); }

void check_lines(std::string_view text, const std::string& file) {
  std::size_t line = 0;
  for (const std::string_view words : split(text, '\n')) {
    ++line;
    if (words.size() > toml_line_bytes_max) {
      throw Error(ErrorCode::invalid, place(file, line) + ": a line of more than " + std::to_string(toml_line_bytes_max) + " bytes");
    }
  }
}

TomlValue convert(const toml::node& node);

// The parser sorts by name.
TomlValue convert_table(const toml::table& table, std::size_t line) {
  TomlValue value{.kind = TomlValue::Kind::table, .line = line};
  for (const auto& [key, member] : table) value.members.push_back({std::string(key.str()), convert(member)});
  std::stable_sort(value.members.begin(), value.members.end(),
                   [](const TomlMember& a, const TomlMember& b) { return a.value.line < b.value.line; });
  return value;
}

TomlValue convert(const toml::node& node) {
  TomlValue value{.line = node.source().begin.line};
  if (const toml::table* const table = node.as_table()) return convert_table(*table, value.line);
  if (const toml::array* const array = node.as_array()) {
    value.kind = TomlValue::Kind::list;
    for (const toml::node& element : *array) value.list.push_back(convert(element));
  } else if (const auto* const text = node.as_string()) {
    value.kind = TomlValue::Kind::text;
    value.text = text->get();
  } else if (const auto* const truth = node.as_boolean()) {
    value.kind = TomlValue::Kind::truth;
    value.truth = truth->get();
  }
  return value;
}

}  // namespace

TomlValue parse_toml(std::string_view text, const std::filesystem::path& file) {
  if (text.size() > toml_bytes_max) throw Error(ErrorCode::invalid, place(file.string(), 1) + ": larger than " + format_bytes(toml_bytes_max));
  check_lines(text, file.string());
  try {
    return convert_table(toml::parse(text), 1);
  } catch (const toml::parse_error& error) {
    throw Error(ErrorCode::invalid, place(file.string(), error.source().begin.line) + ": " + printable(to_lower(error.description()), 200));
  }
}

const TomlValue* TomlTable::find(std::string_view key) const {
  const auto found = std::find_if(table_->members.begin(), table_->members.end(), [&](const TomlMember& member) { return member.key == key; });
  return found == table_->members.end() ? nullptr : &found->value;
}

const TomlValue* TomlTable::find(std::string_view key, TomlValue::Kind kind, std::string_view otherwise) const {
  const TomlValue* const value = find(key);
  if (value != nullptr && value->kind != kind) refuse(key, otherwise);
  return value;
}

std::optional<std::string> TomlTable::find_text(std::string_view key) const {
  const TomlValue* const value = find(key, TomlValue::Kind::text, "not a text");
  return value == nullptr ? std::nullopt : std::optional(value->text);
}

std::optional<bool> TomlTable::find_switch(std::string_view key) const {
  const TomlValue* const value = find(key, TomlValue::Kind::truth, "neither true nor false");
  return value == nullptr ? std::nullopt : std::optional(value->truth);
}

std::vector<std::string> TomlTable::find_texts(std::string_view key) const {
  std::vector<std::string> texts;
  for (std::vector<std::string>& list : find_text_lists(key)) {
    if (list.size() != 1) refuse(key, "not a list of texts");
    texts.push_back(std::move(list.front()));
  }
  return texts;
}

std::vector<std::vector<std::string>> TomlTable::find_text_lists(std::string_view key) const {
  const TomlValue* const value = find(key);
  if (value == nullptr) return {};
  const auto text_of = [&](const TomlValue& one) {
    if (one.kind != TomlValue::Kind::text) refuse(key, "neither a text nor a list of texts");
    return one.text;
  };
  if (value->kind != TomlValue::Kind::list) return {{text_of(*value)}};
  std::vector<std::vector<std::string>> lists;
  for (const TomlValue& one : value->list) {
    std::vector<std::string>& texts = lists.emplace_back();
    if (one.kind != TomlValue::Kind::list) {
      texts.push_back(text_of(one));
    } else {
      std::transform(one.list.begin(), one.list.end(), std::back_inserter(texts), text_of);
    }
  }
  return lists;
}

std::vector<TomlTable> TomlTable::find_tables(std::string_view key) const {
  const std::string otherwise = "not a list of tables, [[" + std::string(key) + "]]";
  const TomlValue* const value = find(key, TomlValue::Kind::list, otherwise);
  if (value == nullptr) return {};
  std::vector<TomlTable> tables;
  for (const TomlValue& one : value->list) {
    if (one.kind != TomlValue::Kind::table) refuse(key, otherwise);
    tables.emplace_back(one, *file_);
  }
  return tables;
}

std::vector<std::pair<std::string, TomlTable>> TomlTable::find_named_tables(std::string_view key) const {
  const TomlValue* const value = find(key, TomlValue::Kind::table, "not a table");
  if (value == nullptr) return {};
  std::vector<std::pair<std::string, TomlTable>> tables;
  for (const TomlMember& member : value->members) {
    if (member.value.kind != TomlValue::Kind::table) {
      throw Error(ErrorCode::invalid, place(*file_, member.value.line) + ": " + std::string(key) + "." + printable(member.key, 120) + ": not a table");
    }
    tables.emplace_back(member.key, TomlTable(member.value, *file_));
  }
  return tables;
}

std::vector<std::string> TomlTable::keys() const {
  std::vector<std::string> names;
  for (const TomlMember& member : table_->members) names.push_back(member.key);
  return names;
}

std::vector<std::string> TomlTable::find_keys(std::string_view key) const { return has(key) ? table(key).keys() : std::vector<std::string>(); }

TomlTable TomlTable::table(std::string_view key) const {
  const TomlValue* const value = find(key, TomlValue::Kind::table, "not a table");
  if (value == nullptr) refuse(key, "it is missing");
  return TomlTable(*value, *file_);
}

std::string TomlTable::where() const { return place(*file_, table_->line); }

std::string TomlTable::where(std::string_view key) const {
  const TomlValue* const value = find(key);
  return place(*file_, value == nullptr ? table_->line : value->line);
}

void TomlTable::refuse(std::string_view key, std::string_view why) const {
  throw Error(ErrorCode::invalid, where(key) + ": " + std::string(key) + ": " + std::string(why));
}

}  // namespace drover::registry
