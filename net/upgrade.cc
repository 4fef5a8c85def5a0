#include "net/upgrade.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "net/exchange.h"
#include "net/raw_answer.h"
#include "net/request_head.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>

namespace drover::net {
namespace {

// A turn is never longer than this, so that a clock that jumped costs little.
constexpr std::chrono::milliseconds poll_turn_max{1000};
constexpr std::size_t read_bytes = 64 * 1024;

// Lets a stop end a wait for a socket.
class Wake {
 public:
  Wake() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!event_) throw io_error("cannot create", "an event descriptor");
  }

  // Returns when the socket is ready, a stop was asked for, or a turn has passed.
  void wait(const Context& ctx, int socket, short events) {
    const std::stop_callback call(ctx.stop, [this] { eventfd_write(event_.get(), 1); });
    std::array<pollfd, 2> states{pollfd{socket, events, 0}, pollfd{event_.get(), POLLIN, 0}};
    poll(states.data(), states.size(), static_cast<int>(ctx.time_left(poll_turn_max).count()));
    eventfd_t ignored = 0;
    eventfd_read(event_.get(), &ignored);
  }

 private:
  UniqueFd event_;
};

class SessionStream final : public RawStream {
 public:
  explicit SessionStream(std::unique_ptr<CurlSession> session) : session_(std::move(session)), socket_(session_->descriptor()) {}

  std::size_t read(const Context& ctx, std::span<std::byte> space) override {
    if (!left_over_.empty()) {
      const std::size_t size = std::min(space.size(), left_over_.size());
      std::memcpy(space.data(), left_over_.data(), size);
      left_over_.erase(0, size);
      return size;
    }
    for (;;) {
      ctx.check_stop();
      if (const std::optional<std::size_t> count = receive(space)) return *count;
      readable_.wait(ctx, socket_, POLLIN);
    }
  }

  void write(const Context& ctx, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      ctx.check_stop();
      // TLS wants the same bytes again when there was no room for them, and gets them.
      const std::size_t count = send(bytes);
      bytes = bytes.subspan(count);
      if (count == 0) writable_.wait(ctx, socket_, POLLOUT);
    }
  }

  void end_writing(const Context& ctx) override {
    while (!end_sending()) {
      ctx.check_stop();
      writable_.wait(ctx, socket_, POLLOUT);
    }
  }

  // What came together with the answer's head.
  void put_back(std::string bytes) { left_over_ = std::move(bytes); }

 private:
  // libcurl's handle and OpenSSL's connection are for one thread at a time; none of these waits.
  std::optional<std::size_t> receive(std::span<std::byte> space) {
    const std::lock_guard lock(mutex_);
    return session_->try_receive(space);
  }
  std::size_t send(std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    return session_->try_send(bytes);
  }
  bool end_sending() {
    const std::lock_guard lock(mutex_);
    return session_->try_end_sending();
  }

  std::mutex mutex_;
  std::unique_ptr<CurlSession> session_;
  const int socket_;
  Wake readable_;
  Wake writable_;
  std::string left_over_;  // the reader's
};

// Where the final head ends in `bytes`, interim answers before it included; 0 while it is not complete.
std::size_t find_head_end(std::string_view bytes) {
  std::size_t start = 0;
  for (;;) {
    const std::size_t end = bytes.find("\r\n\r\n", start);
    if (end == std::string_view::npos) return 0;
    const bool is_interim = bytes.substr(start).starts_with("HTTP/1.1 10") && !bytes.substr(start).starts_with("HTTP/1.1 101");
    start = end + 4;
    if (!is_interim) return start;
  }
}

ResponseHead parse_head(std::string_view text, const std::string& where) {
  text.remove_suffix(4);
  if (const std::size_t interim_end = text.rfind("\r\n\r\n"); interim_end != std::string_view::npos) text.remove_prefix(interim_end + 4);
  ResponseHead head;
  const std::vector<std::string_view> lines = split(text, '\n');
  const std::size_t space = lines.front().find(' ');
  if (!lines.front().starts_with("HTTP/1.") || space == std::string_view::npos) {
    throw Error(ErrorCode::network, where + " does not speak HTTP as this program knows it");
  }
  head.status = static_cast<int>(parse_uint(lines.front().substr(space + 1, 3)).value_or(0));
  for (std::size_t i = 1; i < std::min(lines.size(), head_count_max + 1); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    head.headers.add(std::string(lines[i].substr(0, colon)), std::string(trim(lines[i].substr(colon + 1))));
  }
  head.content_length = parse_uint(head.headers.find("content-length").value_or(""));
  return head;
}

// Some engines and proxies answer 200 without telling of the upgrade; a body with a length or in chunks is an ordinary answer's.
bool hands_over(const ResponseHead& head) {
  return head.status == 101 || (head.status == 200 && !head.content_length && !head.headers.find("transfer-encoding"));
}

class BodySink final : public ResponseSink {
 public:
  explicit BodySink(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  bool on_head(const ResponseHead&) override { return true; }
  bool on_body(std::span<const std::byte> bytes) override {
    body.append(as_text(bytes.first(std::min<std::size_t>(bytes.size(), static_cast<std::size_t>(bytes_max_) - body.size()))));
    return body.size() < bytes_max_;
  }
  std::string body;

 private:
  const std::uint64_t bytes_max_;
};

// One connection's way from the request to the answer's head.
class Asking {
 public:
  Asking(const Context& ctx, SessionStream& stream, const Request& request, const std::string& where)
      : ctx_(ctx), stream_(stream), request_(request), where_(where) {
    const std::chrono::milliseconds patience = request.timeouts.first_byte;
    bounded_ = patience.count() > 0 ? ctx.within(patience) : ctx;
  }

  void send(std::string_view user_agent) {
    const std::string text = request_head(request_, user_agent) + request_.body;
    in_time([&] { stream_.write(bounded_, as_bytes(text)); });
  }

  ResponseHead read_head() {
    while ((head_bytes_ = find_head_end(bytes_)) == 0) {
      if (bytes_.size() > head_bytes_max) throw Error(ErrorCode::network, where_ + " sends more than 64 KiB of headers");
      in_time([&] {
        if (!read_more()) throw Error(ErrorCode::network, where_ + " closed the connection without an answer");
      });
    }
    head_ = parse_head(std::string_view(bytes_).substr(0, head_bytes_), where_);
    return head_;
  }

  std::string left_over() const { return bytes_.substr(head_bytes_); }

  // A refusal's words, as far as they come.
  std::string read_body(std::uint64_t bytes_max) {
    try {
      while (!is_body_complete(bytes_max) && read_more()) {
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::network) throw;
    }
    BodySink sink(bytes_max);
    Exchange exchange(request_, sink, where_);
    deliver_raw_refusal(bytes_, exchange);
    return std::move(sink.body);
  }

 private:
  // The patience with this request must not read like the caller's deadline.
  template <typename Function>
  void in_time(Function&& function) {
    try {
      function();
    } catch (const Error& error) {
      const bool is_late = error.code() == ErrorCode::network && bounded_.time_left(poll_turn_max).count() == 0;
      if (!is_late || ctx_.time_left(poll_turn_max).count() == 0) throw;
      const double seconds = std::chrono::duration<double>(request_.timeouts.first_byte).count();
      throw Error(ErrorCode::network, where_ + " sent no answer within " + format_seconds(seconds));
    }
  }

  bool read_more() {
    std::array<std::byte, read_bytes> space;
    const std::size_t count = stream_.read(bounded_, space);
    bytes_.append(as_text(std::span(space).first(count)));
    return count > 0;
  }

  bool is_body_complete(std::uint64_t bytes_max) const {
    const std::uint64_t size = bytes_.size() - head_bytes_;
    if (size > bytes_max) return true;
    if (head_.content_length) return size >= *head_.content_length;
    return head_.headers.find("transfer-encoding") && bytes_.ends_with("0\r\n\r\n");
  }

  const Context& ctx_;
  SessionStream& stream_;
  const Request& request_;
  const std::string& where_;
  Context bounded_;
  std::string bytes_;
  std::size_t head_bytes_ = 0;
  ResponseHead head_;
};

}  // namespace

Upgrade upgrade_connection(const Context& ctx, std::unique_ptr<CurlSession> session, const Request& request, const SessionSetup& setup,
                           std::uint64_t body_bytes_max) {
  session->connect(ctx, request, setup);
  auto stream = std::make_unique<SessionStream>(std::move(session));
  Request asked = request;
  asked.headers.set("Connection", "Upgrade");
  asked.headers.set("Upgrade", "tcp");
  Asking asking(ctx, *stream, asked, setup.where);
  asking.send(setup.user_agent);
  Upgrade upgrade{.head = asking.read_head()};
  if (hands_over(upgrade.head)) {
    stream->put_back(asking.left_over());
    upgrade.stream = std::move(stream);
  } else {
    upgrade.body = asking.read_body(body_bytes_max);
  }
  return upgrade;
}

}  // namespace drover::net
