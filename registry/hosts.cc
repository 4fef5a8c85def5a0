#include "registry/hosts.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/failure.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace drover::registry {
namespace {

constexpr std::string_view docker_hub_name = "docker.io";
constexpr std::string_view docker_hub_host = "registry-1.docker.io";  // docker.io itself serves no API

constexpr std::chrono::seconds failure_holds_longest{60};

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

Endpoint endpoint_of(std::string_view scheme, const Site& site, std::string reason) {
  const std::string_view host = site.registry == docker_hub_name ? docker_hub_host : std::string_view(site.registry);
  return {.url = net::Url::parse(std::string(scheme) + "://" + std::string(host) + "/"), .tls = {}, .reason = std::move(reason), .api = site.api,
          .headers = site.headers};
}

bool has_certificates(const Site& site) { return site.tls != net::TlsOptions{}; }

}  // namespace

void Endpoint::add_headers(net::Headers& request) const {
  net::Headers added;
  for (const SiteHeader& header : headers) {
    if (!request.find(header.name)) added.add(header.name, header.value.reveal());
  }
  for (const auto& [name, value] : added.list()) request.add(name, value);
}

bool Endpoint::is_loopback() const { return net::is_loopback_host(url.host); }

net::Url Endpoint::ping() const {
  net::Url root = url;
  root.target = api + "/";
  return root;
}

bool is_insecure_host(const std::set<std::string>& insecure, const net::Url& url) {
  const auto is_listed = [&](const std::string& host) {
    return insecure.contains(host) || insecure.contains(bracketed(host)) || insecure.contains(bracketed(host) + ":" + std::to_string(url.port));
  };
  return is_listed(url.host) || (url.host == docker_hub_host && is_listed(std::string(docker_hub_name)));
}

std::vector<Endpoint> endpoints_for(const Site& site, const std::set<std::string>& insecure,
                                    const std::optional<HostCertificates>& certificates) {
  using Scheme = Site::Scheme;
  Endpoint secure = endpoint_of("https", site, "https, verified");
  Endpoint plain = endpoint_of("http", site, "plain http");
  if (certificates) secure.tls = certificates->tls;
  if (has_certificates(site)) secure.tls = site.tls;
  if (!site.is_verified) {
    secure.tls.verify = false;
    secure.reason = "https, unverified: " + site.origin;
  }
  const bool is_listed = is_insecure_host(insecure, secure.url) || is_insecure_host(insecure, plain.url);
  if (site.scheme == Scheme::http) {
    plain.reason += ": " + site.origin;
    plain.takes_login = is_listed || plain.is_loopback();
    if (!plain.takes_login) plain.reason += "; no login is sent";
    return {plain};
  }
  if (is_listed || site.scheme == Scheme::any) {
    const std::string why = is_listed ? "listed as insecure" : site.origin;
    secure.tls.verify = false;
    secure.reason = "https, unverified: " + why;
    plain.reason += ": " + why;
    if (site.scheme == Scheme::https) return {secure};
    return {secure, plain};
  }
  if (site.scheme == Scheme::https || !secure.is_loopback()) return {secure};
  if (certificates || has_certificates(site)) return {secure};  // whoever set up certificates for it wants them used
  plain.reason += ": loopback";
  return {plain, secure};
}

bool asks_for_tls(int status, std::string_view body) {
  if (status != 400) return false;
  const std::string text = to_lower(body.substr(0, 4096));
  return text.find("https") != std::string::npos && text.find("http request") != std::string::npos;
}

Hosts::Hosts(net::Transport& transport, const ClientOptions& options, Meter& meter)
    : transport_(transport), insecure_(options.insecure_registries), certs_directories_(options.certs_directories), meter_(meter) {}

std::optional<HostCertificates> Hosts::certificates_for(const std::string& host_and_port) const {
  const std::lock_guard lock(mutex_);
  const auto known = certificates_.find(host_and_port);
  if (known != certificates_.end()) return known->second;
  return certificates_.emplace(host_and_port, find_certificates(certs_directories_, host_and_port)).first->second;
}

std::shared_ptr<Hosts::Choice> Hosts::choice_of(const Site& site) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Choice>& slot = choices_[site.key()];
  if (!slot) slot = std::make_shared<Choice>();
  return slot;
}

Endpoint Hosts::endpoint(const Context& ctx, const Site& site, const net::Timeouts& timeouts) {
  const std::shared_ptr<Choice> choice = choice_of(site);
  const int seen = choice->trials;
  const std::lock_guard lock(choice->mutex);
  if (!choice->settled) {
    // Whoever waited for a trial that failed is told so, instead of sitting out the same timeouts one after the other.
    const auto begin = ctx.clock->now();
    if (choice->failure && (choice->trials != seen || begin < choice->failure_holds_until)) throw Error(*choice->failure);
    const std::vector<Endpoint> ways = endpoints_for(site, insecure_, certificates_for(site.registry));
    try {
      choice->settled = ways.size() == 1 ? ways.front() : try_out(ctx, ways, timeouts);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::interrupted) {
        choice->failure = error;
        const auto end = ctx.clock->now();
        choice->failure_holds_until = end + std::min<std::chrono::steady_clock::duration>(3 * (end - begin), failure_holds_longest);
        ++choice->trials;
      }
      throw;
    }
  }
  Endpoint endpoint = *choice->settled;
  endpoint.timeouts = timeouts;
  return endpoint;
}

std::optional<Endpoint> Hosts::guess(const Context& ctx, const Site& site, const net::Timeouts& timeouts) {
  // Headers of a site may be a login: they go nowhere before it is known who listens.
  if (!site.headers.empty()) return std::nullopt;
  const std::shared_ptr<Choice> choice = choice_of(site);
  const std::unique_lock lock(choice->mutex, std::try_to_lock);
  if (!lock || choice->settled || (choice->failure && ctx.clock->now() < choice->failure_holds_until)) return std::nullopt;
  const std::vector<Endpoint> ways = endpoints_for(site, insecure_, certificates_for(site.registry));
  if (ways.size() == 1 || ways.front().url.scheme != "http") return std::nullopt;
  Endpoint endpoint = ways.front();
  endpoint.timeouts = timeouts;
  endpoint.guessed_for = site.key();
  return endpoint;
}

void Hosts::note_answer(const Context& ctx, const Endpoint& endpoint, int status, std::string_view body) {
  if (endpoint.guessed_for.empty() || asks_for_tls(status, body)) return;
  std::shared_ptr<Choice> choice;
  {
    const std::lock_guard lock(mutex_);
    choice = choices_.at(endpoint.guessed_for);
  }
  const std::unique_lock lock(choice->mutex, std::try_to_lock);
  if (!lock || choice->settled) return;  // whoever has the lock is finding out
  choice->settled = endpoint;
  choice->settled->guessed_for.clear();
  choice->failure.reset();
  ctx.debug("registry " + endpoint.url.origin() + ": " + endpoint.reason);
}

Endpoint Hosts::try_out(const Context& ctx, const std::vector<Endpoint>& ways, const net::Timeouts& timeouts) {
  std::vector<std::string> failures;
  bool is_final = false;
  for (const Endpoint& way : ways) {
    net::Request request;
    request.url = way.ping();
    request.tls = way.tls;
    way.add_headers(request.headers);
    request.use_proxy = !way.is_loopback();
    request.timeouts = timeouts;
    try {
      ++meter_.requests;
      const net::Response response = transport_.send(ctx, request, error_body_bytes_max);
      if (way.url.scheme == "https" || !asks_for_tls(response.status, response.body)) {
        ctx.debug("registry " + way.url.origin() + ": " + way.reason);
        return way;
      }
    } catch (const Error& error) {
      if (error.code() == ErrorCode::size_mismatch) return way;  // an answer, if a strange one
      if (error.code() != ErrorCode::network) throw;
      failures.push_back(way.url.scheme + ": " + error.what());
      is_final = is_final || error.is_final;  // it speaks TLS, then: the other ways are none
    }
  }
  Error error(ErrorCode::network, join(failures, "; "));
  error.is_final = is_final;
  throw error;
}

net::TlsOptions Hosts::tls_for(const net::Url& url) const {
  std::optional<HostCertificates> certificates = certificates_for(bracketed(url.host) + ":" + std::to_string(url.port));
  if (!certificates && url.port == (url.scheme == "https" ? 443 : 80)) certificates = certificates_for(bracketed(url.host));
  net::TlsOptions tls = certificates ? certificates->tls : net::TlsOptions{};
  tls.verify = !is_insecure_host(insecure_, url);
  return tls;
}

net::AddressPolicy Hosts::policy_for(const Endpoint& registry, const net::Url& target) {
  return registry.is_loopback() || target.host == registry.url.host ? net::AddressPolicy::any : net::AddressPolicy::no_local;
}

std::optional<Endpoint> Hosts::settled_endpoint(const Site& site) const {
  std::shared_ptr<Choice> choice;
  {
    const std::lock_guard lock(mutex_);
    const auto found = choices_.find(site.key());
    if (found == choices_.end()) return std::nullopt;
    choice = found->second;
  }
  // Who asks may hold a lock that everybody needs: a trial that is under way is not waited for.
  const std::unique_lock lock(choice->mutex, std::try_to_lock);
  return lock ? choice->settled : std::nullopt;
}

std::optional<std::string> Hosts::known_origin(const Site& site) const {
  const std::optional<Endpoint> settled = settled_endpoint(site);
  return settled ? std::optional(settled->url.origin()) : std::nullopt;
}

std::vector<std::string> Hosts::explain(const Site& site) const {
  const std::optional<HostCertificates> certificates = certificates_for(site.registry);
  std::vector<std::string> lines;
  std::vector<Endpoint> ways = endpoints_for(site, insecure_, certificates);
  if (const std::optional<Endpoint> settled = settled_endpoint(site)) ways = {*settled};
  for (const Endpoint& way : ways) {
    lines.push_back("endpoint: " + way.url.origin() + (way.api == "/v2" ? "" : way.api) + " (" + way.reason + ")");
  }
  const std::string folder = certificates ? certificates->directory.string() : "the system's";
  if (!site.headers.empty()) {
    std::vector<std::string> names;
    for (const SiteHeader& header : site.headers) names.push_back(header.name);
    lines.push_back("headers: " + join(names, ", "));
  }
  lines.push_back("certificates: " + (has_certificates(site) ? site.origin : folder));
  return lines;
}

}  // namespace drover::registry
