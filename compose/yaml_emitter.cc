#include "compose/yaml_emitter.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/quantity.h"
#include "compose/yaml.h"

#include <libfyaml.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

namespace drover::compose {
namespace {

using Json = nlohmann::ordered_json;

struct DocumentDeleter {
  void operator()(fy_document* document) const { fy_document_destroy(document); }
};

struct TextDeleter {
  void operator()(char* text) const { std::free(text); }
};

enum class Style { plain, single_quoted, double_quoted };

// Words that YAML 1.1 takes for booleans, beside those of 1.2.
bool is_old_boolean(std::string_view text) {
  constexpr std::string_view words[] = {"y", "n", "yes", "no", "on", "off"};
  return std::find(std::begin(words), std::end(words), to_lower(text)) != std::end(words);
}

// 1:30 and 1:30:15 are numbers for YAML 1.1.
bool is_sexagesimal(std::string_view text) {
  return text.find(':') != std::string_view::npos && std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || c == ':' || c == '.' || c == '-' || c == '+';
         });
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

Style style_of(std::string_view text) {
  const auto is_odd = [](char c) { return is_control(c) || static_cast<unsigned char>(c) > 0x7f; };
  if (text.empty() || std::any_of(text.begin(), text.end(), is_odd)) return Style::double_quoted;
  const bool is_string = resolve_plain_scalar(text).kind == Node::Kind::string;
  if (!is_string || is_old_boolean(text) || is_sexagesimal(text) || text == "<<" || text == "=") return Style::double_quoted;
  constexpr std::string_view starts = "-?:#&*!|>'\"%@` ";
  const bool is_marked = starts.find(text.front()) != std::string_view::npos || text.back() == ' ' || text.back() == ':';
  const bool is_parted = text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos;
  return is_marked || is_parted || text.find_first_of(",[]{}") != std::string_view::npos ? Style::single_quoted : Style::plain;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

std::string scalar_text(const std::string& text) {
  switch (style_of(text)) {
  case Style::plain:
    return text;
  case Style::single_quoted:
    return "'" + replace_all(text, "'", "''") + "'";
  case Style::double_quoted:
    break;
  }
  // JSON's escapes are YAML's; what some readers take for the end of a line is escaped besides.
  std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  constexpr std::pair<std::string_view, std::string_view> breaks[] = {
      {"\xC2\x85", "\\N"}, {"\xE2\x80\xA8", "\\L"}, {"\xE2\x80\xA9", "\\P"}, {"\x7f", "\\x7f"}};
  for (const auto& [from, to] : breaks) quoted = replace_all(std::move(quoted), from, to);
  return quoted;
}

// One line in flow style, every scalar as it is to be: libfyaml keeps that and lays the blocks out. (Its emitter of events puts a
// list that starts with a mapping into flow style; 0.7.12.)
void append_flow(std::string& out, const Json& value) {
  if (value.is_string()) {
    out += scalar_text(value.get_ref<const std::string&>());
  } else if (value.is_number_float()) {
    out += format_float(value.get<double>());
  } else if (!value.is_structured()) {
    out += value.dump();
  } else {
    out += value.is_object() ? '{' : '[';
    bool is_first = true;
    for (auto item = value.begin(); item != value.end(); ++item) {
      if (!is_first) out += ", ";
      is_first = false;
      if (value.is_object()) out += scalar_text(item.key()) + ": ";
      append_flow(out, *item);
    }
    out += value.is_object() ? '}' : ']';
  }
}

}  // namespace

std::string emit_yaml(const Json& value) {
  std::string flow;
  append_flow(flow, value);
  const std::unique_ptr<fy_document, DocumentDeleter> document(fy_document_build_from_string(nullptr, flow.data(), flow.size()));
  constexpr auto flags = static_cast<fy_emitter_cfg_flags>(FYECF_MODE_BLOCK | FYECF_INDENT_2 | FYECF_WIDTH_INF);
  const std::unique_ptr<char, TextDeleter> text(document ? fy_emit_document_to_string(document.get(), flags) : nullptr);
  if (!text) throw Error(ErrorCode::failed, "libfyaml cannot write the project as YAML");
  std::string result = text.get();
  if (!result.ends_with('\n')) result += '\n';
  return result;
}

}  // namespace drover::compose
