// The one exception type of drover.
//
// An Error says what failed, on what, why, and what to do, in one lower-case line without secrets. Frames are added on the
// way up by the layers that know more ("cannot pull ghcr.io/acme/api:1.4: ..."). Where failure is an answer, functions return
// std::optional or a vector of outcomes instead.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace drover {

enum class ErrorCode {
  failed,            // none of the more precise ones
  usage,             // the caller's words are wrong
  invalid,           // a document, name or archive breaks its specification
  not_found,         // the other side says that it does not exist
  network,           // no answer, cut, timed out, refused, TLS
  authentication,    // 401 and 403, missing or refused credentials
  rate_limited,      // 429; see Error::retry_at
  digest_mismatch,   // the bytes are not what their name says
  size_mismatch,     // more or fewer bytes than the descriptor's size
  unsupported,       // understood, and not supported here
  io,                // the local disk
  no_space,          // the local disk is full
  locked,            // another run holds the lock
  refused,           // refused before anything was touched
  data_safety,       // refused because data could be lost
  platform_missing,  // no image for a needed platform
  interrupted,       // the user asked to stop
  engine,            // the container engine reported a failure
};

// The stable name used in JSON output, e.g. "digest_mismatch".
std::string_view to_string(ErrorCode code);

class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message);

  ErrorCode code() const noexcept { return code_; }

  // The frames, outermost first, joined by ": ".
  const char* what() const noexcept override { return message_.c_str(); }

  // Puts a frame in front: "<frame>: <what so far>"; in place of one that says "cannot" of the same thing.
  Error& add_frame(std::string_view frame);

  // Trying again cannot help, although its code is one of those that are tried again: a certificate that nobody trusts.
  bool is_final = false;
  // HTTP status of the registry's answer that caused it; 0 if there was none.
  int http_status = 0;
  // For rate_limited: when the other side said to come back.
  std::optional<std::chrono::system_clock::time_point> retry_at;

 private:
  ErrorCode code_;
  std::string message_;
};

// Error{code, "<what> <path>: <strerror>"} from the current errno; ENOSPC and EDQUOT become no_space with a remedy.
Error io_error(std::string_view what, std::string_view path);
Error io_error(std::string_view what, std::string_view path, int error_number);

}  // namespace drover
