#include "stack/byte_pipe.h"

#include "base/error.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace drover::stack {
namespace {

bool send_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

BytePipe::BytePipe(const Context& ctx, std::function<void(const Context&, const Push&)> call)
    : forward_(ctx.stop, [this] {
        stop_.request_stop();
        if (reader_) ::shutdown(reader_.get(), SHUT_RDWR);
      }) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw io_error("cannot make", "a socket pair");
  reader_ = UniqueFd(ends[0]);
  writer_ = UniqueFd(ends[1]);
  Context inner = ctx;
  inner.stop = stop_.get_token();
  thread_ = std::jthread([this, inner, call = std::move(call)] {
    try {
      call(inner, [this](std::span<const std::byte> bytes) { return send_all(writer_.get(), bytes); });
    } catch (...) {
      failure_ = std::current_exception();
    }
    ::shutdown(writer_.get(), SHUT_WR);
  });
}

BytePipe::~BytePipe() {
  stop_.request_stop();
  ::shutdown(reader_.get(), SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
}

std::size_t BytePipe::read(std::span<std::byte> out) {
  for (;;) {
    const ssize_t got = ::recv(reader_.get(), out.data(), out.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got < 0 && errno == EINTR) continue;
    if (thread_.joinable()) thread_.join();
    if (failure_) std::rethrow_exception(failure_);
    return 0;
  }
}

}  // namespace drover::stack
