// One blocking HTTP client for registries (TCP, TLS, proxies) and engines (also unix sockets). The only room that knows libcurl.
//
// Redirects are never followed here: a 3xx is an answer. Retries are the caller's. Content is never decoded.
#pragma once

#include "base/context.h"
#include "net/address_policy.h"
#include "net/url.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::net {

class Headers {
 public:
  void set(std::string name, std::string value);  // replaces all of that name
  void add(std::string name, std::string value);
  std::optional<std::string_view> find(std::string_view name) const;  // the last of that name; names ignore case
  std::vector<std::string_view> all(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& list() const { return list_; }

 private:
  std::vector<std::pair<std::string, std::string>> list_;
};

struct TlsOptions {
  bool verify = true;
  std::filesystem::path ca_file = {};      // besides the system's: a PEM file, or a folder with *.crt files
  std::filesystem::path client_cert = {};  // PEM
  std::filesystem::path client_key = {};

  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

struct Timeouts {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds first_byte{60'000};      // from the request's end to the answer's head; 0: none
  std::uint64_t stall_bytes_per_second = 1024;       // a body slower than this, either way ...
  std::chrono::milliseconds stall{20'000};           // ... over this long is a network failure; 0: none. Waits in sink and source do not count
  std::chrono::milliseconds total{0};                // 0: none
};

// Pulled while the request is sent: fills the span, returns how much; 0 ends the body. May block; may throw (the request is aborted
// and the exception comes out of send).
using BodySource = std::function<std::size_t(std::span<std::byte>)>;

struct Request {
  std::string method = "GET";
  Url url = {};
  Headers headers = {};
  std::string body = {};                             // when there is no source
  BodySource source = {};                            // sent chunked, or with source_bytes as Content-Length
  std::optional<std::uint64_t> source_bytes = {};
  std::filesystem::path unix_socket = {};            // connect here; url's host only fills the Host header
  TlsOptions tls = {};
  AddressPolicy addresses = AddressPolicy::any;
  bool http2 = false;                           // offer HTTP/2 (TLS only)
  bool use_proxy = true;                        // the environment's proxies; never with a unix socket
  Timeouts timeouts = {};
};

struct ResponseHead {
  int status = 0;
  Headers headers = {};
  std::optional<std::uint64_t> content_length = {};
};

// Receives one answer. Exceptions thrown by either function abort the transfer and come out of send.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  // The final head (1xx are passed over). False: the body is not wanted; the connection is closed unless it is empty or known to be
  // small, then it is read and dropped.
  virtual bool on_head(const ResponseHead& head) = 0;
  // Pieces in order, of 16 KiB as libcurl cuts them: gather them before writing. False: enough; send returns normally.
  virtual bool on_body(std::span<const std::byte> bytes) = 0;
};

struct Response {
  int status = 0;
  Headers headers = {};
  std::string body = {};
};

struct TransportOptions {
  std::string user_agent = "drover";
  std::filesystem::path ca_file = {};  // --cacert: besides the system's, for every host
};

struct Upgrade;  // raw_stream.h

// Thread-safe: each call borrows a handle with connections of its own, most recently used first, so a thread tends to keep its
// connection. Calls block until the answer is complete, ctx.stop fires (interrupted, within milliseconds) or a timeout (network); time
// inside of a sink or a source is theirs, so those that block watch ctx.stop themselves.
//
// An answer of 300 or above that comes before the request's body was sent is the answer: the rest is not sent. With a proxy, the address
// policy applies to the proxy as `any`, and to the host only if it is written as an address.
class Transport {
 public:
  explicit Transport(TransportOptions options = {});
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Throws network (could not connect, cut, stalled, TLS; the message says which and names host and port), interrupted, invalid (the URL,
  // the method or a header is malformed, a certificate file is none), or what sink or source threw. Any HTTP status is a normal return.
  ResponseHead send(const Context& ctx, const Request& request, ResponseSink& sink);
  // The body in memory; throws size_mismatch beyond `body_bytes_max`.
  Response send(const Context& ctx, const Request& request, std::uint64_t body_bytes_max);

  // A request over a connection of its own that is to be raw afterwards: sent with "Connection: Upgrade" and "Upgrade: tcp", its body from
  // memory. An answer 101, or 200 without a framed body, hands the connection over; every other is a refusal, with up to
  // `body_bytes_max` of its body. Throws as send() does.
  Upgrade upgrade(const Context& ctx, const Request& request, std::uint64_t body_bytes_max);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::net
