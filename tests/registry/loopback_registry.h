// A small registry on loopback whose every answer a test may replace, and a client that talks to it with a clock of its own.
//
// Every secret that tests use contains "canary": at the end the log is searched for it, and so is each error that was caught by `failure`.
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "manifest/media_type.h"
#include "net/transport.h"
#include "registry/client.h"
#include "tests/support/fake_clock.h"
#include "tests/support/loopback_server.h"
#include "tests/support/recording_progress.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

#include <charconv>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace drover::test {

inline Descriptor describe(std::string_view bytes, std::string_view type) {
  return {.media_type = std::string(type), .digest = Digest::of(bytes), .size = bytes.size(), .platform = {}, .annotations = {}, .urls = {}};
}

// Serves what it is given, ranges included, and remembers every request.
class LoopbackRegistry {
 public:
  // Nothing: the registry's own answer.
  using Hook = std::function<std::optional<Reply>(const ServedRequest&)>;

  LoopbackRegistry() : server_([this](const ServedRequest& request) { return answer(request); }) { server_.listen(); }

  // "127.0.0.1:1234"
  std::string host(std::size_t listener = 0) const { return "127.0.0.1:" + std::to_string(server_.port(listener)); }
  std::string origin(std::size_t listener = 0) const { return server_.origin(listener); }
  LoopbackServer& server() { return server_; }
  Reference reference(const std::string& rest = "acme/api:1") const { return Reference::parse(host() + "/" + rest); }

  void set_hook(Hook hook) {
    const std::lock_guard lock(mutex_);
    hook_ = std::move(hook);
  }

  Descriptor put_blob(const std::string& bytes, std::string_view type = media_type::oci_layer_gzip) {
    const Descriptor descriptor = describe(bytes, type);
    const std::lock_guard lock(mutex_);
    blobs_[descriptor.digest.to_string()] = bytes;
    return descriptor;
  }

  // Under its digest and, if given, a tag.
  Descriptor put_manifest(const std::string& bytes, std::string_view type, const std::string& tag = {}) {
    const Descriptor descriptor = describe(bytes, type);
    const std::lock_guard lock(mutex_);
    manifests_[descriptor.digest.to_string()] = {std::string(type), bytes};
    if (!tag.empty()) manifests_[tag] = {std::string(type), bytes};
    return descriptor;
  }

  std::vector<ServedRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  // How many requests had this in their target.
  std::size_t count(std::string_view part) const {
    std::size_t found = 0;
    for (const ServedRequest& request : requests()) found += request.target.find(part) == std::string::npos ? 0U : 1U;
    return found;
  }

  // A blob's answer as a good server gives it.
  static Reply blob_reply(const ServedRequest& request, const std::string& bytes) {
    Reply reply;
    reply.headers.set("Content-Type", "application/octet-stream");
    const auto range = request.headers.find("range");
    std::uint64_t first = 0;
    std::uint64_t last = bytes.size() - 1;
    if (!range) {
      reply.body = bytes;
      return reply;
    }
    const std::vector<std::string_view> ends = split(range->substr(std::string_view("bytes=").size()), '-');
    first = parse_uint(ends.at(0)).value();
    last = std::min<std::uint64_t>(last, parse_uint(ends.at(1)).value());
    reply.status = 206;
    reply.headers.set("Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(bytes.size()));
    reply.body = bytes.substr(first, last - first + 1);
    return reply;
  }

  static Reply status(int code, std::string body = {}) {
    Reply reply;
    reply.status = code;
    reply.body = std::move(body);
    return reply;
  }

  static Reply redirect(const std::string& location, int code = 307) {
    Reply reply = status(code);
    reply.headers.set("Location", location);
    return reply;
  }

  static Reply challenge(const std::string& value) {
    Reply reply = status(401, R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})");
    reply.headers.add("WWW-Authenticate", value);
    return reply;
  }

 private:
  Reply answer(const ServedRequest& request) {
    Hook hook;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      hook = hook_;
    }
    if (hook) {
      if (std::optional<Reply> reply = hook(request)) return *reply;
    }
    if (request.path == "/v2/") return status(200, "{}");
    const std::lock_guard lock(mutex_);
    const std::string name = request.path.substr(request.path.rfind('/') + 1);
    if (request.path.find("/blobs/") != std::string::npos && blobs_.contains(name)) return blob_reply(request, blobs_[name]);
    if (request.path.find("/manifests/") != std::string::npos && manifests_.contains(name)) {
      Reply reply = status(200, manifests_[name].second);
      reply.headers.set("Content-Type", manifests_[name].first);
      reply.headers.set("Docker-Content-Digest", Digest::of(reply.body).to_string());
      return reply;
    }
    return status(404, R"({"errors":[{"code":"NAME_UNKNOWN","message":"not known here"}]})");
  }

  mutable std::mutex mutex_;
  Hook hook_;
  std::map<std::string, std::string> blobs_;
  std::map<std::string, std::pair<std::string, std::string>> manifests_;  // type and bytes
  std::vector<ServedRequest> requests_;
  LoopbackServer server_;  // last: its threads end before what they use
};

// One registry and one client with fake time. Options are set before the first use of client().
struct Loopback {
  LoopbackRegistry registry;
  FakeClock clock;
  RecordingLog log;
  TempDir folder{"drover-registry"};
  net::Transport transport;
  registry::ClientOptions options;
  Context ctx;

  Loopback() {
    options.certs_directories = {folder / "certs.d"};
    ctx.clock = &clock;
    ctx.log = &log;
  }

  ~Loopback() {
    const std::string text = log.text();
    BOOST_TEST(text.find("canary") == std::string::npos, "a secret reached the log: " << text);
  }

  // Made by the first call, with the options of then; that call may come from several threads at once.
  registry::Client& client() {
    std::call_once(client_made_, [this] { client_.emplace(transport, options); });
    return *client_;
  }

  // A login for this registry, in a config.json.
  void log_in(const std::string& user = "user", const std::string& password = "canary-password") {
    write_config(R"({"auths": {")" + registry.host() + R"(": {"auth": ")" + encode_base64(user + ":" + password, Base64::standard) + "\"}}}");
  }
  void write_config(const std::string& text) { options.credential_files = {folder.write("config.json", text)}; }

  // The error that `action` throws; a test failure when it throws none.
  template <typename Action>
  Error failure(Action action) const {
    try {
      action();
    } catch (const Error& error) {
      BOOST_TEST(std::string(error.what()).find("canary") == std::string::npos, "a secret is in the error: " << error.what());
      return error;
    }
    BOOST_ERROR("no error was thrown");
    return Error(ErrorCode::failed, "no error was thrown");
  }

 private:
  std::once_flag client_made_;
  std::optional<registry::Client> client_;
};

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

inline std::string authorization(const ServedRequest& request) { return std::string(request.headers.find("authorization").value_or("")); }

// A token server's part of a hook: hands out "canary-token-1", "-2", ... at /token.
class TokenServer {
 public:
  std::optional<Reply> answer(const ServedRequest& request) {
    if (request.path != "/token") return std::nullopt;
    const std::lock_guard lock(mutex_);
    ++count_;
    return LoopbackRegistry::status(200, R"({"token":")" + current() + R"(","expires_in":300})");
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  // What the newest token looks like in a header.
  bool accepts(const ServedRequest& request) const {
    const std::lock_guard lock(mutex_);
    return count_ > 0 && authorization(request) == "Bearer " + current();
  }

 private:
  std::string current() const { return "canary-token-" + std::to_string(count_); }
  mutable std::mutex mutex_;
  std::size_t count_ = 0;
};

}  // namespace drover::test
