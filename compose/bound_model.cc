#include "compose/bound_model.h"

#include "base/text.h"
#include "compose/invalid.h"
#include "compose/quantity.h"
#include "compose/shell_words.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

namespace drover::compose {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view extension_prefix = "x-";
constexpr char hidden = '\xff';  // first of a key that is not printed

struct Field {
  std::string_view key;
  std::string_view type;
  bool is_always_printed = false;
};

using ShapeTable = std::map<std::string_view, std::vector<Field>>;

const ShapeTable& fields_by_shape() {
  static const ShapeTable table = [] {
    ShapeTable parsed;
    for (const ModelShape& shape : model_shapes()) {
      for (const std::string_view word : split(shape.members, ' ')) {
        const std::size_t colon = word.find(':');
        Field field{word.substr(0, colon), word.substr(colon + 1), false};
        if (field.key.ends_with('!')) {
          field.key.remove_suffix(1);
          field.is_always_printed = true;
        }
        parsed[shape.name].push_back(field);
      }
    }
    return parsed;
  }();
  return table;
}

bool is_empty(const Json& value) {
  if (value.is_null()) return true;
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == 0;
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.empty();
}

bool is_extension(std::string_view key) {
  return key.starts_with(extension_prefix);
}

// docker compose takes a label or variable of a mapping that starts with "x-" for an extension, and then puts all of them under
// one key, as Go prints a map. The config hash has it so, too.
void add_taken_for_extensions(std::map<std::string, Json>& members, const Node& node) {
  std::map<std::string_view, std::string_view> taken;
  for (const Member& member : node.members)
    if (is_extension(member.key))
      taken.emplace(member.key, member.value.is_null() ? "<nil>" : std::string_view(member.value.text));
  if (taken.empty()) return;
  std::string text;
  for (const auto& [key, value] : taken) text += (text.empty() ? "" : " ") + std::string(key) + ":" + std::string(value);
  members["#extensions"] = "map[" + text + "]";
}

// A tree without types of its own: extensions.
Json to_plain(const Node& node) {
  if (node.is_mapping()) {
    std::map<std::string_view, const Node*> sorted;
    for (const Member& member : node.members) sorted.emplace(member.key, &member.value);
    Json object = Json::object();
    for (const auto& [key, value] : sorted) object[std::string(key)] = to_plain(*value);
    return object;
  }
  if (node.is_sequence()) {
    Json list = Json::array();
    for (const Node& item : node.items) list.push_back(to_plain(item));
    return list;
  }
  return to_json(node);
}

Json sorted_object(const std::map<std::string, Json>& members) {
  Json object = Json::object();
  for (const auto& [key, value] : members) object[key] = value;
  return object;
}

class Binder {
 public:
  Json bind_structure(const Node& node, std::string_view shape) {
    require(node, node.is_mapping(), "a mapping");
    Json object = Json::object();
    for (const Field& field : fields_by_shape().at(shape)) {
      const Node* value = find(node, field.key);
      const PathStep step(path_, field.key);
      Json bound = value && !value->is_null() ? bind(*value, field.type) : missing(field.type);
      if (field.is_always_printed || is_printed(bound, field.type)) object[std::string(field.key)] = std::move(bound);
    }
    add_extensions(object, node);
    if (shape == "BindOptions" && node.find("create_host_path") && !object.contains("create_host_path"))
      object[std::string(refused_host_path_key)] = false;
    if (const Node* mode = node.find("mode"); shape == "FileReference" && mode && mode->is_string())
      object[std::string(text_mode_key)] = mode->text;
    return object;
  }

  Json bind_resources(const Node& node, std::string_view shape) {
    require(node, node.is_mapping(), "a mapping");
    std::map<std::string, Json> resources;
    for (const Member& member : node.members) {
      const PathStep step(path_, member.key);
      resources[member.key] = member.value.is_null() ? Json() : bind_structure(member.value, shape);
    }
    return sorted_object(resources);
  }

  TreePath& path() { return path_; }

 private:
  // Two structures have keys in another case than the file's.
  static const Node* find(const Node& node, std::string_view key) {
    return node.find(is_upper(key[0]) ? to_lower(key) : std::string(key));
  }

  void require(const Node& node, bool is_right, std::string_view wanted) const {
    if (!is_right) throw refusal(node, wanted);
  }

  Error refusal(const Node& node, std::string_view wanted) const {
    const bool has_text = node.is_scalar() && !node.is_null() && node.kind != Node::Kind::boolean;
    const std::string what = has_text ? "\"" + printable(node.text, 80) + "\"" : std::string(describe(node.kind));
    return invalid(node.origin, path_, "must be " + std::string(wanted) + ", not " + what);
  }

  static void add_extensions(Json& object, const Node& node) {
    std::map<std::string, Json> extensions;
    for (const Member& member : node.members)
      if (is_extension(member.key)) extensions[member.key] = to_plain(member.value);
    if (!extensions.empty()) object[std::string(extensions_key)] = sorted_object(extensions);
  }

  static bool is_printed(const Json& bound, std::string_view type) {
    if (type.ends_with('?') && !type.starts_with('{')) return !bound.is_null();
    if (is_upper(type[0])) return true;
    if (bound.is_null()) return false;
    if (type == "bytes") return bound != "0";
    if (type == "duration") return bound != "0s";
    return !is_empty(bound);
  }

  Json missing(std::string_view type) {
    if (!is_upper(type[0]) || type.ends_with('?')) return type == "bool" ? Json(false) : type == "bytes" ? Json("0") : Json();
    return bind_structure(Node::make_mapping(), type);
  }

  Json bind(const Node& node, std::string_view type) {
    if (type.ends_with('?')) type.remove_suffix(1);
    if (is_upper(type[0])) return type == "Ulimit" ? bind_ulimit(node) : bind_structure(node, type);
    if (type[0] == '[') return bind_list(node, type.substr(1, type.size() - 2));
    if (type[0] == '{') return bind_mapping(node, type.substr(1, type.size() - 2));
    struct Row {
      std::string_view type;
      Json (Binder::*bind)(const Node&);
    };
    static constexpr Row rows[] = {
        {"string", &Binder::bind_string},     {"bool", &Binder::bind_bool},        {"int", &Binder::bind_int},
        {"uint", &Binder::bind_uint},         {"float", &Binder::bind_float},      {"bytes", &Binder::bind_bytes},
        {"duration", &Binder::bind_duration}, {"mode", &Binder::bind_mode},        {"count", &Binder::bind_count},
        {"strings", &Binder::bind_strings},   {"texts", &Binder::bind_texts},      {"command", &Binder::bind_command},
        {"test", &Binder::bind_test},         {"mapping", &Binder::bind_text_map}, {"environment", &Binder::bind_environment},
        {"labels", &Binder::bind_text_map},   {"options", &Binder::bind_text_map}, {"multi", &Binder::bind_multi},
        {"hosts", &Binder::bind_hosts},       {"ssh", &Binder::bind_ssh},
    };
    for (const Row& row : rows)
      if (row.type == type) return (this->*row.bind)(node);
    throw Error(ErrorCode::failed, "no such type in the model's table: " + std::string(type));
  }

  Json bind_list(const Node& node, std::string_view item_type) {
    require(node, node.is_sequence(), "a list");
    Json list = Json::array();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const PathStep step(path_, "[" + std::to_string(i) + "]");
      if (item_type == "EnvFile") {
        list.push_back(bind_env_file(node.items[i]));
      } else {
        list.push_back(bind_structure(node.items[i], item_type));
      }
    }
    return list;
  }

  // An env file that must be there is just its path.
  Json bind_env_file(const Node& node) {
    Json file = bind_structure(node, "EnvFile");
    return file["required"] == true && !file.contains("format") ? file["path"] : file;
  }

  Json bind_mapping(const Node& node, std::string_view value_type) {
    require(node, node.is_mapping(), "a mapping");
    std::map<std::string, Json> members;
    for (const Member& member : node.members) {
      const PathStep step(path_, member.key);
      members[member.key] = member.value.is_null() ? Json() : bind(member.value, value_type);
    }
    return sorted_object(members);
  }

  Json bind_ulimit(const Node& node) {
    if (node.is_mapping()) return bind_structure(node, "Ulimit");
    const Json single = bind_int(node);
    return single == 0 ? Json::object() : single;
  }

  Json bind_string(const Node& node) {
    require(node, node.is_string() || node.kind == Node::Kind::integer, "a string");
    return node.text;
  }

  Json bind_bool(const Node& node) {
    if (node.kind == Node::Kind::boolean) return node.text == "true";
    const auto value = node.is_string() ? parse_boolean(node.text) : std::nullopt;
    if (!value) throw refusal(node, "a boolean");
    return *value;
  }

  std::optional<std::int64_t> whole_number(const Node& node) {
    if (node.kind == Node::Kind::integer || node.is_string()) return parse_integer(node.text);
    const auto value = node.kind == Node::Kind::number ? parse_number(node.text) : std::nullopt;
    if (!value || !(std::fabs(*value) < 9e18)) return std::nullopt;
    return static_cast<std::int64_t>(*value);
  }

  Json bind_int(const Node& node) {
    const auto value = whole_number(node);
    if (!value) throw refusal(node, "an integer");
    return *value;
  }

  Json bind_uint(const Node& node) {
    const auto value = node.is_string() ? std::nullopt : whole_number(node);
    if (!value || *value < 0) throw refusal(node, "an integer that is not negative");
    return *value;
  }

  Json bind_float(const Node& node) {
    const bool is_number = node.is_string() || node.kind == Node::Kind::integer || node.kind == Node::Kind::number;
    const auto value = is_number ? parse_number(node.text) : std::nullopt;
    if (!value || !std::isfinite(*value)) throw refusal(node, "a number");
    const double narrow =
        parse_number(format_float(static_cast<float>(*value))).value_or(0);  // the double that has the float's digits
    const bool is_whole = std::trunc(narrow) == narrow && std::fabs(narrow) < 1e15;
    return is_whole ? Json(static_cast<std::int64_t>(narrow)) : Json(narrow);
  }

  // As text, for JSON has no integers of 64 bits. A number with a fraction means nothing to docker compose.
  Json bind_bytes(const Node& node) {
    if (node.kind == Node::Kind::integer) return std::to_string(bind_int(node).get<std::int64_t>());
    if (node.kind == Node::Kind::number) return "0";
    const auto value = node.is_string() ? parse_byte_count(node.text) : std::nullopt;
    if (!value) throw refusal(node, "a size such as 512m");
    return std::to_string(*value);
  }

  Json bind_duration(const Node& node) {
    const auto value = node.is_scalar() ? parse_duration(node.text) : std::nullopt;
    if (!value) throw refusal(node, "a duration such as 1m30s");
    return format_duration(*value);
  }

  // A string is octal, a number is what YAML made of it.
  Json bind_mode(const Node& node) {
    std::int64_t mode = 0;
    bool is_right = node.kind == Node::Kind::integer;
    if (is_right) mode = bind_int(node).get<std::int64_t>();
    if (node.is_string() && !node.text.empty() && node.text.size() < 20) {
      is_right = std::all_of(node.text.begin(), node.text.end(), [](char c) { return c >= '0' && c <= '7'; });
      for (const char c : node.text) mode = mode * 8 + (c - '0');
    }
    require(node, is_right && mode >= 0, "an octal file mode such as 0440");
    std::string digits;
    for (std::int64_t rest = mode; rest > 0; rest /= 8) digits.insert(digits.begin(), static_cast<char>('0' + rest % 8));
    return "0" + (digits.empty() ? "0" : digits);
  }

  Json bind_count(const Node& node) {
    if (node.is_string() && to_lower(node.text) == "all") return -1;
    const auto value = whole_number(node);
    if (!value) throw refusal(node, "a number or \"all\"");
    return *value;
  }

  Json bind_strings(const Node& node) {
    if (node.is_string()) return Json::array({node.text});
    require(node, node.is_sequence(), "a list");
    Json list = Json::array();
    for (const Node& item : node.items) {
      require(item, item.is_string() || item.kind == Node::Kind::integer, "a string");
      list.push_back(item.text);
    }
    return list;
  }

  Json bind_texts(const Node& node) {
    require(node, node.is_sequence(), "a list");
    Json list = Json::array();
    for (const Node& item : node.items) list.push_back(item.text);
    return list;
  }

  Json bind_command(const Node& node) {
    if (!node.is_string()) return bind_strings(node);
    const auto words = split_shell_words(node.text);
    if (!words)
      throw invalid(
          node.origin, path_, "\"" + printable(node.text, 80) + "\" has an open quote or a parenthesis: write it as a list");
    return *words;
  }

  Json bind_test(const Node& node) {
    if (node.is_string()) return Json::array({"CMD-SHELL", node.text});
    return bind_strings(node);
  }

  // Null is "", and so is an item of a list without "=".
  Json bind_text_map(const Node& node) {
    std::map<std::string, Json> members;
    for (const Node& item : node.items) {
      const std::size_t equals = item.text.find('=');
      members[item.text.substr(0, equals)] = equals == std::string::npos ? std::string() : item.text.substr(equals + 1);
    }
    for (const Member& member : node.members) {
      if (!is_extension(member.key)) require(member.value, member.value.is_scalar(), "a string");
      if (!is_extension(member.key)) members[member.key] = member.value.text;
    }
    add_taken_for_extensions(members, node);
    require(node, !node.is_scalar(), "a mapping");
    return sorted_object(members);
  }

  // Null stays: the container gets the variable unset.
  Json bind_environment(const Node& node) {
    std::map<std::string, Json> members;
    for (const Node& item : node.items) {
      const std::size_t equals = item.text.find('=');
      const std::string key = item.text.substr(0, equals);
      if (key.ends_with(' ') || key.ends_with('\t'))
        throw invalid(item.origin, path_, "variable \"" + printable(key, 80) + "\" has a space at its end");
      members[key] = equals == std::string::npos ? Json() : Json(item.text.substr(equals + 1));
    }
    for (const Member& member : node.members)
      if (!is_extension(member.key)) members[member.key] = member.value.is_null() ? Json() : Json(member.value.text);
    add_taken_for_extensions(members, node);
    require(node, !node.is_scalar(), "a mapping");
    return sorted_object(members);
  }

  Json bind_multi(const Node& node) {
    require(node, node.is_mapping(), "a mapping");
    std::map<std::string, Json> members;
    for (const Member& member : node.members)
      members[member.key] = member.value.is_sequence() ? bind_texts(member.value) : Json::array({member.value.text});
    return sorted_object(members);
  }

  Json bind_ssh(const Node& node) {
    require(node, node.is_mapping(), "a mapping");
    Json list = Json::array();
    for (const Member& member : node.members)
      list.push_back(member.value.is_null() ? member.key : member.key + "=" + member.value.text);
    return list;
  }

  // Sorted "host=address"; the file may have "host:address", several addresses with commas, brackets around IPv6.
  Json bind_hosts(const Node& node) {
    std::vector<std::string> hosts;
    const auto add = [&](const Node& at, const std::string& host, std::string_view address) {
      if (host.empty() || host.find_first_of(":=") != std::string::npos)
        throw invalid(at.origin, path_, "bad host name \"" + printable(host, 80) + "\"");
      if (address.size() > 2 && address.front() == '[' && address.back() == ']') address = address.substr(1, address.size() - 2);
      hosts.push_back(host + "=" + std::string(address));
    };
    for (const Node& item : node.items) {
      std::size_t separator = item.text.find('=');
      if (separator == std::string::npos) separator = item.text.find(':');
      if (separator == std::string::npos)
        throw invalid(item.origin, path_, "\"" + printable(item.text, 80) + "\" has no address: use host=address");
      for (const std::string_view address : split(std::string_view(item.text).substr(separator + 1), ','))
        add(item, item.text.substr(0, separator), address);
    }
    for (const Member& member : node.members) {
      if (member.value.is_scalar()) add(member.value, member.key, member.value.text);
      for (const Node& address : member.value.items) add(address, member.key, address.text);
    }
    std::sort(hosts.begin(), hosts.end());
    return hosts;
  }

  TreePath path_;
};

struct Section {
  std::string_view key;
  std::string_view shape;
};

constexpr Section sections[] = {{"services", "Service"},
                                {"networks", "Network"},
                                {"volumes", "VolumeResource"},
                                {"secrets", "FileObject"},
                                {"configs", "FileObject"},
                                {"models", "Model"}};

}  // namespace

Json bind_model(const Node& project) {
  Binder binder;
  Json model = Json::object();
  model["name"] = project.text_of("name");
  for (const Section& section : sections) {
    const Node* resources = project.find(section.key);
    const PathStep step(binder.path(), section.key);
    Json bound = resources && !resources->is_null() ? binder.bind_resources(*resources, section.shape) : Json::object();
    if (section.key == "services" || !bound.empty()) model[std::string(section.key)] = std::move(bound);
  }
  std::map<std::string, Json> extensions;
  for (const Member& member : project.members)
    if (is_extension(member.key)) extensions[member.key] = to_plain(member.value);
  if (!extensions.empty()) model[std::string(extensions_key)] = sorted_object(extensions);
  return model;
}

Json without_extensions(const Json& value) {
  if (value.is_object()) {
    Json object = Json::object();
    for (auto member = value.begin(); member != value.end(); ++member)
      if (!member.key().starts_with(hidden)) object[member.key()] = without_extensions(*member);
    return object;
  }
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) list.push_back(without_extensions(item));
    return list;
  }
  return value;
}

}  // namespace drover::compose
