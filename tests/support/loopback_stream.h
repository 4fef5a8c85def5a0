// One accepted connection, plain or TLS, as bytes: for LoopbackServer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

struct ssl_ctx_st;

namespace drover::test {

class LoopbackStream {
 public:
  // Owns the socket. With a TLS context the handshake comes with handshake().
  LoopbackStream(int descriptor, ssl_ctx_st* tls);
  ~LoopbackStream();
  LoopbackStream(const LoopbackStream&) = delete;
  LoopbackStream& operator=(const LoopbackStream&) = delete;

  // False when the peer would not.
  bool handshake();
  bool has_peer_certificate() const;
  // 0 at the end or on a failure.
  std::size_t read_some(char* space, std::size_t bytes);
  // False on a failure.
  bool write_all(std::string_view bytes);
  // The kernel copies; plain connections only.
  bool send_file(int file, std::uint64_t offset, std::uint64_t bytes);
  bool is_tls() const { return tls_ != nullptr; }

  // Waits until the peer goes away or cut() is called.
  void wait_for_end();
  // Says that nothing more comes and drops what the peer still sends, for half a second at most.
  void linger();
  // Closes with a RST once the peer's kernel has everything that was written.
  void reset();
  // From any thread: reads and writes end.
  void cut();

 private:
  int descriptor_;
  void* tls_ = nullptr;  // SSL
  bool broken_ = false;  // TLS must not be shut down in order
};

}  // namespace drover::test
