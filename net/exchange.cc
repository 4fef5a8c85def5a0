#include "net/exchange.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace drover::net {
namespace {

// A turn is never longer than this, so that a clock that jumped or a missed wake-up costs little.
constexpr std::chrono::milliseconds turn_max{1000};

std::string seconds_text(std::chrono::milliseconds duration) { return format_seconds(static_cast<double>(duration.count()) / 1000); }

std::optional<std::uint64_t> read_content_length(const Headers& headers) {
  if (headers.find("transfer-encoding")) return std::nullopt;
  std::optional<std::uint64_t> length;
  for (const std::string_view value : headers.all("content-length")) {
    const std::optional<std::uint64_t> parsed = parse_uint(trim(value));
    if (!parsed || (length && *length != *parsed)) throw Error(ErrorCode::network, "contradicting or malformed Content-Length");
    length = parsed;
  }
  return length;
}

}  // namespace

Exchange::Exchange(const Request& request, ResponseSink& sink, std::string where)
    : request_(request),
      sink_(sink),
      where_(std::move(where)),
      download_(request.timeouts.stall_bytes_per_second, request.timeouts.stall),
      upload_(request.timeouts.stall_bytes_per_second, request.timeouts.stall) {}

template <typename Function>
bool Exchange::guard(Function&& function) noexcept {
  if (failure_) return false;
  try {
    return function();
  } catch (...) {
    failure_ = std::current_exception();
    return false;
  }
}

void Exchange::fail(const std::string& text) const { throw Error(ErrorCode::network, where_ + " " + text); }

void Exchange::on_request_start() noexcept {
  started_ = true;
  waiting_since_ = now();
  seen_uploaded_ = 0;
  sent_ = !has_upload();
  if (has_upload()) upload_.start(now());
}

bool Exchange::on_header_line(std::string_view line) noexcept {
  return guard([&] {
    if (has_head_) return true;  // a trailer
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    head_bytes_ += line.size();
    if (head_bytes_ > head_bytes_max) fail("sends more than 64 KiB of headers");
    if (line.empty()) {
      finish_head();
    } else if (line.starts_with("HTTP/")) {
      const std::size_t space = line.find(' ');
      const auto status = parse_uint(space == std::string_view::npos ? line : line.substr(space + 1, 3));
      if (!status || *status < 100) fail("sends a malformed status line");
      head_ = ResponseHead{.status = static_cast<int>(*status), .headers = {}, .content_length = {}};
    } else {
      add_header(line);
    }
    return !enough_;
  });
}

void Exchange::add_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || line.front() == ' ' || line.front() == '\t') return;  // not a header, or a folded one
  if (head_.headers.list().size() >= head_count_max) fail("sends more than 200 headers");
  head_.headers.add(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
}

bool Exchange::is_body_empty() const {
  return request_.method == "HEAD" || head_.status == 204 || head_.status == 304 || head_.content_length == 0;
}

void Exchange::finish_head() {
  if (head_.status < 200) return;  // interim
  try {
    head_.content_length = read_content_length(head_.headers);
  } catch (const Error& error) {
    fail(std::string("sends a ") + error.what());
  }
  has_head_ = true;
  const auto before = std::chrono::steady_clock::now();
  const bool is_wanted = sink_.on_head(head_);
  elsewhere_ += std::chrono::steady_clock::now() - before;
  download_.start(now());
  if (is_wanted || is_body_empty()) return;
  draining_ = head_.content_length && *head_.content_length <= drained_body_bytes_max && (sent_ || pulled_all_);
  enough_ = !draining_;
}

bool Exchange::on_body(std::span<const std::byte> bytes) noexcept {
  return guard([&] {
    received_ += bytes.size();
    if (draining_) return true;
    const auto before = std::chrono::steady_clock::now();
    const bool is_wanted = sink_.on_body(bytes);
    elsewhere_ += std::chrono::steady_clock::now() - before;
    if (is_wanted) return true;
    // Was it the last piece, the connection is as good as new.
    draining_ = head_.content_length && received_ >= *head_.content_length;
    enough_ = !draining_;
    return draining_;
  });
}

bool Exchange::has_upload() const { return request_.source || !request_.body.empty(); }

std::optional<std::uint64_t> Exchange::upload_bytes() const {
  return request_.source ? request_.source_bytes : std::optional<std::uint64_t>(request_.body.size());
}

Exchange::UploadStep Exchange::on_upload(std::span<std::byte> space, const std::function<bool()>& is_answered) noexcept {
  // Sending on to a peer that hangs up would lose what is still to come of its answer.
  if (has_early_refusal()) upload_held_ = true;
  if (upload_held_) return {Upload::later};
  std::size_t count = 0;
  const bool fine = guard([&] {
    if (!held_.empty()) {
      count = std::min(held_.size(), space.size());
      std::memcpy(space.data(), held_.data(), count);
      held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
    } else if (request_.source) {
      const auto before = std::chrono::steady_clock::now();
      count = request_.source(space);
      elsewhere_ += std::chrono::steady_clock::now() - before;
    } else {
      count = std::min<std::size_t>(request_.body.size() - pulled_, space.size());
      std::memcpy(space.data(), request_.body.data() + pulled_, count);
    }
    if (count > space.size()) throw Error(ErrorCode::failed, "a request's source gave more bytes than it was asked for");
    pulled_ += count;
    if (upload_bytes() && pulled_ > *upload_bytes()) throw Error(ErrorCode::size_mismatch, "a request's source gave more bytes than announced");
    if (count == 0 && upload_bytes() && pulled_ < *upload_bytes()) {
      throw Error(ErrorCode::size_mismatch, "a request's source ended after " + std::to_string(pulled_) + " of " + std::to_string(*upload_bytes()) + " bytes");
    }
    if (count > 0 && !has_head_ && is_answered()) {
      held_.insert(held_.begin(), space.begin(), space.begin() + static_cast<std::ptrdiff_t>(count));
      pulled_ -= count;
      upload_held_ = true;
    }
    return true;
  });
  if (!fine) return {Upload::failed};
  if (upload_held_) return {Upload::later};
  if (count == 0 || pulled_ == upload_bytes()) pulled_all_ = true;
  return count == 0 ? UploadStep{Upload::end} : UploadStep{Upload::data, count};
}

bool Exchange::rewind_upload() noexcept {
  if (request_.source && (pulled_ > 0 || !held_.empty())) return false;
  pulled_ = 0;
  held_.clear();
  upload_held_ = pulled_all_ = sent_ = false;
  return true;
}

std::chrono::milliseconds Exchange::check_time(std::uint64_t uploaded_bytes) {
  const Timeouts& limits = request_.timeouts;
  std::chrono::milliseconds wait = turn_max;
  const auto until = [&](TimePoint deadline, TimePoint time) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - time);
    wait = std::min(wait, std::max(left, std::chrono::milliseconds(0)));
    return left.count() <= 0;
  };

  if (limits.total.count() > 0 && until(begin_ + limits.total, std::chrono::steady_clock::now())) {
    fail("did not complete the answer within " + seconds_text(limits.total));
  }
  if (!started_) return wait;  // the connection's own timeout is libcurl's

  const std::string too_slow = "stalled: less than " + std::to_string(limits.stall_bytes_per_second) + " bytes/s over " + seconds_text(limits.stall);
  const TimePoint time = now();
  if (uploaded_bytes > seen_uploaded_) upload_.add(time, uploaded_bytes - std::exchange(seen_uploaded_, uploaded_bytes));
  if (has_head_) download_.add(time, received_ - std::exchange(seen_received_, received_));
  if (!sent_ && pulled_all_ && uploaded_bytes >= pulled_) {
    sent_ = true;
    waiting_since_ = time;
  }
  if (!sent_) {
    // A peer that takes nothing and says nothing; an answer that streams while the request is read slowly is a sign of life.
    if (upload_.is_stalled(time) && (!has_head_ || download_.is_stalled(time))) fail(too_slow + " while the request was sent");
    return std::min(wait, upload_.check_interval());
  }
  if (has_head_) {
    if (download_.is_stalled(time)) fail(too_slow + ", " + std::to_string(received_) + " bytes came");
    return std::min(wait, download_.check_interval());
  }
  if (limits.first_byte.count() > 0 && until(waiting_since_ + limits.first_byte, time)) {
    fail("sent no answer within " + seconds_text(limits.first_byte));
  }
  return wait;
}

}  // namespace drover::net
