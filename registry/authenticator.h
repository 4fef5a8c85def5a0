// Answers registries' challenges: Basic and Bearer, with tokens cached per scope and fetched once for all threads.
//
// A password is only ever sent to the registry it is stored under and to the token server that this registry named first. Credentials that
// were refused are not tried again: accounts get locked that way.
#pragma once

#include "base/context.h"
#include "manifest/reference.h"
#include "net/transport.h"
#include "registry/challenge.h"
#include "registry/credentials.h"
#include "registry/hosts.h"
#include "registry/meter.h"
#include "registry/pace.h"
#include "registry/secret.h"
#include "registry/token.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

namespace drover::registry {

// What requests carry: one token, or one name and password.
struct Grant {
  Grant(Secret authorization, bool anonymous) : header(std::move(authorization)), is_anonymous(anonymous) {}

  const Secret header;      // the Authorization header's value
  const bool is_anonymous;  // no stored credential stands behind it
  // Set by whoever saw the registry accept it: from then on a 401 means that it expired, before that it means that it was refused.
  std::atomic<bool> is_confirmed{false};
};
// Shared by the requests that carry it; a refreshed one is another object, so that pointers tell them apart.
using GrantPtr = std::shared_ptr<Grant>;

// Thread-safe; every call may fetch a token and may wait for another thread that does.
class Authenticator {
 public:
  Authenticator(net::Transport& transport, Hosts& hosts, Credentials& credentials, Pace& pace, Meter& meter);
  ~Authenticator();
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // For a request about `reference`'s repository; null while its registry has asked for nothing. Once a registry's way is known, tokens
  // for its other repositories are fetched ahead of the challenge. Throws as `answer` does.
  GrantPtr find(const Context& ctx, const Reference& reference, const Endpoint& registry);

  // The registry answered 401 with these challenges to a request that carried `used`. What to carry next. Throws authentication when
  // there is nothing better (a fresh token was refused, no login, an unusable challenge), network and rate_limited from the token server.
  GrantPtr answer(const Context& ctx, const Reference& reference, const Endpoint& registry, std::span<const Challenge> challenges,
                  const GrantPtr& used);

  // The registry answered 403 to a stored credential's token: an anonymous one may see more (a revoked login and a public image).
  // Null when that was tried or makes no sense.
  GrantPtr answer_forbidden(const Context& ctx, const Reference& reference, const Endpoint& registry, const GrantPtr& used);

 private:
  struct Login;
  struct Account;

  std::shared_ptr<Account> account_of(const Endpoint& registry);
  std::shared_ptr<Login> open(const Context& ctx, Account& account, const Reference& reference, const Endpoint& registry,
                              std::span<const Challenge> challenges);
  std::shared_ptr<Login> open_login(const Context& ctx, Account& account, const Reference& reference, const Endpoint& registry,
                                    const TokenService* service);
  GrantPtr renew(const Context& ctx, Account& account, Login& login, const Reference& reference, const Endpoint& registry);
  TokenAnswer fetch_token(const Context& ctx, Account& account, Login& login, const Reference& reference, const Endpoint& registry);
  bool try_stored_login(const Context& ctx, Account& account, const Login& login, const Reference& reference, const Endpoint& registry,
                        TokenAnswer& answer);
  TokenAnswer fetch_with_login(const Context& ctx, Account& account, const Login& login, const Reference& reference,
                               const Endpoint& registry);
  TokenAnswer fetch_by_get(const Context& ctx, const TokenService& service, const Credential* credential, const Reference& reference,
                           const Endpoint& registry);
  TokenAnswer fetch_by_post(const Context& ctx, const TokenService& service, const Credential& credential, const Reference& reference,
                            const Endpoint& registry);
  TokenAnswer ask(const Context& ctx, net::Request request, const Reference& reference, const Endpoint& registry);

  net::Transport& transport_;
  Hosts& hosts_;
  Credentials& credentials_;
  Pace& pace_;
  Meter& meter_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Account>> accounts_;  // by origin: what one may see, no other gets; shared: threads keep theirs while the map grows
};

}  // namespace drover::registry
