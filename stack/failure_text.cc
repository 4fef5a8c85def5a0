#include "stack/failure_text.h"

#include "base/text.h"

#include <algorithm>
#include <cstddef>
#include <variant>

namespace drover::stack {
namespace {

constexpr std::size_t id_digits = 64;
constexpr std::size_t short_digits = 12;
constexpr std::size_t detail_bytes_max = 200;

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string failing_text(const compose::Step& step) {
  const std::string detail = printable(compose::detail_of(step.action), detail_bytes_max);
  if (std::holds_alternative<compose::RunHook>(step.action)) return "cannot run the hook " + detail + " in " + step.resource;
  if (std::holds_alternative<compose::WriteFile>(step.action)) return "cannot write " + detail + " into " + step.resource;
  return "cannot " + std::string(compose::operation_of(step.action)) + " " + step.resource + (detail.empty() ? "" : " " + detail);
}

std::string shorten_ids(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_hex);
    const auto digits = static_cast<std::size_t>(end - text.begin());
    const bool is_id = digits == id_digits && !(out.ends_with(':'));  // digests have "sha256:" in front
    out += text.substr(0, is_id ? short_digits : digits);
    text.remove_prefix(digits);
    if (text.empty()) break;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

}  // namespace drover::stack
