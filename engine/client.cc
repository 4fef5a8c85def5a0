#include "engine/client.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/engine_failure.h"
#include "engine/json_fields.h"
#include "engine/json_stream.h"
#include "engine/ssh_tunnel.h"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <type_traits>

namespace drover::engine {
namespace {

using net::Request;
using net::ResponseHead;

constexpr std::chrono::milliseconds lock_interval{50};

std::uint64_t to_size(std::size_t value) { return value; }

// Collects an answer: all of a good one up to json_bytes_max, the beginning of a bad one.
class JsonSink final : public net::ResponseSink {
 public:
  bool on_head(const ResponseHead& head) override {
    head_ = head;
    return true;
  }

  bool on_body(std::span<const std::byte> bytes) override {
    const bool is_error = head_.status >= 300;
    const std::uint64_t limit = is_error ? error_body_bytes_max : json_bytes_max;
    const std::uint64_t room = limit - to_size(body.size());
    if (!is_error && bytes.size() > room) {
      throw Error(ErrorCode::size_mismatch, "the engine's answer is longer than " + format_bytes(json_bytes_max));
    }
    body += as_text(bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), room))));
    return !is_error || body.size() < error_body_bytes_max;
  }

  const ResponseHead& head() const { return head_; }
  std::string body;

 private:
  ResponseHead head_;
};

// A stream of objects under a good status, an ordinary error body under a bad one.
class StreamSink final : public net::ResponseSink {
 public:
  explicit StreamSink(JsonStream& stream) : stream_(stream) {}

  bool on_head(const ResponseHead& head) override {
    status = head.status;
    return true;
  }

  bool on_body(std::span<const std::byte> bytes) override {
    if (status < 300) {
      stream_.feed(bytes);
      return true;
    }
    error_body += as_text(bytes.first(std::min<std::size_t>(bytes.size(), error_body_bytes_max - error_body.size())));
    return error_body.size() < error_body_bytes_max;
  }

  int status = 0;
  std::string error_body;

 private:
  JsonStream& stream_;
};

// Hands a good answer on, piece by piece; keeps the beginning of a bad one.
class ForwardSink final : public net::ResponseSink {
 public:
  ForwardSink(const std::function<void(const ResponseHead&)>& on_head, const Client::ByteSink& on_bytes)
      : on_head_(on_head), on_bytes_(on_bytes) {}

  bool on_head(const ResponseHead& head) override {
    head_ = head;
    if (is_good() && on_head_) on_head_(head);
    return true;
  }

  bool on_body(std::span<const std::byte> bytes) override {
    if (is_good()) return !on_bytes_ || on_bytes_(bytes);
    error_body += as_text(bytes.first(std::min<std::size_t>(bytes.size(), error_body_bytes_max - error_body.size())));
    return error_body.size() < error_body_bytes_max;
  }

  bool is_good() const { return head_.status < 300 || head_.status == 304; }
  const ResponseHead& head() const { return head_; }
  std::string error_body;

 private:
  const std::function<void(const ResponseHead&)>& on_head_;
  const Client::ByteSink& on_bytes_;
  ResponseHead head_;
};

// {"message": "..."} since API 1.24; {"cause","message","response"} from podman; otherwise the text itself.
std::string error_text(std::string_view body) {
  const nlohmann::json document = nlohmann::json::parse(body, nullptr, false);
  if (document.is_object()) {
    const auto message = document.find("message");
    if (message != document.end() && message->is_string()) return printable(message->get_ref<const std::string&>());
  }
  const std::string text = printable(trim(body));
  return text.empty() ? "no reason given" : text;
}

nlohmann::json parse_body(std::string_view body, const std::string& what) {
  if (trim(body).empty()) return nullptr;
  nlohmann::json document = nlohmann::json::parse(body, nullptr, false);
  if (document.is_discarded()) throw Error(ErrorCode::engine, what + ": the engine's answer is not JSON");
  return document;
}

[[noreturn]] void throw_status(int status, std::string_view body, std::string_view what) {
  const std::string reason = error_text(body);
  const bool is_version = status == 400 && contains(reason, "client version") &&
                          (contains(reason, "too old") || contains(reason, "too new"));
  const ErrorCode code = is_version ? ErrorCode::unsupported : status == 404 ? ErrorCode::not_found : ErrorCode::engine;
  throw EngineFailure(code,
                      std::string(what) + ": the engine answered " + std::to_string(status) + ": " + reason +
                          (is_version ? "; update drover, or check DOCKER_API_VERSION" : ""),
                      status);
}

// What a person can do when nothing answers, as far as the socket file tells.
std::string remedy(const Endpoint& endpoint) {
  if (endpoint.unix_socket.empty()) return "is the engine running and listening there?";
  if (::access(endpoint.unix_socket.c_str(), F_OK) != 0) {
    return "there is no such socket; is the engine running? choose another with -H, --context or DOCKER_HOST";
  }
  if (::access(endpoint.unix_socket.c_str(), R_OK | W_OK) != 0) {
    return "permission denied; run as root or as a member of the socket's group (often: docker)";
  }
  return "the socket is there, but the engine does not serve it; is it running?";
}

}  // namespace

struct Client::Impl {
  Impl(net::Transport& used_transport, Endpoint used_endpoint) : transport(used_transport), endpoint(std::move(used_endpoint)) {
    if (endpoint.ssh) tunnel.emplace(*endpoint.ssh);
  }

  Request request(std::string method, std::string_view target) const {
    Request out;
    out.method = std::move(method);
    out.url = endpoint.url;
    while (out.url.target.ends_with('/')) out.url.target.pop_back();
    out.url.target += target;
    out.unix_socket = endpoint.unix_socket;
    out.tls = endpoint.tls;
    out.use_proxy = !net::is_loopback_host(endpoint.url.host);
    for (const auto& [name, value] : endpoint.headers) out.headers.set(name, value);
    return out;
  }

  ResponseHead send(const Context& ctx, const Request& request, net::ResponseSink& sink) const {
    return reach(ctx, request, [&](const Request& reachable) { return transport.send(ctx, reachable, sink); });
  }

  template <typename Function>
  std::invoke_result_t<Function&, const Request&> reach(const Context& ctx, const Request& request, Function&& function) const {
    if (!tunnel) return explain(ctx, 0, [&] { return function(request); });
    Request tunnelled = request;
    tunnelled.unix_socket = tunnel->socket(ctx);
    return explain(ctx, tunnel->said_bytes(), [&] { return function(tunnelled); });
  }

  // `said_bytes`: what ssh had said before.
  template <typename Function>
  std::invoke_result_t<Function&> explain(const Context& ctx, std::uint64_t said_bytes, Function&& function) const {
    try {
      return function();
    } catch (Error& error) {
      if (error.code() != ErrorCode::network) throw;
      if (ctx.time_left(lock_interval).count() == 0) throw;  // the caller's own deadline says nothing about the engine
      const std::optional<std::string> reason = tunnel ? tunnel->find_reason(said_bytes) : std::nullopt;
      Error explained(ErrorCode::network, "no answer from the engine at " + endpoint.origin + ": " +
                                              reason.value_or(std::string(error.what()) + "; " + remedy(endpoint)));
      explained.is_final = error.is_final;
      throw explained;
    }
  }

  // HEAD first (API 1.40); engines and proxies that do not know it get a GET.
  ResponseHead ping(const Context& ctx) const {
    JsonSink head;
    send(ctx, request("HEAD", "/_ping"), head);
    if (head.head().headers.find("Api-Version")) return head.head();
    JsonSink get;
    send(ctx, request("GET", "/_ping"), get);
    if (get.head().status >= 300 && !get.head().headers.find("Api-Version")) {
      throw_status(get.head().status, get.body, "cannot talk to the engine at " + endpoint.origin);
    }
    return get.head();
  }

  EngineTraits negotiate(const Context& ctx) const {
    const ResponseHead head = ping(ctx);
    EngineTraits found;
    if (head.headers.find("Libpod-API-Version")) found.product = Product::podman;
    const auto header = head.headers.find("Api-Version");
    if (endpoint.api_version) {
      found.spoken = ApiVersion::parse(*endpoint.api_version);
      found.newest = header ? ApiVersion::parse(trim(*header)) : found.spoken;
      return found;
    }
    if (!header) {
      throw Error(ErrorCode::unsupported, "what answers at " + endpoint.origin + " is not a container engine: no Api-Version header");
    }
    found.newest = ApiVersion::parse(trim(*header));
    if (found.newest < oldest_usable_api) {
      throw Error(ErrorCode::unsupported, "the engine at " + endpoint.origin + " is too old: API " + found.newest.to_string() +
                                              ", needed is " + oldest_usable_api.to_string());
    }
    found.spoken = std::min(found.newest, newest_known_api);
    return found;
  }

  EngineTraits traits(const Context& ctx) {
    // One thread asks, the others wait for it as long as they may.
    std::unique_lock lock(mutex, std::defer_lock);
    while (!lock.try_lock_for(ctx.time_left(lock_interval))) ctx.check_stop();
    if (!negotiated) negotiated = negotiate(ctx);
    return *negotiated;
  }

  // Whether the engine speaks another version by now than the one that it refused.
  bool has_changed(const Context& ctx, ApiVersion refused) {
    if (endpoint.api_version) return false;
    {
      std::unique_lock lock(mutex, std::defer_lock);
      while (!lock.try_lock_for(ctx.time_left(lock_interval))) ctx.check_stop();
      if (negotiated && negotiated->spoken == refused) negotiated.reset();
    }
    return traits(ctx).spoken != refused;
  }

  // Calls with the path's beginning. An engine that was replaced under a client that lives long refuses the version it was asked in; it is
  // asked once more in its own, unless a part of the body may be gone: then the next call is right.
  enum class Body { held, streamed };
  template <typename Function>
  std::invoke_result_t<Function&, const std::string&> in_its_version(const Context& ctx, Body body, Function&& function) {
    const ApiVersion spoken = traits(ctx).spoken;
    try {
      return function("/v" + spoken.to_string());
    } catch (const EngineFailure& failure) {
      if (failure.code() != ErrorCode::unsupported || !has_changed(ctx, spoken) || body == Body::streamed) throw;
    }
    return function("/v" + traits(ctx).spoken.to_string());
  }

  nlohmann::json call(const Context& ctx, const std::string& method, std::string_view path, const std::string& body,
                      std::chrono::milliseconds silence_max = std::chrono::minutes(1)) {
    return in_its_version(ctx, Body::held, [&](const std::string& version) {
      Request out = request(method, version + std::string(path));
      out.timeouts.first_byte = silence_max;
      if (method == "POST" || method == "PUT") out.headers.set("Content-Type", "application/json");
      out.body = body;
      JsonSink sink;
      send(ctx, out, sink);
      const std::string what = method + " " + std::string(path.substr(0, path.find('?')));
      if (sink.head().status >= 300) throw_status(sink.head().status, sink.body, what);
      return parse_body(sink.body, what);
    });
  }

  ResponseHead exchange(const Context& ctx, const Call& call, const ByteSink& on_bytes, const std::string& version) const {
    Request out = request(call.method, version + call.path);
    if (!call.content_type.empty()) out.headers.set("Content-Type", call.content_type);
    for (const auto& [name, value] : call.headers) out.headers.set(name, value);
    out.body = call.body;
    out.source = call.source;
    out.timeouts.first_byte = call.head_max.value_or(call.silence_max);
    out.timeouts.stall = call.silence_max;
    out.timeouts.stall_bytes_per_second = 1;
    ForwardSink sink(call.on_head, on_bytes);
    try {
      send(ctx, out, sink);
    } catch (const Error& error) {
      // An engine that refuses closes while the body is still being sent: its reason counts, not the broken pipe.
      if (error.code() != ErrorCode::network || sink.is_good()) throw;
    }
    const std::string what = call.method + " " + call.path.substr(0, call.path.find('?'));
    if (!sink.is_good()) throw_status(sink.head().status, sink.error_body, what);
    return sink.head();
  }

  net::Upgrade upgrade(const Context& ctx, std::string_view path, const std::string& body, const std::string& version) const {
    Request asked = request("POST", version + std::string(path));
    if (!body.empty()) asked.headers.set("Content-Type", "application/json");
    asked.body = body;
    net::Upgrade upgrade = reach(ctx, asked, [&](const Request& reachable) { return transport.upgrade(ctx, reachable, error_body_bytes_max); });
    if (upgrade.stream) return upgrade;
    const std::string what = "POST " + std::string(path.substr(0, path.find('?')));
    if (upgrade.head.status >= 300) throw_status(upgrade.head.status, upgrade.body, what);
    throw Error(ErrorCode::unsupported, what + ": the connection was not handed over, the answer is an ordinary " +
                                            std::to_string(upgrade.head.status) + "; is there a proxy before the engine?");
  }

  void post_stream(const Context& ctx, const StreamRequest& request, JsonStream& stream, const std::string& what, const std::string& version) const {
    Request out = this->request("POST", version + request.path);
    if (request.source) out.headers.set("Content-Type", request.content_type);
    for (const auto& [name, value] : request.headers) out.headers.set(name, value);
    out.source = request.source;
    out.timeouts.first_byte = request.silence_max;
    out.timeouts.stall = request.silence_max;
    out.timeouts.stall_bytes_per_second = 1;
    StreamSink sink(stream);
    try {
      send(ctx, out, sink);
    } catch (const Error& error) {
      // An engine that refuses closes while the body is still being sent: its reason counts, not the broken pipe.
      if (error.code() != ErrorCode::network || sink.status < 300) throw;
    }
    if (sink.status >= 300) throw_status(sink.status, sink.error_body, what);
  }

  net::Transport& transport;
  Endpoint endpoint;
  mutable std::optional<SshTunnel> tunnel;  // thread-safe by itself
  std::timed_mutex mutex;
  std::optional<EngineTraits> negotiated;
};

Client::Client(net::Transport& transport, Endpoint endpoint) : impl_(std::make_unique<Impl>(transport, std::move(endpoint))) {}

Client::~Client() = default;

const Endpoint& Client::endpoint() const { return impl_->endpoint; }

EngineTraits Client::traits(const Context& ctx) { return impl_->traits(ctx); }

ApiVersion Client::api_version(const Context& ctx) { return traits(ctx).spoken; }

bool Client::is_podman(const Context& ctx) { return traits(ctx).product == Product::podman; }

void Client::require(const Context& ctx, ApiVersion version, std::string_view what) {
  const EngineTraits engine = traits(ctx);
  if (engine.spoken >= version) return;
  const std::string needs = std::string(what) + " needs API " + version.to_string();
  // Beyond what drover was tried with: the engine is not the one that cannot.
  if (engine.newest >= version) throw Error(ErrorCode::unsupported, needs + ", spoken is " + engine.spoken.to_string() + "; DOCKER_API_VERSION=" + version.to_string() + " chooses another");
  throw Error(ErrorCode::unsupported, needs + ", this engine speaks " + engine.newest.to_string());
}

nlohmann::json Client::get(const Context& ctx, std::string_view path, std::chrono::milliseconds silence_max) {
  return impl_->call(ctx, "GET", path, {}, silence_max);
}

nlohmann::json Client::find(const Context& ctx, std::string_view path, std::chrono::milliseconds silence_max) {
  try {
    return get(ctx, path, silence_max);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) return nullptr;
    throw;
  }
}

nlohmann::json Client::post(const Context& ctx, std::string_view path, const nlohmann::json& body,
                            std::chrono::milliseconds silence_max) {
  return impl_->call(ctx, "POST", path, body.is_null() ? std::string() : to_request_text(body), silence_max);
}

nlohmann::json Client::put(const Context& ctx, std::string_view path, const nlohmann::json& body) {
  return impl_->call(ctx, "PUT", path, body.is_null() ? std::string() : to_request_text(body));
}

nlohmann::json Client::remove(const Context& ctx, std::string_view path, std::chrono::milliseconds silence_max) {
  return impl_->call(ctx, "DELETE", path, {}, silence_max);
}

ResponseHead Client::head(const Context& ctx, std::string_view path) {
  return exchange(ctx, {.method = "HEAD", .path = std::string(path)});
}

ResponseHead Client::exchange(const Context& ctx, const Call& call, const ByteSink& on_bytes) {
  return impl_->in_its_version(ctx, call.source ? Impl::Body::streamed : Impl::Body::held,
                               [&](const std::string& version) { return impl_->exchange(ctx, call, on_bytes, version); });
}

nlohmann::json Client::exchange_json(const Context& ctx, const Call& call) {
  std::string body;
  exchange(ctx, call, [&](std::span<const std::byte> bytes) {
    if (bytes.size() > json_bytes_max - body.size()) {
      throw Error(ErrorCode::size_mismatch, "the engine's answer is longer than " + format_bytes(json_bytes_max));
    }
    body += as_text(bytes);
    return true;
  });
  return parse_body(body, call.method + " " + call.path.substr(0, call.path.find('?')));
}

net::Upgrade Client::upgrade(const Context& ctx, std::string_view path, const nlohmann::json& body) {
  const std::string text = body.is_null() ? std::string() : to_request_text(body);
  return impl_->in_its_version(ctx, Impl::Body::held, [&](const std::string& version) { return impl_->upgrade(ctx, path, text, version); });
}

void Client::post_stream(const Context& ctx, const StreamRequest& request,
                         const std::function<void(const nlohmann::json&)>& on_object) {
  const std::string what = "POST " + request.path.substr(0, request.path.find('?'));
  JsonStream stream(
      [&](const nlohmann::json& object) {
        if (const std::string failure = find_stream_error(object); !failure.empty()) {
          throw Error(ErrorCode::engine, what + ": the engine reports: " + printable(failure, report_bytes_max));
        }
        if (on_object) on_object(object);
      },
      [&](std::string_view line) { ctx.debug(what + ": passed over a line that is not JSON: " + printable(line, 120)); });
  impl_->in_its_version(ctx, request.source ? Impl::Body::streamed : Impl::Body::held,
                        [&](const std::string& version) { impl_->post_stream(ctx, request, stream, what, version); });
  stream.finish();
}

}  // namespace drover::engine
