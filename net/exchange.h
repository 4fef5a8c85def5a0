// One request and its answer as the wire's driver sees them: heads are collected and bounded, bodies handed on, silences noticed.
// Knows nothing of libcurl, whose callbacks must not let an exception pass: what a sink or source throws is kept for later.
#pragma once

#include "net/rate_watchdog.h"
#include "net/transport.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::net {

// Bounds of an answer's head: Go's and nginx's clients take 1 MiB and 32 KiB; registries send below 4 KiB in under 40 headers.
constexpr std::size_t head_bytes_max = 64 * 1024;
constexpr std::size_t head_count_max = 200;
// An unwanted body up to here is cheaper to read than a new connection.
constexpr std::uint64_t drained_body_bytes_max = 16 * 1024;

class Exchange {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Both outlive the exchange. `where` is the peer's name in messages.
  Exchange(const Request& request, ResponseSink& sink, std::string where);

  // The connection stands and the request is about to be written; comes again when it has to be repeated on a new connection.
  void on_request_start() noexcept;
  // One line of an answer's head, an interim answer's too, with or without its line end. False: give up, see failure().
  bool on_header_line(std::string_view line) noexcept;
  // False: give up, by failure() or because the sink has enough.
  bool on_body(std::span<const std::byte> bytes) noexcept;

  enum class Upload { data, end, later, failed };
  struct UploadStep {
    Upload what;
    std::size_t bytes = 0;
  };
  // The request's next bytes. `is_answered` says whether the peer has sent something meanwhile: then what was pulled is held back,
  // `later`, until resume_upload(), because writing to a peer that has answered and hung up would lose the answer. After a refusal's head
  // it is always `later`.
  UploadStep on_upload(std::span<std::byte> space, const std::function<bool()>& is_answered) noexcept;
  // The request has to be repeated. False when its source cannot be.
  bool rewind_upload() noexcept;
  bool is_upload_held() const { return upload_held_; }
  void resume_upload() { upload_held_ = false; }
  bool has_upload() const;
  std::optional<std::uint64_t> upload_bytes() const;

  // To be called in every turn with the bytes of the request's body written so far. Throws network when the peer is too slow;
  // returns how long to wait for it at most.
  std::chrono::milliseconds check_time(std::uint64_t uploaded_bytes);

  // What a callback kept: to be rethrown.
  std::exception_ptr failure() const { return failure_; }
  bool is_enough() const { return enough_; }
  // The rest of the body is read for the connection's sake only.
  bool is_draining() const { return draining_; }
  bool is_started() const { return started_; }
  bool has_head() const { return has_head_; }
  bool has_head_bytes() const { return head_bytes_ > 0; }
  bool has_early_refusal() const { return has_head_ && head_.status >= 300 && !sent_; }
  std::uint64_t received_bytes() const { return received_; }
  const ResponseHead& head() const { return head_; }
  ResponseHead take_head() { return std::move(head_); }

 private:
  template <typename Function>
  bool guard(Function&& function) noexcept;
  void add_header(std::string_view line);
  void finish_head();
  bool is_body_empty() const;
  TimePoint now() const { return std::chrono::steady_clock::now() - elsewhere_; }
  [[noreturn]] void fail(const std::string& text) const;

  const Request& request_;
  ResponseSink& sink_;
  const std::string where_;

  ResponseHead head_;
  std::size_t head_bytes_ = 0;
  bool has_head_ = false;
  bool enough_ = false;
  bool draining_ = false;
  std::uint64_t received_ = 0;

  std::vector<std::byte> held_;  // pulled from the source, not yet handed on
  bool upload_held_ = false;
  std::uint64_t pulled_ = 0;
  bool pulled_all_ = false;
  bool sent_ = false;  // the whole request, as far as libcurl is concerned

  std::exception_ptr failure_;

  const TimePoint begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::duration elsewhere_{0};  // spent inside of sink and source: not the peer's fault
  bool started_ = false;
  TimePoint waiting_since_;  // for the answer's head
  std::uint64_t seen_received_ = 0;
  std::uint64_t seen_uploaded_ = 0;
  RateWatchdog download_;
  RateWatchdog upload_;
};

}  // namespace drover::net
