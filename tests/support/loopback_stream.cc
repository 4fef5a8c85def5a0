#include "tests/support/loopback_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

namespace drover::test {
namespace {

SSL* as_ssl(void* tls) { return static_cast<SSL*>(tls); }

}  // namespace

LoopbackStream::LoopbackStream(int descriptor, ssl_ctx_st* tls) : descriptor_(descriptor) {
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (tls == nullptr) return;
  SSL* ssl = SSL_new(tls);
  SSL_set_fd(ssl, descriptor_);
  tls_ = ssl;
}

LoopbackStream::~LoopbackStream() {
  if (tls_ != nullptr) {
    if (!broken_) SSL_shutdown(as_ssl(tls_));
    SSL_free(as_ssl(tls_));
  }
  close(descriptor_);
}

bool LoopbackStream::handshake() {
  if (tls_ == nullptr) return true;
  ERR_clear_error();
  broken_ = SSL_accept(as_ssl(tls_)) != 1;
  return !broken_;
}

bool LoopbackStream::has_peer_certificate() const { return tls_ != nullptr && SSL_get0_peer_certificate(as_ssl(tls_)) != nullptr; }

std::size_t LoopbackStream::read_some(char* space, std::size_t bytes) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    const int count = SSL_read(as_ssl(tls_), space, static_cast<int>(std::min<std::size_t>(bytes, 1 << 20)));
    if (count <= 0) broken_ = SSL_get_error(as_ssl(tls_), count) != SSL_ERROR_ZERO_RETURN;
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  ssize_t count = 0;
  do {
    count = recv(descriptor_, space, bytes, 0);
  } while (count < 0 && errno == EINTR);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

bool LoopbackStream::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    if (tls_ != nullptr) {
      ERR_clear_error();
      const int count = SSL_write(as_ssl(tls_), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20)));
      broken_ = count <= 0;
      if (broken_) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    const ssize_t count = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool LoopbackStream::send_file(int file, std::uint64_t offset, std::uint64_t bytes) {
  auto position = static_cast<off_t>(offset);
  while (bytes > 0) {
    const ssize_t count = sendfile(descriptor_, file, &position, static_cast<std::size_t>(std::min<std::uint64_t>(bytes, 1U << 30)));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes -= static_cast<std::uint64_t>(count);
  }
  return true;
}

void LoopbackStream::wait_for_end() {
  pollfd state{descriptor_, POLLRDHUP, 0};
  while (poll(&state, 1, -1) < 0 && errno == EINTR) {
  }
}

void LoopbackStream::linger() {
  if (tls_ != nullptr && !broken_) SSL_shutdown(as_ssl(tls_));
  broken_ = true;
  shutdown(descriptor_, SHUT_WR);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  char dropped[65536];
  while (std::chrono::steady_clock::now() < end) {
    pollfd state{descriptor_, POLLIN, 0};
    if (poll(&state, 1, 20) > 0 && recv(descriptor_, dropped, sizeof dropped, 0) <= 0) return;
  }
}

void LoopbackStream::reset() {
  broken_ = true;
  // A RST drops what this side's kernel has not sent yet; tests count on the bytes before it.
  for (int tries = 0; tries < 400; ++tries) {
    int unsent = 0;
    if (ioctl(descriptor_, SIOCOUTQ, &unsent) != 0 || unsent == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const struct linger now {1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void LoopbackStream::cut() { shutdown(descriptor_, SHUT_RDWR); }

}  // namespace drover::test
