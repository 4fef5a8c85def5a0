#include "compose/go_json.h"

#include "compose/quantity.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string_view>

namespace drover::compose {
namespace {

// Length of the UTF-8 character at the start, 0 when it is broken (Go's unicode/utf8: no surrogates, nothing overlong).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!continues(1) || !continues(2) || (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3) || (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F))
      return 0;
    return 4;
  }
  return 0;
}

std::string escaped_byte(unsigned char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  return std::string("\\u00") + digits[c >> 4] + digits[c & 15];
}

class Writer {
 public:
  explicit Writer(JsonLayout layout) : is_indented_(layout == JsonLayout::indented) {}

  void write(const nlohmann::ordered_json& value) {
    if (value.is_object()) {
      write_list(value, '{', '}');
    } else if (value.is_array()) {
      write_list(value, '[', ']');
    } else if (value.is_string()) {
      write_string(value.get_ref<const std::string&>());
    } else if (value.is_number_float()) {
      out += format_float(value.get<double>());
    } else {
      out += value.dump();
    }
  }

  std::string out;

 private:
  void write_list(const nlohmann::ordered_json& value, char open, char close) {
    out += open;
    ++depth_;
    bool is_first = true;
    for (auto item = value.begin(); item != value.end(); ++item) {
      if (!is_first) out += ',';
      is_first = false;
      break_line();
      if (value.is_object()) {
        write_string(item.key());
        out += is_indented_ ? ": " : ":";
      }
      write(*item);
    }
    --depth_;
    if (!is_first) break_line();
    out += close;
  }

  void break_line() {
    if (is_indented_) out += "\n" + std::string(2 * depth_, ' ');
  }

  void write_string(std::string_view text) {
    out += '"';
    while (!text.empty()) {
      const std::size_t length = character_length(text);
      if (length == 1) {
        write_ascii(text[0]);
      } else if (length == 0) {
        out += "\\ufffd";
      } else if (text.starts_with("\xE2\x80\xA8")) {
        out += "\\u2028";
      } else if (text.starts_with("\xE2\x80\xA9")) {
        out += "\\u2029";
      } else {
        out += text.substr(0, length);
      }
      text.remove_prefix(length == 0 ? 1 : length);
    }
    out += '"';
  }

  void write_ascii(char c) {
    switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
      out += escaped_byte(byte);
    } else {
      out += c;
    }
  }

  bool is_indented_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string to_go_json(const nlohmann::ordered_json& value, JsonLayout layout) {
  Writer writer(layout);
  writer.write(value);
  return std::move(writer.out);
}

}  // namespace drover::compose
