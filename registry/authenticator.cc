#include "registry/authenticator.h"

#include "base/error.h"
#include "base/text.h"
#include "net/address_policy.h"
#include "registry/failure.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace drover::registry {
namespace {

using std::chrono::steady_clock;

// "Not in this way": the other of GET and POST may do, or no login at all.
bool is_refusal_of_form(const Error& error) {
  const int status = error.http_status;
  return status == 400 || status == 401 || status == 404 || status == 405;
}

bool is_refusal_of_login(const Error& error) { return is_refusal_of_form(error) || error.http_status == 403; }

std::string login_hint(const Reference& reference, const Endpoint& registry) {
  const std::string host = printable(reference.registry(), 120);
  return registry.takes_login ? "log in with: docker login " + host
                              : "by plain http no login is sent: use https, or --insecure-registry " + host + " where nobody else listens";
}

Error refused_login(const Reference& reference, const Endpoint& registry, const std::optional<Credential>& credential, bool is_anonymous) {
  const std::string host = printable(reference.registry(), 120);
  if (is_anonymous && !credential) {
    return Error(ErrorCode::authentication, host + " has no " + reference.repository() + " for everybody: it does not exist or needs a login; " +
                                                login_hint(reference, registry));
  }
  return Error(ErrorCode::authentication, host + " refuses the login from " + credential->source + " for " + reference.repository() + "; " +
                                              login_hint(reference, registry));
}

}  // namespace

// What is known about one way into one registry: a scope at its token server, or Basic.
struct Authenticator::Login {
  std::optional<TokenService> service;   // nothing: Basic, or a ready token
  std::optional<Credential> credential;

  std::mutex mutex;  // held while a token is fetched: that is the single flight
  GrantPtr grant;
  steady_clock::time_point renew_at{};   // of a token
  bool is_login_refused = false;         // anonymous from here on
  std::optional<Error> refused;          // final: never asked again

  bool is_fresh(const Context& ctx) const { return grant && (!service || ctx.clock->now() < renew_at); }
};

// What is known about one registry.
struct Authenticator::Account {
  std::mutex mutex;  // of the members below, but for first_login
  std::optional<TokenService> pattern;  // where its tokens come from, without scopes
  bool is_basic = false;
  std::map<std::string, std::shared_ptr<Login>> by_key;         // shared with by_repository and with requests under way
  std::map<std::string, std::shared_ptr<Login>> by_repository;
  std::set<std::string> accepted_sources;
  std::set<std::string> refused_sources;
  bool wants_post = false;

  std::mutex first_login;  // until a login is known to be good, only one thread tries it
};

Authenticator::Authenticator(net::Transport& transport, Hosts& hosts, Credentials& credentials, Pace& pace, Meter& meter)
    : transport_(transport), hosts_(hosts), credentials_(credentials), pace_(pace), meter_(meter) {}

Authenticator::~Authenticator() = default;

std::shared_ptr<Authenticator::Account> Authenticator::account_of(const Endpoint& registry) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Account>& account = accounts_[registry.url.origin()];
  if (!account) account = std::make_shared<Account>();
  return account;
}

GrantPtr Authenticator::find(const Context& ctx, const Reference& reference, const Endpoint& registry) {
  const std::shared_ptr<Account> account = account_of(registry);
  std::shared_ptr<Login> login;
  std::optional<TokenService> service;
  {
    const std::lock_guard lock(account->mutex);
    const auto known = account->by_repository.find(reference.repository());
    if (known != account->by_repository.end()) login = known->second;
    if (!login && !account->pattern && !account->is_basic) return nullptr;
    if (!login) service = account->pattern;
  }
  if (!login) {
    if (service) service->scopes = scopes_for({}, reference.repository());
    login = open_login(ctx, *account, reference, registry, service ? &*service : nullptr);
  }
  const std::lock_guard lock(login->mutex);
  if (login->refused) throw Error(*login->refused);
  if (login->is_fresh(ctx)) return login->grant;
  return renew(ctx, *account, *login, reference, registry);
}

GrantPtr Authenticator::answer(const Context& ctx, const Reference& reference, const Endpoint& registry,
                               std::span<const Challenge> challenges, const GrantPtr& used) {
  const std::shared_ptr<Account> account = account_of(registry);
  const std::shared_ptr<Login> login = open(ctx, *account, reference, registry, challenges);
  const std::lock_guard lock(login->mutex);
  if (login->refused) throw Error(*login->refused);
  const bool is_ours = used && used == login->grant;
  if (!is_ours && login->is_fresh(ctx)) return login->grant;
  if (is_ours && (!used->is_confirmed || !login->service)) {
    const bool may_go_anonymous = login->service && !used->is_anonymous;
    if (!may_go_anonymous) {
      login->refused = refused_login(reference, registry, login->credential, used->is_anonymous);
      login->refused->http_status = 401;
      throw Error(*login->refused);
    }
    ctx.warn(std::string(refused_login(reference, registry, login->credential, false).what()) + "; trying without it");
    login->is_login_refused = true;
  }
  return renew(ctx, *account, *login, reference, registry);
}

GrantPtr Authenticator::answer_forbidden(const Context& ctx, const Reference& reference, const Endpoint& registry, const GrantPtr& used) {
  if (!used || used->is_anonymous || used->is_confirmed) return nullptr;
  const std::shared_ptr<Account> account = account_of(registry);
  std::shared_ptr<Login> login;
  {
    const std::lock_guard lock(account->mutex);
    const auto known = account->by_repository.find(reference.repository());
    if (known == account->by_repository.end() || !known->second->service) return nullptr;
    login = known->second;
  }
  const std::lock_guard lock(login->mutex);
  if (used != login->grant) return login->grant && login->grant->is_anonymous ? login->grant : nullptr;
  ctx.warn(std::string(refused_login(reference, registry, login->credential, false).what()) + "; trying without it");
  login->is_login_refused = true;
  return renew(ctx, *account, *login, reference, registry);
}

std::shared_ptr<Authenticator::Login> Authenticator::open(const Context& ctx, Account& account, const Reference& reference,
                                                          const Endpoint& registry, std::span<const Challenge> challenges) {
  if (const Challenge* const bearer = find_challenge(challenges, "bearer")) {
    TokenService service{parse_realm(bearer->parameter("realm"), registry.url), std::string(bearer->parameter("service")), {}};
    {
      const std::lock_guard lock(account.mutex);
      if (account.pattern && !account.pattern->realm.has_same_origin(service.realm)) {
        throw Error(ErrorCode::authentication, printable(reference.registry(), 120) + " changed its token server from " +
                                                   account.pattern->realm.origin() + " to " + service.realm.origin() +
                                                   "; nothing was sent there");
      }
      account.pattern = service;
    }
    service.scopes = scopes_for(bearer->parameter("scope"), reference.repository());
    return open_login(ctx, account, reference, registry, &service);
  }
  if (find_challenge(challenges, "basic") != nullptr) {
    {
      const std::lock_guard lock(account.mutex);
      account.is_basic = true;
    }
    return open_login(ctx, account, reference, registry, nullptr);
  }
  {
    const std::lock_guard lock(account.mutex);
    const auto known = account.by_repository.find(reference.repository());
    if (known != account.by_repository.end()) return known->second;
  }
  std::vector<std::string> schemes;
  for (const Challenge& challenge : challenges) schemes.push_back(printable(challenge.scheme, 40));
  throw Error(ErrorCode::authentication, printable(reference.registry(), 120) + " wants a login by " +
                                             (schemes.empty() ? "a way it does not name" : join(schemes, ", ")) +
                                             "; Basic and Bearer are supported");
}

std::shared_ptr<Authenticator::Login> Authenticator::open_login(const Context& ctx, Account& account, const Reference& reference,
                                                                const Endpoint& registry, const TokenService* service) {
  std::optional<Credential> credential;
  if (registry.takes_login) credential = credentials_.find(ctx, reference);
  const bool has_ready_token = credential && !credential->registry_token.empty();
  if (has_ready_token) service = nullptr;
  std::string key = credential ? credential->source : std::string();
  if (service != nullptr) key += "\n" + service->realm.to_string() + "\n" + service->service + "\n" + join(service->scopes, " ");

  const std::lock_guard lock(account.mutex);
  std::shared_ptr<Login>& login = account.by_key[key];
  if (!login) {
    login = std::make_shared<Login>();
    if (service != nullptr) login->service = *service;
    login->credential = std::move(credential);
  }
  account.by_repository[reference.repository()] = login;
  return login;
}

GrantPtr Authenticator::renew(const Context& ctx, Account& account, Login& login, const Reference& reference, const Endpoint& registry) {
  if (login.service) {
    const TokenAnswer answer = fetch_token(ctx, account, login, reference, registry);
    login.renew_at = ctx.clock->now() + answer.life - token_margin;
    login.grant = std::make_shared<Grant>(bearer_header(answer.token), !login.credential || login.is_login_refused);
  } else if (login.credential && !login.credential->registry_token.empty()) {
    login.grant = std::make_shared<Grant>(bearer_header(login.credential->registry_token), false);
  } else if (login.credential && !login.credential->password.empty()) {
    login.grant = std::make_shared<Grant>(basic_header(*login.credential), false);
  } else {
    Error error(ErrorCode::authentication, printable(reference.registry(), 120) + " needs a login; " + login_hint(reference, registry));
    error.http_status = 401;
    login.refused = error;
    throw error;
  }
  return login.grant;
}

TokenAnswer Authenticator::fetch_token(const Context& ctx, Account& account, Login& login, const Reference& reference,
                                       const Endpoint& registry) {
  TokenAnswer answer;
  if (login.credential && !login.is_login_refused && try_stored_login(ctx, account, login, reference, registry, answer)) return answer;
  login.is_login_refused = login.credential.has_value();
  try {
    return fetch_by_get(ctx, *login.service, nullptr, reference, registry);
  } catch (const Error& error) {
    if (!is_refusal_of_login(error)) throw;
    login.refused = login.credential ? refused_login(reference, registry, login.credential, false) : error;
    throw Error(*login.refused);
  }
}

// False when the login was refused, now or before.
bool Authenticator::try_stored_login(const Context& ctx, Account& account, const Login& login, const Reference& reference,
                                     const Endpoint& registry, TokenAnswer& answer) {
  const std::string& source = login.credential->source;
  const auto is_in = [&](const std::set<std::string>& sources) {
    const std::lock_guard lock(account.mutex);
    return sources.contains(source);
  };
  std::unique_lock alone(account.first_login, std::defer_lock);
  if (!is_in(account.accepted_sources)) alone.lock();
  if (is_in(account.refused_sources)) return false;
  try {
    answer = fetch_with_login(ctx, account, login, reference, registry);
    const std::lock_guard lock(account.mutex);
    account.accepted_sources.insert(source);
    return true;
  } catch (const Error& error) {
    if (!is_refusal_of_login(error)) throw;
    ctx.warn("the login for " + printable(reference.registry(), 120) + " from " + source + " is refused (" + error.what() +
             "); trying without it");
    const std::lock_guard lock(account.mutex);
    account.refused_sources.insert(source);
    return false;
  }
}

TokenAnswer Authenticator::fetch_with_login(const Context& ctx, Account& account, const Login& login, const Reference& reference,
                                            const Endpoint& registry) {
  const Credential& credential = *login.credential;
  const bool has_password = !credential.password.empty();
  const bool is_post_first = [&] {
    const std::lock_guard lock(account.mutex);
    return account.wants_post || !credential.identity_token.empty();
  }();
  try {
    return is_post_first ? fetch_by_post(ctx, *login.service, credential, reference, registry)
                         : fetch_by_get(ctx, *login.service, &credential, reference, registry);
  } catch (const Error& first) {
    if (!is_refusal_of_form(first) || !has_password) throw;
    try {
      if (is_post_first) return fetch_by_get(ctx, *login.service, &credential, reference, registry);
      TokenAnswer answer = fetch_by_post(ctx, *login.service, credential, reference, registry);
      const std::lock_guard lock(account.mutex);
      account.wants_post = true;
      return answer;
    } catch (const Error& second) {
      if (!is_refusal_of_login(second)) throw;
      throw Error(first);
    }
  }
}

TokenAnswer Authenticator::fetch_by_get(const Context& ctx, const TokenService& service, const Credential* credential,
                                        const Reference& reference, const Endpoint& registry) {
  net::Request request;
  request.url = token_url(service, credential == nullptr ? std::string_view() : std::string_view(credential->username));
  if (credential != nullptr) request.headers.set("Authorization", basic_header(*credential).reveal());
  return ask(ctx, std::move(request), reference, registry);
}

TokenAnswer Authenticator::fetch_by_post(const Context& ctx, const TokenService& service, const Credential& credential,
                                         const Reference& reference, const Endpoint& registry) {
  net::Request request;
  request.method = "POST";
  request.url = service.realm;
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.body = token_form(service, credential);
  return ask(ctx, std::move(request), reference, registry);
}

TokenAnswer Authenticator::ask(const Context& ctx, net::Request request, const Reference& reference, const Endpoint& registry) {
  const net::Url& url = request.url;
  request.headers.set("Accept", "application/json");
  if (url.has_same_origin(registry.url)) registry.add_headers(request.headers);
  request.addresses = Hosts::policy_for(registry, url);
  if (const auto why = net::find_literal_refusal(url.host, request.addresses)) {
    throw Error(ErrorCode::authentication, printable(reference.registry(), 120) + " names " + url.authority() + " as its token server, which is a " +
                                               std::string(*why) + " address; nothing was sent there");
  }
  request.tls = url.has_same_origin(registry.url) ? registry.tls : hosts_.tls_for(url);
  request.use_proxy = !net::is_loopback_host(url.host);
  request.timeouts = registry.timeouts;
  const std::string host = url.authority();
  const std::string origin = url.origin();
  pace_.wait(ctx, origin);
  ++meter_.requests;
  net::Response response;
  try {
    response = transport_.send(ctx, request, token_answer_bytes_max);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::size_mismatch) throw;
    throw Error(ErrorCode::authentication, "token server " + host + " sent more than a token");
  }
  meter_.bytes += response.body.size();
  if (response.status == 200) return parse_token_answer(response.body, host);
  if (response.status >= 300 && response.status < 400) {
    throw Error(ErrorCode::authentication, "token server " + host + " answered with a redirect, which is not followed there");
  }
  const net::ResponseHead head{.status = response.status, .headers = std::move(response.headers), .content_length = {}};
  Error error = refusal(head, response.body, "token server " + host, reference.registry(), ctx.clock->system_now());
  pace_.note(origin, error);
  throw error;
}

}  // namespace drover::registry
