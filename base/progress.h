// What long work reports while it goes on. Receivers store counters and return at once; drawing is their own affair.
#pragma once

#include <cstdint>
#include <string_view>

namespace drover {

struct ProgressEvent {
  enum class Kind {
    started,   // `total` bytes are to be moved for `id`, `done` of them are already there
    advanced,  // `done` of `total` now
    finished,  // complete
    failed,    // given up; `text` says why
    message,   // `text` for the reader, about `id` or about the run when `id` is empty
  };
  Kind kind = Kind::message;
  std::string_view phase;  // "fetch", "load", "verify", ...
  std::string_view id;     // a digest or a reference: unique within its phase
  std::string_view label;  // for people: "docker.io/library/redis:7 sha256:9f2c…"
  std::uint64_t done = 0;  // bytes
  std::uint64_t total = 0;
  std::string_view text;
};

class Progress {
 public:
  virtual ~Progress() = default;
  // Thread-safe in every implementation; the views are valid during the call only.
  virtual void on(const ProgressEvent& event) noexcept = 0;

  // Drops everything.
  static Progress& none();
};

}  // namespace drover
