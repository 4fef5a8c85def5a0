// One request at a registry with all that belongs around it: scheme, credentials, pace, redirects, counting.
//
// Credentials go to the registry's own origin (scheme, host, port) and nowhere else; a chain of redirects that has left it never gets them
// back. Retries are the caller's.
#pragma once

#include "base/context.h"
#include "manifest/reference.h"
#include "net/transport.h"
#include "registry/authenticator.h"
#include "registry/hosts.h"
#include "registry/meter.h"
#include "registry/pace.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace drover::registry {

struct Call {
  std::string method = "GET";
  std::string target;             // path and query behind the API's root: "/library/redis/tags/list"
  net::Headers headers;
  std::uint64_t body_bytes_max = 0;  // of a 2xx answer that is returned whole
};

// Receives the body of a 2xx answer as it comes; see net::ResponseSink.
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual bool on_head(const net::Url& from, const net::ResponseHead& head) = 0;
  virtual bool on_body(std::span<const std::byte> bytes) = 0;
};

struct Answer {
  net::ResponseHead head;
  std::string body;     // of a refusal, cut at error_body_bytes_max; of a 2xx when no receiver took it
  net::Url url;         // that answered
  bool is_home = true;  // no redirect led to another origin

  bool is_good() const { return head.status >= 200 && head.status < 300; }
};

// Thread-safe.
class Session {
 public:
  Session(net::Transport& transport, Hosts& hosts, Authenticator& authenticator, Pace& pace, Meter& meter);

  // The answer of `registry`, where `reference` has its name from, whatever its status, redirects followed. Throws network, authentication
  // (a login is missing or was refused), refused (a redirect that is not allowed), rate_limited (told before not to ask yet),
  // size_mismatch (a body beyond the call's limit), and what the receiver throws.
  Answer send(const Context& ctx, const Reference& reference, const Endpoint& registry, const Call& call, Receiver* receiver = nullptr);
  // The same at a URL that the registry redirected to before; no credentials, no further redirects but within redirects_max.
  Answer send_to(const Context& ctx, const Reference& reference, const Endpoint& registry, const net::Url& url, const Call& call,
                 Receiver* receiver);

  // The error for an answer that is not good; notes when the host wants to be asked again.
  Error refuse(const Context& ctx, const Answer& answer, const Reference& reference);

  std::optional<RateLimit> rate_limit(const std::string& registry) const;

 private:
  Answer follow(const Context& ctx, const Reference& reference, const Endpoint& registry, net::Url url, bool is_home, const Call& call,
                Receiver* receiver);
  Answer send_home(const Context& ctx, const Reference& reference, const Endpoint& registry, const net::Url& url, const Call& call,
                   Receiver* receiver);
  Answer send_once(const Context& ctx, const Endpoint& registry, const net::Url& url, const Call& call, const GrantPtr& grant,
                   Receiver* receiver);
  std::vector<Challenge> challenges_of(const Context& ctx, const Endpoint& registry, const Answer& answer);
  void note_rate_limit(const std::string& registry, const net::Headers& headers);

  net::Transport& transport_;
  Hosts& hosts_;
  Authenticator& authenticator_;
  Pace& pace_;
  Meter& meter_;
  mutable std::mutex mutex_;
  std::map<std::string, RateLimit> rate_limits_;  // by registry
};

}  // namespace drover::registry
