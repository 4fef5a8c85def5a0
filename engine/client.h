// The Docker Engine API over one endpoint: versioned paths, errors as Errors, JSON streams. One header a resource stands on it.
#pragma once

#include "base/context.h"
#include "engine/api_version.h"
#include "engine/endpoint.h"
#include "engine/quirks.h"
#include "net/raw_stream.h"
#include "net/transport.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::engine {

// Lists of images and containers of a big host are some MiB; a failure is a sentence.
inline constexpr std::uint64_t json_bytes_max = 64U << 20U;
inline constexpr std::uint64_t error_body_bytes_max = 64U << 10U;

// Thread-safe. Negotiates the version once, from the Api-Version header of the first answer.
class Client {
 public:
  Client(net::Transport& transport, Endpoint endpoint);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const Endpoint& endpoint() const;
  // Negotiated: the smaller of ours and the engine's. Throws network with a remedy when nothing answers there, unsupported when the
  // engine is too old or too new.
  ApiVersion api_version(const Context& ctx);
  // Podman's service says so in a header of its first answer. The store is not asked for.
  bool is_podman(const Context& ctx);
  EngineTraits traits(const Context& ctx);
  // Throws unsupported: "<what> needs API 1.44, this engine speaks 1.41".
  void require(const Context& ctx, ApiVersion version, std::string_view what);

  // `path` begins after the version: "/images/json?all=1". Statuses of 300 and above throw (404 not_found, else engine; a version
  // that the engine refuses: unsupported) with the engine's own message, made printable. An empty answer is null.
  nlohmann::json get(const Context& ctx, std::string_view path);
  // A null `body` is not sent.
  nlohmann::json post(const Context& ctx, std::string_view path, const nlohmann::json& body);
  void remove(const Context& ctx, std::string_view path);

  // POST that takes the connection over; hijack.h stands on it. The answer's stream is there, refusals throw as those of post() do.
  net::Upgrade upgrade(const Context& ctx, std::string_view path, const nlohmann::json& body);

  // A request whose answer is a stream of JSON objects (Engine API: \r\n separated, or json-seq, split anywhere). An object with
  // errorDetail or error throws engine although the status was 200. `on_object` may be empty.
  struct StreamRequest {
    std::string path;
    std::string content_type = "application/x-tar";
    net::BodySource source;                              // empty: no body
    std::vector<std::pair<std::string, std::string>> headers;
    std::chrono::milliseconds silence_max{600'000};  // unpacking one huge layer on a slow disk reports nothing for minutes
  };
  void post_stream(const Context& ctx, const StreamRequest& request, const std::function<void(const nlohmann::json&)>& on_object);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::engine
