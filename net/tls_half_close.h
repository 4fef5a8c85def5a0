// Ends one direction of a TLS connection, which libcurl cannot.
#pragma once

#include <signal.h>

namespace drover::net {

// Writes to a TLS connection whose peer is gone raise SIGPIPE: OpenSSL writes without MSG_NOSIGNAL. Holds it back on this thread.
class PipeSignalGuard {
 public:
  PipeSignalGuard();
  ~PipeSignalGuard();
  PipeSignalGuard(const PipeSignalGuard&) = delete;
  PipeSignalGuard& operator=(const PipeSignalGuard&) = delete;

 private:
  sigset_t before_;
  bool was_pending_;
};

// Sends close_notify (RFC 8446 section 6.1) over `ssl`, an OpenSSL SSL; what the peer sends can still be read. False when the socket
// has no room for it. Throws network when the connection is broken.
bool end_tls_sending(void* ssl);

}  // namespace drover::net
