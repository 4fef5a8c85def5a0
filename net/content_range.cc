#include "net/content_range.h"

#include "base/text.h"

namespace drover::net {
namespace {

constexpr std::string_view unit = "bytes";

}  // namespace

std::optional<ContentRange> parse_content_range(std::string_view text) {
  text = trim(text);
  if (text.size() <= unit.size() || !equals_ignoring_case(text.substr(0, unit.size()), unit)) return std::nullopt;
  text.remove_prefix(unit.size());
  // Some servers write "bytes=0-9/10".
  if (text.front() != ' ' && text.front() != '=') return std::nullopt;
  text = trim(text.substr(1));

  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view range = text.substr(0, slash);
  const std::string_view size = text.substr(slash + 1);

  ContentRange result;
  if (size != "*") {
    result.total = parse_uint(size);
    if (!result.total) return std::nullopt;
  }
  if (range == "*") return result.total ? std::optional(result) : std::nullopt;
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  result.first = parse_uint(range.substr(0, dash));
  result.last = parse_uint(range.substr(dash + 1));
  if (!result.first || !result.last || *result.first > *result.last) return std::nullopt;
  if (result.total && *result.last >= *result.total) return std::nullopt;
  return result;
}

}  // namespace drover::net
