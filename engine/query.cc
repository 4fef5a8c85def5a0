#include "engine/query.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

std::string checked(std::string_view name, std::string_view escaped) {
  if (!name.empty() && name != "." && name != "..") return std::string(escaped);
  throw Error(ErrorCode::invalid, "'" + std::string(name) + "' is no name that an engine knows");
}

std::string joined(std::string text, std::string_view action) {
  if (!action.empty()) text.append("/").append(action);
  return text;
}

}  // namespace

std::string to_json_text(const Filters& filters) {
  nlohmann::json document = nlohmann::json::object();
  for (const auto& [name, values] : filters) {
    for (const std::string& value : values) document[name][value] = true;
  }
  return to_request_text(document);
}

std::string object_path(std::string_view collection, std::string_view name, std::string_view action) {
  return joined("/" + std::string(collection) + "/" + checked(name, percent_encode(name)), action);
}

std::string image_path(std::string_view name, std::string_view action, std::string_view collection) {
  std::string escaped;
  for (const std::string_view part : split(name, '/')) {
    if (!escaped.empty()) escaped += '/';
    // ':' and '@' are plain characters of a path (RFC 3986 section 3.3).
    std::string piece;
    for (const char c : checked(part, part)) piece += c == ':' || c == '@' ? std::string(1, c) : percent_encode({&c, 1});
    escaped += piece;
  }
  return joined("/" + std::string(collection) + "/" + escaped, action);
}

Query& Query::text(std::string_view name, std::string_view value) { return value.empty() ? *this : set(name, value); }

Query& Query::texts(std::string_view name, const std::vector<std::string>& values) {
  for (const std::string& value : values) set(name, value);
  return *this;
}

Query& Query::flag(std::string_view name, bool value) { return value ? set(name, "1") : *this; }

Query& Query::filters(const Filters& filters) { return filters.empty() ? *this : set("filters", to_json_text(filters)); }

Query& Query::number(std::string_view name, std::int64_t value) { return set(name, std::to_string(value)); }

Query& Query::set(std::string_view name, std::string_view value) {
  text_ += text_.find('?') == std::string::npos ? '?' : '&';
  text_.append(name).append("=").append(percent_encode(value));
  return *this;
}

}  // namespace drover::engine
