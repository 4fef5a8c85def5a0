#include "compose/interpolate.h"

#include "base/text.h"
#include "compose/invalid.h"

#include <algorithm>

namespace drover::compose {
namespace {

bool starts_name(char c) { return is_lower(c) || is_upper(c) || c == '_'; }

std::size_t name_length(std::string_view text) {
  if (text.empty() || !starts_name(text[0])) return 0;
  std::size_t length = 1;
  while (length < text.size() && (is_alnum(text[length]) || text[length] == '_')) ++length;
  return length;
}

Error broken_form(std::string_view text) {
  return Error(ErrorCode::invalid,
               "invalid interpolation format in \"" + printable(text, 120) + "\"; write $$ for a dollar sign that starts no variable");
}

// The operator after the name: ":-", "-", ":?", "?", ":+", "+"; empty when there is none.
std::string_view operator_at(std::string_view text) {
  const std::size_t length = text.starts_with(':') ? 2 : 1;
  if (text.size() < length) return {};
  const char kind = text[length - 1];
  return kind == '-' || kind == '?' || kind == '+' ? text.substr(0, length) : std::string_view();
}

// Index of the brace that closes the first one, counted as compose-go does: the character after an opening brace is skipped.
std::size_t closing_brace(std::string_view text) {
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '}') {
      if (--open == 0) return i;
    }
    if (text[i] == '{') {
      ++open;
      ++i;
    }
  }
  return std::string_view::npos;
}

// Finds the length of "${...}" forms in one text. Remembers where the current line and its last brace end, because every form asks.
class BracedForms {
 public:
  explicit BracedForms(std::string_view text) : text_(text) {}

  // Of the form that starts at `start`, 0 when it is broken. An operator's text may hold braces, but no line break.
  std::size_t length_at(std::size_t start) {
    const std::size_t name_start = start + 2;
    const std::size_t name_end = name_start + name_length(text_.substr(name_start));
    if (name_end == name_start || name_end >= text_.size()) return 0;
    if (text_[name_end] == '}') return name_end + 1 - start;
    const std::string_view op = operator_at(text_.substr(name_end));
    if (op.empty()) return 0;
    const std::size_t last = last_brace_of_line(name_end);
    if (last == std::string_view::npos || last < name_end + op.size()) return 0;
    const std::size_t closing = closing_brace(text_.substr(start, last + 1 - start));
    return closing == std::string_view::npos ? last + 1 - start : closing + 1;
  }

 private:
  std::size_t last_brace_of_line(std::size_t at) {
    if (at >= line_end_) {
      line_end_ = std::min(text_.find('\n', at), text_.size());
      last_brace_ = text_.substr(0, line_end_).rfind('}');
    }
    return last_brace_;
  }

  std::string_view text_;
  std::size_t line_end_ = 0;
  std::size_t last_brace_ = std::string_view::npos;
};

}  // namespace

void WarningList::add(std::string text) {
  if (std::find(lines_.begin(), lines_.end(), text) == lines_.end()) lines_.push_back(std::move(text));
}

std::string Interpolator::interpolate(std::string_view text) { return interpolate(text, 0); }

std::string Interpolator::interpolate(std::string_view text, int depth) {
  if (depth > interpolation_depth_max)
    throw Error(ErrorCode::invalid, "defaults nested more than " + std::to_string(interpolation_depth_max) + " deep");
  std::string result;
  const auto append = [&](std::string_view part) {
    bytes_ += part.size();
    if (bytes_ > interpolated_bytes_max)
      throw Error(ErrorCode::invalid, "variables grow the file beyond " + format_bytes(interpolated_bytes_max));
    result += part;
  };
  const auto value_of = [&](std::string_view name) {
    std::optional<std::string> value = lookup_(name);
    if (!value) warnings_.add("the \"" + std::string(name) + "\" variable is not set, defaulting to a blank string");
    return value.value_or("");
  };

  BracedForms forms(text);
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t dollar = text.find('$', at);
    append(text.substr(at, dollar - at));
    if (dollar == std::string_view::npos) break;
    const std::string_view form = text.substr(dollar);
    if (form.starts_with("$$")) {
      append("$");
      at = dollar + 2;
    } else if (const std::size_t length = name_length(form.substr(1)); length > 0) {
      append(value_of(form.substr(1, length)));
      at = dollar + 1 + length;
    } else if (form.starts_with("${")) {
      const std::size_t length_braced = forms.length_at(dollar);
      if (length_braced == 0) throw broken_form(text);
      const std::string_view body = form.substr(2, length_braced - 3);
      const bool is_name = name_length(body) == body.size();
      append(is_name ? value_of(body) : braced(body, depth));
      at = dollar + length_braced;
    } else {
      append("$");
      at = dollar + 1;
    }
  }
  return result;
}

// "NAME:-default" and its kin, without the braces.
std::string Interpolator::braced(std::string_view body, int depth) {
  const std::string_view name = body.substr(0, name_length(body));
  const std::string_view op = operator_at(body.substr(name.size()));
  const std::string_view rest = body.substr(name.size() + op.size());
  const std::optional<std::string> value = lookup_(name);
  const bool is_present = value && (op.size() == 1 || !value->empty());
  switch (op.back()) {
    case '-': return is_present ? *value : interpolate(rest, depth + 1);
    case '+': return is_present ? interpolate(rest, depth + 1) : value.value_or("");
    default: break;
  }
  if (is_present) return *value;
  const std::string reason = interpolate(rest, depth + 1);
  throw Error(ErrorCode::invalid,
              "required variable " + std::string(name) + " is missing a value" + (reason.empty() ? "" : ": " + printable(reason)));
}

void Interpolator::interpolate_tree(Node& root) {
  TreePath path;
  walk(root, path);
}

void Interpolator::walk(Node& node, TreePath& path) {
  if (node.is_string() && node.text.find('$') != std::string::npos) {
    try {
      node.text = interpolate(node.text);
    } catch (const Error& error) {
      throw invalid(node.origin, path, error.what());
    }
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const PathStep step(path, "[" + std::to_string(i) + "]");
    walk(node.items[i], path);
  }
  for (Member& member : node.members) {
    const PathStep step(path, member.key);
    walk(member.value, path);
  }
}

}  // namespace drover::compose
