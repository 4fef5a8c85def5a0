#include "compose/dotenv.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/input_file.h"

#include <array>
#include <optional>

namespace drover::compose {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'; }

// Letters beyond ASCII are allowed in keys; every byte of their UTF-8 form is above 0x7f.
bool is_key_character(char c) {
  return is_alnum(c) || c == '_' || c == '.' || c == '-' || c == '[' || c == ']' || static_cast<unsigned char>(c) > 0x7f;
}

// \0 and up to three octal digits; exactly three make a character, as in Go.
struct OctalEscape {
  std::size_t length;  // of the whole escape
  std::optional<char32_t> character;
};

OctalEscape octal_escape(std::string_view text) {
  std::size_t digits = 0;
  while (digits < 3 && 2 + digits < text.size() && is_digit(text[2 + digits])) ++digits;
  OctalEscape escape{2 + digits, std::nullopt};
  if (digits != 3) return escape;
  char32_t value = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    if (text[2 + i] > '7') return escape;
    value = value * 8 + static_cast<char32_t>(text[2 + i] - '0');
  }
  if (value <= 0xff) escape.character = value;
  return escape;
}

void append_utf8(std::string& out, char32_t character) {  // up to U+00FF
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else {
    out += static_cast<char>(0xc0 | (character >> 6));
    out += static_cast<char>(0x80 | (character & 0x3f));
  }
}

// What double quotes understand. \$ becomes $$, so that the interpolation that follows leaves one dollar.
std::string expand_escapes(std::string_view text) {
  static constexpr std::array<std::pair<char, std::string_view>, 10> escapes = {{{'a', "\a"},
                                                                                  {'b', "\b"},
                                                                                  {'f', "\f"},
                                                                                  {'n', "\n"},
                                                                                  {'r', "\r"},
                                                                                  {'t', "\t"},
                                                                                  {'v', "\v"},
                                                                                  {'"', "\""},
                                                                                  {'\\', "\\"},
                                                                                  {'$', "$$"}}};
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char kind = text[i + 1];
    if (kind == '0') {
      const OctalEscape octal = octal_escape(text.substr(i));
      if (octal.character) {
        append_utf8(out, *octal.character);
      } else {
        out += '\\';  // compose drops the 0 of an escape that it cannot read
        out += text.substr(i + 2, octal.length - 2);
      }
      i += octal.length - 1;
      continue;
    }
    bool is_known = false;
    for (const auto& [letter, value] : escapes) {
      if (letter != kind) continue;
      out += value;
      is_known = true;
    }
    if (!is_known) {
      out += '\\';
      continue;
    }
    ++i;
  }
  return out;
}

class DotenvParser {
 public:
  DotenvParser(std::string_view text, const std::filesystem::path& file, const VariableLookup& outer, Environment& values,
               WarningList& warnings)
      : text_(text),
        file_(file),
        outer_(outer),
        values_(values),
        interpolator_([this](std::string_view name) { return look_up(name); }, warnings) {}

  void parse() {
    while (skip_to_statement()) {
      const std::string key = read_key();
      if (at_ >= text_.size() || text_[at_] == '\n') {
        if (auto value = outer_(key)) values_.insert_or_assign(key, std::move(*value));
        continue;
      }
      ++at_;  // = or :
      skip_blanks();
      values_.insert_or_assign(key, read_value());
    }
  }

 private:
  std::optional<std::string> look_up(std::string_view name) const {
    if (auto value = outer_(name)) return value;
    const auto known = values_.find(name);
    return known == values_.end() ? std::nullopt : std::optional(known->second);
  }

  Error error(std::size_t line, const std::string& why) const {
    return Error(ErrorCode::invalid, file_.string() + ":" + std::to_string(line) + ": " + why);
  }

  char next() {
    if (text_[at_] == '\n') ++line_;
    return text_[at_++];
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  bool skip_to_statement() {
    while (at_ < text_.size()) {
      if (is_blank(text_[at_]) || text_[at_] == '\n') {
        next();
      } else if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        return true;
      }
    }
    return false;
  }

  // Leaves at_ at the = or :, at the line's end or at the end of the text.
  std::string read_key() {
    constexpr std::string_view keyword = "export";
    if (text_.substr(at_).starts_with(keyword) && at_ + keyword.size() < text_.size() && is_blank(text_[at_ + keyword.size()])) {
      at_ += keyword.size();
      skip_blanks();
    }
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] != '=' && text_[at_] != ':' && text_[at_] != '\n') {
      if (!is_blank(text_[at_]) && !is_key_character(text_[at_])) {
        throw error(line_, "unexpected character '" + printable(text_.substr(at_, 1)) + "' in a variable's name");
      }
      ++at_;
    }
    const std::string_view key = trim(text_.substr(start, at_ - start));
    if (key.find(' ') != std::string_view::npos) throw error(line_, "a variable's name cannot contain a space");
    return std::string(key);
  }

  std::string read_value() {
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return read_quoted(text_[at_]);
    const std::size_t line = line_;
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view value = text_.substr(at_, end - at_);
    at_ = end;
    value = value.substr(0, value.find(" #"));
    while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
    return interpolate(value, line);
  }

  std::string read_quoted(char quote) {
    const std::size_t line = line_;
    next();
    std::string value;
    bool is_escaped = false;
    while (at_ < text_.size()) {
      const char c = next();
      if (c == quote && !is_escaped) return quote == '"' ? interpolate(expand_escapes(value), line) : value;
      if (c == '\\' && !is_escaped) {
        is_escaped = true;
        continue;
      }
      if (is_escaped && c != quote) value += '\\';
      is_escaped = false;
      value += c;
    }
    throw error(line, std::string("quote ") + quote + " is not closed");
  }

  // The value may be a secret, so a broken form is named by its line only.
  std::string interpolate(std::string_view value, std::size_t line) {
    try {
      return interpolator_.interpolate(value);
    } catch (const Error& failure) {
      const std::string_view why = failure.what();
      const bool shows_value = why.starts_with("invalid interpolation format");
      throw error(line, shows_value ? "invalid interpolation format; write $$ for a dollar sign that starts no variable" : std::string(why));
    }
  }

  std::string_view text_;
  const std::filesystem::path& file_;
  const VariableLookup& outer_;
  Environment& values_;
  Interpolator interpolator_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

void parse_dotenv(std::string_view text, const std::filesystem::path& file, const VariableLookup& outer, Environment& values,
                  WarningList& warnings) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  DotenvParser(text, file, outer, values, warnings).parse();
}

Environment read_dotenv_files(const std::vector<std::filesystem::path>& files, const Environment& outer, WarningList& warnings) {
  const VariableLookup lookup = [&](std::string_view name) -> std::optional<std::string> {
    const auto known = outer.find(name);
    return known == outer.end() ? std::nullopt : std::optional(known->second);
  };
  Environment values;
  for (const std::filesystem::path& file : files) {
    const std::optional<std::string> text = try_read_input(file, dotenv_bytes_max);
    if (!text) throw Error(ErrorCode::not_found, "cannot find env file " + file.string());
    parse_dotenv(*text, file, lookup, values, warnings);
  }
  return values;
}

}  // namespace drover::compose
