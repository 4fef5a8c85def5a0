#include "registry/answer_headers.h"

#include "base/text.h"
#include "manifest/media_type.h"
#include "net/link_header.h"

#include <algorithm>

namespace drover::registry {
namespace {

// "100;w=21600" -> 100 and, if there, 21600.
struct Quota {
  std::optional<std::uint64_t> amount;
  std::optional<std::uint64_t> window_seconds;
};

Quota parse_quota(std::string_view text) {
  Quota quota;
  for (const std::string_view part : split(text, ';')) {
    const std::string_view word = trim(part);
    if (word.starts_with("w=")) {
      quota.window_seconds = parse_uint(word.substr(2));
    } else if (!quota.amount) {
      quota.amount = parse_uint(word);
    }
  }
  return quota;
}

}  // namespace

std::string content_type(const net::Headers& headers) { return parse_media_type(headers.find("content-type").value_or("")); }

std::string next_page_query(std::string_view link) {
  const std::optional<std::string> target = net::find_next_link(link);
  const std::size_t question = target ? target->find('?') : std::string::npos;
  if (question == std::string::npos) return {};
  return target->substr(question + 1, target->find('#') - question - 1);
}

std::optional<RateLimit> parse_rate_limit(std::string_view limit, std::string_view remaining, std::string_view source) {
  const Quota total = parse_quota(limit);
  const Quota left = parse_quota(remaining);
  if (!total.amount && !left.amount) return std::nullopt;
  return RateLimit{.limit = total.amount,
                   .remaining = left.amount,
                   .window_seconds = total.window_seconds ? total.window_seconds : left.window_seconds,
                   .source = printable(source, 80)};
}

}  // namespace drover::registry
