#include "manifest/json_document.h"

#include "base/error.h"
#include "base/text.h"
#include "manifest/manifest.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <map>

namespace drover {

namespace {

using Json = nlohmann::json;

constexpr std::size_t shown_bytes_max = 60;  // of a key in a message

std::string in_quotes(std::string_view text) { return '"' + printable(text, shown_bytes_max) + '"'; }

// Builds the document and stops at the first thing that is refused; why_ then says what it was.
class StrictBuilder : public Json::json_sax_t {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  // Only numbers with a sign arrive here, those without in number_unsigned; the kind is kept, so that "-0" is no plain integer.
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not of JSON
  bool start_object(std::size_t) override { return open(Json::value_t::object); }
  bool start_array(std::size_t) override { return open(Json::value_t::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& key) override {
    Json& object = *open_.back();
    if (object.contains(key)) {
      why_ = "the key " + in_quotes(key) + " is there twice in one object";
      return false;
    }
    key_ = std::move(key);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    why_ = "not JSON at byte " + std::to_string(position);
    return false;
  }

  const std::string& why() const { return why_; }
  Json take() { return std::move(root_); }

 private:
  bool add(Json value) { return place(std::move(value)) != nullptr; }

  bool open(Json::value_t type) {
    if (open_.size() == json_depth_max) {
      why_ = "nested deeper than " + std::to_string(json_depth_max) + " levels";
      return false;
    }
    Json* placed = place(Json(type));
    if (placed == nullptr) return false;
    open_.push_back(placed);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  // Where the value came to stand; it stays there until its parent is closed.
  Json* place(Json value) {
    if (++values_ > json_values_max) {
      why_ = "more than " + std::to_string(json_values_max) + " values";
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.get_ref<Json::array_t&>().push_back(std::move(value));
      return &parent.get_ref<Json::array_t&>().back();
    }
    return &(parent.get_ref<Json::object_t&>()[key_] = std::move(value));
  }

  Json root_;
  std::vector<Json*> open_;
  Json::string_t key_;
  std::size_t values_ = 0;
  std::string why_;
};

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view long_s = "\xC5\xBF";           // U+017F
constexpr std::string_view kelvin_sign = "\xE2\x84\xAA";  // U+212A

}  // namespace

void refuse_json(std::string_view name, std::string_view why) {
  throw Error(ErrorCode::invalid, std::string(name) + ": " + std::string(why));
}

Json parse_json_strictly(std::string_view bytes, std::string_view what) {
  // The library skips a mark and takes NUL for the end of its input; others refuse both.
  if (bytes.starts_with(byte_order_mark)) refuse_json(what, "not JSON: it begins with a byte order mark");
  if (const std::size_t nul = bytes.find('\0'); nul != std::string_view::npos) {
    refuse_json(what, "not JSON at byte " + std::to_string(nul) + ": a NUL");
  }
  StrictBuilder builder;
  if (!Json::sax_parse(bytes.begin(), bytes.end(), &builder)) refuse_json(what, builder.why());
  return builder.take();
}

std::string fold_key(std::string_view key) {
  std::string folded;
  folded.reserve(key.size());
  for (std::size_t i = 0; i < key.size();) {
    const std::string_view rest = key.substr(i);
    if (rest.starts_with(long_s)) {
      folded += 's';
      i += long_s.size();
    } else if (rest.starts_with(kelvin_sign)) {
      folded += 'k';
      i += kelvin_sign.size();
    } else {
      folded += is_upper(rest.front()) ? static_cast<char>(rest.front() - 'A' + 'a') : rest.front();
      ++i;
    }
  }
  return folded;
}

JsonObject::JsonObject(const Json& value, std::string where, std::span<const std::string_view> known)
    : value_(&value), where_(std::move(where)) {
  if (!value.is_object()) refuse_json(where_, "not a JSON object");
  std::map<std::string, std::string_view> spelt;
  for (const std::string_view key : known) spelt.emplace(fold_key(key), key);
  for (const auto& member : value.get_ref<const Json::object_t&>()) {
    const auto [other, is_new] = spelt.emplace(fold_key(member.first), member.first);
    if (!is_new && other->second != member.first) {
      refuse_json(where_, "the keys " + in_quotes(other->second) + " and " + in_quotes(member.first) + " differ only in case");
    }
  }
}

std::string JsonObject::name_of(std::string_view key) const { return where_ + '.' + std::string(key); }

const Json* JsonObject::find(std::string_view key) const {
  const auto& members = value_->get_ref<const Json::object_t&>();
  const auto found = members.find(std::string(key));
  return found == members.end() || found->second.is_null() ? nullptr : &found->second;
}

std::optional<std::string> JsonObject::find_string(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse_json(name_of(key), "not a string");
  return value->get_ref<const std::string&>();
}

std::vector<std::string> JsonObject::find_strings(std::string_view key) const {
  std::vector<std::string> strings;
  const Json* value = find(key);
  if (value == nullptr) return strings;
  if (!value->is_array()) refuse_json(name_of(key), "not an array of strings");
  for (const Json& element : *value) {
    if (!element.is_string()) refuse_json(name_of(key), "not an array of strings");
    strings.push_back(element.get_ref<const std::string&>());
  }
  return strings;
}

std::string JsonObject::string(std::string_view key) const {
  auto value = find_string(key);
  if (!value) refuse_json(name_of(key), "missing");
  return *std::move(value);
}

std::uint64_t JsonObject::uint(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) refuse_json(name_of(key), "missing");
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > largest) {
    refuse_json(name_of(key), "not a plain integer below 2^63");
  }
  return value->get<std::uint64_t>();
}

std::vector<const Json*> JsonObject::array(std::string_view key, std::size_t count_max) const {
  if (!value_->contains(std::string(key))) refuse_json(name_of(key), "missing");
  std::vector<const Json*> elements;
  const Json* value = find(key);
  if (value == nullptr) return elements;
  if (!value->is_array()) refuse_json(name_of(key), "not an array");
  if (value->size() > count_max) {
    refuse_json(name_of(key), "has " + std::to_string(value->size()) + " entries, more than " + std::to_string(count_max));
  }
  for (const Json& element : *value) elements.push_back(&element);
  return elements;
}

}  // namespace drover
