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
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::engine {

// Lists of images and containers of a big host are some MiB; a failure is a sentence.
inline constexpr std::uint64_t json_bytes_max = 64U << 20U;
inline constexpr std::uint64_t error_body_bytes_max = 64U << 10U;

// Within which the engine answers to what looks at, copies or removes many files, on a slow disk.
inline constexpr std::chrono::minutes long_work_silence_max{10};

// Thread-safe. Negotiates the version once, from the Api-Version header of the first answer, and anew when the engine refuses that version:
// it may be upgraded or downgraded under a client that lives long.
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
  // Throws unsupported: "<what> needs API 1.44, this engine speaks 1.41"; of an engine that could, where a lower version is spoken with it
  // (newest_known_api, or a pinned one), how to choose.
  void require(const Context& ctx, ApiVersion version, std::string_view what);

  // `path` begins after the version: "/images/json?all=1". Statuses of 300 and above throw EngineFailure (404 not_found, else
  // engine; a version that the engine refuses: unsupported) with the engine's own message, made printable. An empty answer is
  // null. `silence_max`: how long the engine may work before it answers.
  nlohmann::json get(const Context& ctx, std::string_view path, std::chrono::milliseconds silence_max = std::chrono::minutes(1));
  // The same; null as well when there is no such object (404).
  nlohmann::json find(const Context& ctx, std::string_view path, std::chrono::milliseconds silence_max = std::chrono::minutes(1));
  // A null `body` is not sent.
  nlohmann::json post(const Context& ctx, std::string_view path, const nlohmann::json& body,
                      std::chrono::milliseconds silence_max = std::chrono::minutes(1));
  nlohmann::json put(const Context& ctx, std::string_view path, const nlohmann::json& body);
  // What the engine says about its removal; null when it says nothing (204). Removing many files may take minutes.
  nlohmann::json remove(const Context& ctx, std::string_view path, std::chrono::milliseconds silence_max = long_work_silence_max);
  // The head alone; absence throws not_found as everywhere.
  net::ResponseHead head(const Context& ctx, std::string_view path);

  // Any other call: bytes up, bytes down.
  struct Call {
    std::string method = "GET";
    std::string path;                                        // as for get()
    std::string body = {};                                   // when there is no source
    net::BodySource source = {};                             // sent chunked
    std::string content_type = {};                           // of body or source
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::chrono::milliseconds silence_max{60'000};           // in which no byte moves; 0: any time
    std::optional<std::chrono::milliseconds> head_max = {};  // to the answer's head, where that is another time
    std::function<void(const net::ResponseHead&)> on_head = {};  // a good answer's head, before its body: the engine has begun
  };
  // Receives a good answer's body in pieces that are cut anywhere. False: enough; the connection is closed.
  using ByteSink = std::function<bool(std::span<const std::byte>)>;
  // Statuses below 300, and 304 ("is so already"), return; others throw as for get(), also when the engine refuses and closes
  // while the body is still being sent. An empty `on_bytes` drops the body.
  net::ResponseHead exchange(const Context& ctx, const Call& call, const ByteSink& on_bytes = {});

  // The same for an answer that is one JSON document; an empty one is null.
  nlohmann::json exchange_json(const Context& ctx, const Call& call);

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
