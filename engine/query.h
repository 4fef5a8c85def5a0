// The one place where paths and queries of Engine API calls are put together, each value escaped.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::engine {

// The API's `filters`: every value of a name is wanted, or any, as the filter says: {{"label", {"a=b"}}, {"status", {"exited"}}}.
using Filters = std::map<std::string, std::vector<std::string>>;

// {"label":{"a=b":true}}: the form of API 1.22 and later.
std::string to_json_text(const Filters& filters);

// "/containers/" + name + "/json", the name escaped. Throws invalid for one that would name another path: empty, ".", "..".
std::string object_path(std::string_view collection, std::string_view name, std::string_view action = {});
// The same for images, whose names keep their slashes, colon and at-sign: "/images/ghcr.io/acme/api:1/json".
std::string image_path(std::string_view name, std::string_view action = {}, std::string_view collection = "images");

// "/containers/json?all=1&filters=%7B...". A value.
class Query {
 public:
  explicit Query(std::string path) : text_(std::move(path)) {}

  // Parameters that are left out when they are empty or false, since the engine's default is then what is meant.
  Query& text(std::string_view name, std::string_view value);
  Query& texts(std::string_view name, const std::vector<std::string>& values);  // repeated
  Query& flag(std::string_view name, bool value);
  Query& filters(const Filters& filters);
  // Parameters that are always sent.
  Query& number(std::string_view name, std::int64_t value);
  Query& set(std::string_view name, std::string_view value);

  const std::string& path() const { return text_; }

 private:
  std::string text_;
};

}  // namespace drover::engine
