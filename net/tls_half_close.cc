#include "net/tls_half_close.h"

#include "base/error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <ctime>

namespace drover::net {
namespace {

sigset_t pipe_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

bool is_pipe_signal_pending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

PipeSignalGuard::PipeSignalGuard() : was_pending_(is_pipe_signal_pending()) {
  const sigset_t pipe = pipe_signal();
  pthread_sigmask(SIG_BLOCK, &pipe, &before_);
}

PipeSignalGuard::~PipeSignalGuard() {
  if (!was_pending_ && is_pipe_signal_pending()) {
    const sigset_t pipe = pipe_signal();
    const timespec now{};
    sigtimedwait(&pipe, nullptr, &now);
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool end_tls_sending(void* ssl) {
  auto* const connection = static_cast<SSL*>(ssl);
  ERR_clear_error();
  const int result = SSL_shutdown(connection);
  if (result >= 0) return true;
  const int error = SSL_get_error(connection, result);
  if (error == SSL_ERROR_WANT_WRITE) return false;
  // What it wants to read is the peer's close_notify; ours is on its way.
  if (error == SSL_ERROR_WANT_READ) return true;
  throw Error(ErrorCode::network, "cannot end the TLS connection: the peer has cut it");
}

}  // namespace drover::net
