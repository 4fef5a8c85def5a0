#include "base/error.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace drover {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::failed: return "failed";
    case ErrorCode::usage: return "usage";
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::network: return "network";
    case ErrorCode::authentication: return "authentication";
    case ErrorCode::rate_limited: return "rate_limited";
    case ErrorCode::digest_mismatch: return "digest_mismatch";
    case ErrorCode::size_mismatch: return "size_mismatch";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::io: return "io";
    case ErrorCode::no_space: return "no_space";
    case ErrorCode::locked: return "locked";
    case ErrorCode::refused: return "refused";
    case ErrorCode::data_safety: return "data_safety";
    case ErrorCode::platform_missing: return "platform_missing";
    case ErrorCode::interrupted: return "interrupted";
    case ErrorCode::engine: return "engine";
  }
  return "failed";
}

Error::Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

Error& Error::add_frame(std::string_view frame) {
  // "cannot pull redis:7" around "cannot read redis:7: ...": who reads it wants to know what was wanted, once.
  constexpr std::string_view cannot = "cannot ";
  const std::size_t verb_end = frame.find(' ', std::min(frame.size(), cannot.size()));
  const std::size_t inner_verb_end = message_.find(' ', std::min(message_.size(), cannot.size()));
  if (frame.starts_with(cannot) && message_.starts_with(cannot) && verb_end != std::string_view::npos && inner_verb_end != std::string::npos) {
    const std::string subject = std::string(frame.substr(verb_end)) + ": ";
    if (message_.compare(inner_verb_end, subject.size(), subject) == 0) message_.erase(0, inner_verb_end + subject.size());
  }
  message_.insert(0, std::string(frame) + ": ");
  return *this;
}

Error io_error(std::string_view what, std::string_view path) { return io_error(what, path, errno); }

Error io_error(std::string_view what, std::string_view path, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  std::string text = std::string(what) + " " + std::string(path) + ": " + std::generic_category().message(error_number);
  if (full) text += "; free space there and run again, what was fetched stays";
  return Error(full ? ErrorCode::no_space : ErrorCode::io, std::move(text));
}

}  // namespace drover
