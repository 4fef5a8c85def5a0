#include "compose/service_files.h"

#include "base/text.h"
#include "compose/input_file.h"
#include "compose/invalid.h"

#include <optional>

namespace drover::compose {
namespace {

constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";

// `format: raw`, the rules of `docker run --env-file`: a line each, nothing is replaced, a name alone takes the value it has
// outside.
void parse_raw(std::string_view text, const std::string& file, const VariableLookup& outer, Environment& values) {
  if (text.starts_with(utf8_mark)) text.remove_prefix(utf8_mark.size());
  std::size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (!line.empty() && (line[0] == ' ' || line[0] == '\t')) line.remove_prefix(1);
    if (line.empty() || line[0] == '#') continue;
    const std::size_t equals = line.find('=');
    const std::string name(line.substr(0, equals));
    if (name.empty() || name.find_first_of(" \t") != std::string::npos)
      throw Error(ErrorCode::invalid, file + ":" + std::to_string(number) + ": not NAME=value");
    if (equals != std::string_view::npos) {
      values.insert_or_assign(name, std::string(line.substr(equals + 1)));
    } else if (auto value = outer(name)) {
      values.insert_or_assign(name, std::move(*value));
    }
  }
}

// A list of "name=value" as a mapping.
Node to_mapping(const Node* node) {
  if (!node || node->is_null()) return Node::make_mapping();
  if (!node->is_sequence()) return *node;
  Node mapping = Node::make_mapping(node->origin);
  for (const Node& item : node->items) {
    const std::size_t equals = item.text.find('=');
    Node value = equals == std::string::npos ? Node() : Node::make_string(item.text.substr(equals + 1), item.origin);
    value.origin = item.origin;
    mapping.set(item.text.substr(0, equals), std::move(value));
  }
  return mapping;
}

// What the files hold and the node does not.
void add_missing(Node& node, const Environment& values, const Origin& origin) {
  for (const auto& [key, value] : values)
    if (!node.find(key)) node.set(key, Node::make_string(value, origin));
}

// Nothing when the file is missing and may be.
std::optional<std::string> read_file(const Node& path_node, bool is_required, const TreePath& path) {
  std::optional<std::string> text = try_read_input(path_node.text, dotenv_bytes_max);
  if (!text && is_required)
    throw Error(ErrorCode::not_found, path_node.origin.to_string() + ": " + to_string(path) + ": cannot find " + path_node.text);
  return text;
}

class ServiceFileReader {
 public:
  ServiceFileReader(std::string_view name, Node& service, const Environment& environment, WarningList& warnings)
      : name_(name), service_(service), environment_(environment), warnings_(warnings) {}

  void read_env_files() {
    const Node* files = service_.find("env_file");
    if (!files) return;
    Node own = to_mapping(service_.find("environment"));
    Environment values;
    for (const Member& variable : own.members)
      if (!variable.value.is_null()) values.insert_or_assign(variable.key, variable.value.text);
    const Environment own_values = values;
    const VariableLookup lookup = [&](std::string_view name) -> std::optional<std::string> {
      if (const auto found = environment_.find(name); found != environment_.end()) return found->second;
      const auto found = own_values.find(name);
      return found == own_values.end() ? std::nullopt : std::optional(found->second);
    };
    const Origin origin = files->origin;
    for (const Node& file : files->items) read_env_file(file, lookup, values);
    add_missing(own, values, origin);
    service_.remove("env_file");
    if (!own.members.empty()) service_.set("environment", std::move(own));
  }

  void read_label_files() {
    const Node* files = service_.find("label_file");
    if (!files) return;
    Environment values;
    const VariableLookup lookup = [](std::string_view) -> std::optional<std::string> { return std::nullopt; };
    const TreePath path = {"services", std::string(name_), "label_file"};
    for (const Node& file : files->items)
      if (const auto text = read_file(file, true, path)) parse_dotenv(*text, file.text, lookup, values, warnings_);
    Node own = to_mapping(service_.find("labels"));
    add_missing(own, values, files->origin);
    if (!own.members.empty()) service_.set("labels", std::move(own));
  }

 private:
  void read_env_file(const Node& file, const VariableLookup& lookup, Environment& values) {
    const TreePath path = {"services", std::string(name_), "env_file"};
    const Node* path_node = file.find("path");
    if (!path_node) throw invalid(file.origin, path, "`path` is missing");
    const Node* required = file.find("required");
    const auto text = read_file(*path_node, !required || required->text != "false", path);
    if (!text) return;
    const std::string_view format = file.text_of("format");
    if (format == "raw") {
      parse_raw(*text, path_node->text, lookup, values);
    } else if (format.empty()) {
      parse_dotenv(*text, path_node->text, lookup, values, warnings_);
    } else {
      throw invalid(file.origin, path, "unknown format \"" + printable(format, 40) + "\": use raw, or leave it out");
    }
  }

  std::string_view name_;
  Node& service_;
  const Environment& environment_;
  WarningList& warnings_;
};

}  // namespace

void read_service_files(std::string_view name, Node& service, const Environment& environment, WarningList& warnings) {
  ServiceFileReader files(name, service, environment, warnings);
  files.read_env_files();
  files.read_label_files();
}

}  // namespace drover::compose
