#include "registry/session.h"

#include "base/error.h"
#include "base/text.h"
#include "net/address_policy.h"
#include "registry/answer_headers.h"
#include "registry/failure.h"
#include "registry/redirect.h"

#include <functional>
#include <utility>

namespace drover::registry {
namespace {

// Logins in one request: the first, a refresh and an anonymous one.
constexpr int logins_max = 3;

// Whether the registry has looked at the credentials and let them pass; a 429 or 503 may come from in front of it.
bool shows_acceptance(int status) { return status < 400 || status == 404 || status == 416; }

// Good answers go on to the receiver; all others, and good ones without a receiver, are kept up to a limit.
class Splitter final : public net::ResponseSink {
 public:
  Splitter(const Call& call, const net::Url& url, Receiver* receiver, Meter& meter, std::function<void()> on_good)
      : call_(call), url_(url), receiver_(receiver), meter_(meter), on_good_(std::move(on_good)) {}

  bool on_head(const net::ResponseHead& head) override {
    is_good_ = head.status >= 200 && head.status < 300;
    if (is_good_) on_good_();
    return is_good_ && receiver_ != nullptr ? receiver_->on_head(url_, head) : true;
  }

  bool on_body(std::span<const std::byte> bytes) override {
    meter_.bytes.fetch_add(bytes.size(), std::memory_order_relaxed);
    if (is_good_ && receiver_ != nullptr) return receiver_->on_body(bytes);
    const std::uint64_t limit = is_good_ ? call_.body_bytes_max : error_body_bytes_max;
    if (body_.size() + bytes.size() <= limit) {
      body_.append(as_text(bytes));
      return true;
    }
    if (is_good_) {
      throw Error(ErrorCode::size_mismatch,
                  url_.authority() + " sent more than the " + format_bytes(limit) + " that are allowed here; not a registry's answer");
    }
    return false;
  }

  std::string take_body() { return std::move(body_); }

 private:
  const Call& call_;
  const net::Url& url_;
  Receiver* const receiver_;
  Meter& meter_;
  const std::function<void()> on_good_;
  bool is_good_ = false;
  std::string body_;
};

}  // namespace

Session::Session(net::Transport& transport, Hosts& hosts, Authenticator& authenticator, Pace& pace, Meter& meter)
    : transport_(transport), hosts_(hosts), authenticator_(authenticator), pace_(pace), meter_(meter) {}

Answer Session::send(const Context& ctx, const Reference& reference, const Endpoint& registry, const Call& call, Receiver* receiver) {
  net::Url url = registry.url;
  url.target = registry.api + call.target;
  return follow(ctx, reference, registry, std::move(url), true, call, receiver);
}

Answer Session::send_to(const Context& ctx, const Reference& reference, const Endpoint& registry, const net::Url& url, const Call& call,
                        Receiver* receiver) {
  return follow(ctx, reference, registry, url, false, call, receiver);
}

Answer Session::follow(const Context& ctx, const Reference& reference, const Endpoint& registry, net::Url url, bool is_home,
                       const Call& call, Receiver* receiver) {
  Endpoint away = registry;
  away.headers.clear();
  for (int redirects = 0; redirects <= redirects_max; ++redirects) {
    Answer answer = is_home ? send_home(ctx, reference, registry, url, call, receiver)
                            : send_once(ctx, away, url, call, nullptr, receiver);
    answer.is_home = is_home;
    const auto location = answer.head.headers.find("location");
    if (!is_redirect_status(answer.head.status) || !location) return answer;
    net::Url target = redirect_target(url, *location);
    if (const auto why = net::find_literal_refusal(target.host, Hosts::policy_for(registry, target))) {
      throw Error(ErrorCode::refused, url.authority() + " redirects to " + target.authority() + ", which is a " + std::string(*why) + " address; not followed");
    }
    is_home = is_home && target.has_same_origin(registry.url);
    ctx.debug(url.redacted() + " redirects to " + target.authority());
    url = std::move(target);
  }
  throw Error(ErrorCode::network, printable(reference.registry(), 120) + " redirects more than " + std::to_string(redirects_max) + " times");
}

Answer Session::send_home(const Context& ctx, const Reference& reference, const Endpoint& registry, const net::Url& url, const Call& call,
                          Receiver* receiver) {
  GrantPtr grant = authenticator_.find(ctx, reference, registry);
  std::optional<Answer> forbidden;
  for (int logins = 0;; ++logins) {
    Answer answer = send_once(ctx, registry, url, call, grant, receiver);
    note_rate_limit(reference.registry(), answer.head.headers);
    const int status = answer.head.status;
    if (status == 401 && logins < logins_max) {
      if (forbidden) return std::move(*forbidden);  // without the login even less is allowed
      grant = authenticator_.answer(ctx, reference, registry, challenges_of(ctx, registry, answer), grant);
      continue;
    }
    if (status == 403 && !forbidden) {
      if (GrantPtr anonymous = authenticator_.answer_forbidden(ctx, reference, registry, grant)) {
        forbidden = std::move(answer);
        grant = std::move(anonymous);
        continue;
      }
    }
    if (grant && shows_acceptance(status)) grant->is_confirmed.store(true, std::memory_order_relaxed);
    return answer;
  }
}

Answer Session::send_once(const Context& ctx, const Endpoint& registry, const net::Url& url, const Call& call, const GrantPtr& grant,
                          Receiver* receiver) {
  const bool is_home = url.has_same_origin(registry.url);
  net::Request request;
  request.method = call.method;
  request.url = url;
  request.headers = call.headers;
  if (grant) request.headers.set("Authorization", grant->header.reveal());
  if (is_home) registry.add_headers(request.headers);
  request.addresses = Hosts::policy_for(registry, url);
  request.tls = is_home ? registry.tls : hosts_.tls_for(url);
  request.use_proxy = !net::is_loopback_host(url.host);
  request.timeouts = registry.timeouts;
  pace_.wait(ctx, url.origin());
  meter_.requests.fetch_add(1, std::memory_order_relaxed);
  Splitter splitter(call, url, receiver, meter_, [&] {
    if (is_home) hosts_.note_answer(ctx, registry, 200, {});  // before its body: that may be cut
  });
  Answer answer;
  answer.head = transport_.send(ctx, request, splitter);
  answer.body = splitter.take_body();
  answer.url = url;
  if (is_home) hosts_.note_answer(ctx, registry, answer.head.status, answer.body);
  return answer;
}

// Some registries challenge only at the API's root (old GCR on real requests).
std::vector<Challenge> Session::challenges_of(const Context& ctx, const Endpoint& registry, const Answer& answer) {
  std::vector<Challenge> challenges = parse_challenges(answer.head.headers.all("www-authenticate"));
  if (!challenges.empty()) return challenges;
  const Call ping{.method = "GET", .target = "/", .headers = {}, .body_bytes_max = error_body_bytes_max};
  return parse_challenges(send_once(ctx, registry, registry.ping(), ping, nullptr, nullptr).head.headers.all("www-authenticate"));
}

Error Session::refuse(const Context& ctx, const Answer& answer, const Reference& reference) {
  Error error = refusal(answer.head, answer.body, answer.url.authority(), reference.registry(), ctx.clock->system_now());
  pace_.note(answer.url.origin(), error);
  return error;
}

void Session::note_rate_limit(const std::string& registry, const net::Headers& headers) {
  const std::optional<RateLimit> limit = parse_rate_limit(headers.find("ratelimit-limit").value_or(""), headers.find("ratelimit-remaining").value_or(""),
                                                          headers.find("docker-ratelimit-source").value_or(""));
  if (!limit) return;
  const std::lock_guard lock(mutex_);
  rate_limits_[registry] = *limit;
}

std::optional<RateLimit> Session::rate_limit(const std::string& registry) const {
  const std::lock_guard lock(mutex_);
  const auto found = rate_limits_.find(registry);
  return found == rate_limits_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace drover::registry
