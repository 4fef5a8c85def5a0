#include "registry/failure.h"

#include "base/retry.h"
#include "base/text.h"
#include "registry/json_fields.h"

#include <nlohmann/json.hpp>

#include <array>
#include <ctime>

namespace drover::registry {
namespace {

using nlohmann::json;

constexpr std::size_t words_bytes_max = 200;

std::string explain_json(std::string_view body) {
  const json document = json::parse(body, nullptr, false);
  if (!document.is_object()) return {};
  const auto errors = document.find("errors");
  if (errors != document.end() && errors->is_array() && !errors->empty() && errors->front().is_object()) {
    const std::string code = text_member(errors->front(), "code");
    const std::string message = text_member(errors->front(), "message");
    return code.empty() || message.empty() ? code + message : code + ": " + message;
  }
  for (const char* const name : {"details", "error_description", "message", "error"}) {
    if (std::string text = text_member(document, name); !text.empty()) return text;
  }
  return {};
}

std::string explain_xml(std::string_view body) {
  constexpr std::string_view open = "<Code>";
  const std::size_t begin = body.find(open);
  if (begin == std::string_view::npos) return {};
  const std::size_t end = body.find('<', begin + open.size());
  return end == std::string_view::npos ? std::string() : std::string(body.substr(begin + open.size(), end - begin - open.size()));
}

ErrorCode code_for(int status) {
  if (status == 404) return ErrorCode::not_found;
  if (status == 401 || status == 403) return ErrorCode::authentication;
  if (status == 429) return ErrorCode::rate_limited;
  if (status == 408 || status >= 500) return ErrorCode::network;
  return ErrorCode::failed;
}

std::string_view remedy_for(int status) {
  switch (status) {
    case 404: return "; check the name and the tag, a private image needs a login as well";
    case 403: return "; the login may lack the right to pull this";
    case 429: return "; wait, or log in for a higher limit";
    default: return "";
  }
}

}  // namespace

std::string explain_refusal(std::string_view body) {
  std::string words = explain_json(body);
  if (words.empty()) words = explain_xml(body);
  return printable(trim(words), words_bytes_max);
}

Error refusal(const net::ResponseHead& head, std::string_view body, std::string_view host, std::string_view registry,
              std::chrono::system_clock::time_point now) {
  const std::string words = explain_refusal(body);
  std::string text = printable(host, 120) + " answered " + std::to_string(head.status) + (words.empty() ? "" : " (" + words + ")");
  std::optional<std::chrono::system_clock::time_point> retry_at;
  if (const auto value = head.headers.find("retry-after"); value && (head.status == 429 || head.status == 503)) {
    if (const auto delay = parse_retry_after(*value, now)) retry_at = now + *delay;
  }
  if (retry_at) text += ", to be asked again at " + format_time(*retry_at);
  text += head.status == 401 ? "; log in with: docker login " + printable(registry, 120) : std::string(remedy_for(head.status));
  Error error(code_for(head.status), std::move(text));
  error.http_status = head.status;
  error.retry_at = retry_at;
  return error;
}

bool is_worth_retrying(const Error& error) {
  if (error.is_final) return false;
  return error.code() == ErrorCode::network || error.code() == ErrorCode::rate_limited;
}

std::string format_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length = strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

}  // namespace drover::registry
