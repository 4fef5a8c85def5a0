#include "net/transport.h"

#include "base/error.h"
#include "base/text.h"
#include "net/ca_bundle.h"
#include "net/curl_session.h"
#include "net/exchange.h"
#include "net/raw_stream.h"
#include "net/upgrade.h"

#include <curl/curl.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace drover::net {
namespace {

// More than that many transfers at once are rare; sessions beyond it are closed when they come back.
constexpr std::size_t idle_sessions_max = 64;

void start_libcurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw Error(ErrorCode::failed, "cannot start libcurl");
}

// Sessions of different kinds never share a connection: one opened under looser rules must not serve a request under stricter ones.
std::string session_kind(const Request& request) {
  const TlsOptions& tls = request.tls;
  std::string kind;
  for (const std::string& part : {tls.ca_file.string(), tls.client_cert.string(), tls.client_key.string(), request.unix_socket.string()}) {
    kind.append(part).push_back('\0');
  }
  for (const bool flag : {tls.verify, request.addresses == AddressPolicy::any, request.http2, request.use_proxy}) kind += flag ? '1' : '0';
  return kind;
}

std::string name_peer(const Request& request) {
  if (!request.unix_socket.empty()) return request.unix_socket.string();
  const std::string origin = request.url.origin();
  return origin.substr(origin.find("//") + 2);
}

class Collector final : public ResponseSink {
 public:
  Collector(const Request& request, std::uint64_t body_bytes_max) : request_(request), body_bytes_max_(body_bytes_max) {}

  bool on_head(const ResponseHead& head) override {
    if (request_.method != "HEAD" && head.content_length.value_or(0) > body_bytes_max_) refuse();
    return true;
  }
  bool on_body(std::span<const std::byte> bytes) override {
    if (bytes.size() > body_bytes_max_ - body_.size()) refuse();
    body_.append(as_text(bytes));
    return true;
  }
  std::string take_body() { return std::move(body_); }

 private:
  [[noreturn]] void refuse() const {
    throw Error(ErrorCode::size_mismatch, "the answer of " + name_peer(request_) + " is larger than " + std::to_string(body_bytes_max_) + " bytes");
  }

  const Request& request_;
  const std::uint64_t body_bytes_max_;
  std::string body_;
};

}  // namespace

struct Transport::Impl {
  struct Idle {
    std::string kind;
    std::unique_ptr<CurlSession> session;
  };

  explicit Impl(TransportOptions given) : options(std::move(given)), bundles(CurlSession::system_ca_file(), CurlSession::system_ca_folder()) {}

  std::unique_ptr<CurlSession> borrow(const std::string& kind, const std::string& origin);
  void give_back(std::string kind, std::unique_ptr<CurlSession> session);
  SessionSetup prepare(const Request& request);
  std::unique_ptr<CurlSession> open_session(const std::string& kind);  // under the mutex

  const TransportOptions options;
  CaBundles bundles;
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<CurlShare>> shares;  // by kind; outlive the sessions below
  std::vector<Idle> idle;                                    // most recently used last
};

std::unique_ptr<CurlSession> Transport::Impl::borrow(const std::string& kind, const std::string& origin) {
  const std::lock_guard lock(mutex);
  const auto is_warm = [&](const Idle& entry) { return entry.kind == kind && entry.session->knows(origin); };
  auto found = std::find_if(idle.rbegin(), idle.rend(), is_warm);
  if (found == idle.rend()) found = std::find_if(idle.rbegin(), idle.rend(), [&](const Idle& entry) { return entry.kind == kind; });
  if (found != idle.rend()) {
    std::unique_ptr<CurlSession> session = std::move(found->session);
    idle.erase(std::next(found).base());
    return session;
  }
  return open_session(kind);
}

std::unique_ptr<CurlSession> Transport::Impl::open_session(const std::string& kind) {
  std::unique_ptr<CurlShare>& share = shares[kind];
  if (!share) share = std::make_unique<CurlShare>();
  return std::make_unique<CurlSession>(*share);
}

void Transport::Impl::give_back(std::string kind, std::unique_ptr<CurlSession> session) {
  Idle dropped;  // closed after the lock is gone
  const std::lock_guard lock(mutex);
  idle.push_back({std::move(kind), std::move(session)});
  if (idle.size() <= idle_sessions_max) return;
  dropped = std::move(idle.front());
  idle.erase(idle.begin());
}

SessionSetup Transport::Impl::prepare(const Request& request) {
  Url::parse(request.url.to_string());  // a hand-made URL may be malformed
  SessionSetup setup{.user_agent = options.user_agent, .where = name_peer(request), .authorities = {}};
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& file : {options.ca_file, request.tls.ca_file}) {
    if (!file.empty()) files.push_back(file);
  }
  if (request.url.scheme == "https" && request.tls.verify) setup.authorities = bundles.with(files);
  for (const std::filesystem::path& file : {request.tls.client_cert, request.tls.client_key}) {
    std::error_code ignored;
    if (!file.empty() && !std::filesystem::exists(file, ignored)) {
      throw Error(ErrorCode::not_found, "client certificate file " + file.string() + " for " + setup.where + " does not exist");
    }
  }
  if (request.unix_socket.empty()) {
    if (const auto refusal = find_literal_refusal(request.url.host, request.addresses)) {
      throw Error(ErrorCode::network, "refused to connect to " + setup.where + ": it is a " + std::string(*refusal) + " address");
    }
  }
  return setup;
}

Transport::Transport(TransportOptions options) {
  start_libcurl();
  impl_ = std::make_unique<Impl>(std::move(options));
}

Transport::~Transport() = default;

ResponseHead Transport::send(const Context& ctx, const Request& request, ResponseSink& sink) {
  ctx.check_stop();
  const SessionSetup setup = impl_->prepare(request);
  std::string kind = session_kind(request);
  const std::string origin = request.url.origin();
  std::unique_ptr<CurlSession> session = impl_->borrow(kind, origin);
  Exchange exchange(request, sink, setup.where);
  // A session whose transfer was broken off is closed by leaving this function.
  try {
    session->run(ctx, request, setup, exchange);
  } catch (...) {
    if (session->is_reusable()) impl_->give_back(std::move(kind), std::move(session));
    throw;
  }
  session->remember(origin);
  impl_->give_back(std::move(kind), std::move(session));
  return exchange.take_head();
}

Upgrade Transport::upgrade(const Context& ctx, const Request& request, std::uint64_t body_bytes_max) {
  ctx.check_stop();
  const SessionSetup setup = impl_->prepare(request);
  std::unique_ptr<CurlSession> session;
  {
    const std::lock_guard lock(impl_->mutex);
    session = impl_->open_session(session_kind(request));
  }
  return upgrade_connection(ctx, std::move(session), request, setup, body_bytes_max);
}

Response Transport::send(const Context& ctx, const Request& request, std::uint64_t body_bytes_max) {
  Collector collector(request, body_bytes_max);
  ResponseHead head = send(ctx, request, collector);
  return {.status = head.status, .headers = std::move(head.headers), .body = collector.take_body()};
}

}  // namespace drover::net
