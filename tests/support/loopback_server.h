// An HTTP/1.1 server on loopback for tests, in plain sockets and threads: what a handler answers, and everything that can go wrong
// while it is sent. Independent of net/, so that both ends do not share a mistake (only the header list is borrowed).
#pragma once

#include "net/transport.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::test {

class LoopbackStream;  // loopback_stream.h

// One request as it came.
struct ServedRequest {
  std::string method = {};
  std::string target = {};  // as on the request line
  std::string path = {};    // without the query
  std::string query = {};   // without '?'
  net::Headers headers = {};
  std::string body = {};           // whole, chunks joined; empty for an answer given before the body
  std::uint64_t body_bytes = 0;
  bool chunked = false;
  std::size_t listener = 0;        // which of the server's listeners
  std::uint64_t connection = 0;    // counted from 1 over all listeners
  bool has_client_certificate = false;

  // The percent-decoded value of a query parameter.
  std::optional<std::string> parameter(std::string_view name) const;
};

// One answer, and how it is put on the wire.
struct Reply {
  int status = 200;
  net::Headers headers = {};
  std::string body = {};
  std::filesystem::path file = {};  // sent instead of body: `file_bytes` from `file_offset`
  std::uint64_t file_offset = 0;
  std::uint64_t file_bytes = 0;

  // Framing. HEAD answers send the length and no body.
  std::optional<std::uint64_t> content_length = {};  // claimed instead of the real one
  bool chunked = false;
  bool no_length = false;  // the body ends with the connection
  bool close = false;      // "Connection: close", and done
  bool linger = false;     // an early answer ends as nginx and Go end it: reading on for a moment instead of a RST on unread bytes

  // Pace.
  std::chrono::milliseconds delay{0};  // before the head
  std::size_t slice_bytes = 0;         // bytes a write; 0: as many as go
  std::chrono::milliseconds slice_delay{0};
  std::uint64_t bytes_per_second = 0;  // 0: unlimited

  // Faults, counted in bytes of the body.
  std::optional<std::uint64_t> close_after = {};  // FIN after so many
  std::optional<std::uint64_t> reset_after = {};  // RST after so many
  std::optional<std::uint64_t> stall_after = {};  // silence after so many, until either side goes away
  bool hang = false;                              // never answers
  std::string raw = {};                           // sent verbatim instead of all of the above but delay; then the connection is closed
  // After `raw`, instead of closing: speaks over the connection, which is closed when this returns.
  std::function<void(LoopbackStream&)> take_over = {};
};

struct TlsFiles {
  std::filesystem::path certificate = {};  // PEM chain
  std::filesystem::path key = {};
  std::filesystem::path client_ca = {};    // set: a client certificate of this authority is required
};

class LoopbackServer {
 public:
  // Runs on the connection's thread: several at once. An exception becomes a 500 with its text.
  using Handler = std::function<Reply(const ServedRequest&)>;
  // Sees the head before the body is read; an answer given here is sent at once and the connection closed, with the body unread.
  using EarlyHandler = std::function<std::optional<Reply>(const ServedRequest&)>;

  explicit LoopbackServer(Handler handler, EarlyHandler early = {});
  // Cuts every connection and ends every thread.
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  // A listener on `address`, port 0 for a free one; returns its number: 0 for the first. Its port is listening at once.
  std::size_t listen(const std::string& address = "127.0.0.1", std::uint16_t port = 0, std::optional<TlsFiles> tls = {});
  std::size_t listen_unix(const std::filesystem::path& path);

  std::uint16_t port(std::size_t listener = 0) const;
  // "http://127.0.0.1:1234", or https.
  std::string origin(std::size_t listener = 0) const;

  // Connections accepted so far, on all listeners.
  std::uint64_t connections() const;
  // Cuts the connections there are; listeners stay.
  void cut_connections();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A TCP port on loopback where nothing listens.
std::uint16_t unused_port();

}  // namespace drover::test
