#include "registry/hosts.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/failure.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace drover::registry {
namespace {

constexpr std::string_view docker_hub_name = "docker.io";
constexpr std::string_view docker_hub_host = "registry-1.docker.io";  // docker.io itself serves no API

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

net::Url registry_url(std::string_view scheme, std::string_view registry) {
  return net::Url::parse(std::string(scheme) + "://" + std::string(registry == docker_hub_name ? docker_hub_host : registry) + "/");
}

}  // namespace

bool Endpoint::is_loopback() const { return is_loopback_host(url.host); }

bool is_loopback_host(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  std::array<unsigned char, 4> bytes{};
  return inet_pton(AF_INET, std::string(host).c_str(), bytes.data()) == 1 && bytes[0] == 127;
}

bool is_insecure_host(const std::set<std::string>& insecure, const net::Url& url) {
  const auto is_listed = [&](const std::string& host) {
    return insecure.contains(host) || insecure.contains(bracketed(host)) || insecure.contains(bracketed(host) + ":" + std::to_string(url.port));
  };
  return is_listed(url.host) || (url.host == docker_hub_host && is_listed(std::string(docker_hub_name)));
}

std::vector<Endpoint> endpoints_for(std::string_view registry, const std::set<std::string>& insecure,
                                    const std::optional<HostCertificates>& certificates) {
  const Endpoint secure{registry_url("https", registry), certificates ? certificates->tls : net::TlsOptions{}, "https, verified"};
  const Endpoint plain{registry_url("http", registry), {}, "plain http"};
  if (is_insecure_host(insecure, secure.url) || is_insecure_host(insecure, plain.url)) {
    Endpoint unverified = secure;
    unverified.tls.verify = false;
    unverified.reason = "https, unverified: listed as insecure";
    Endpoint allowed = plain;
    allowed.reason = "plain http: listed as insecure";
    return {unverified, allowed};
  }
  if (!secure.is_loopback()) return {secure};
  if (certificates) return {secure};  // whoever set up certificates for it wants them used
  Endpoint local = plain;
  local.reason = "plain http: loopback";
  return {local, secure};
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

Endpoint Hosts::endpoint(const Context& ctx, const std::string& registry) {
  std::shared_ptr<Choice> choice;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Choice>& slot = choices_[registry];
    if (!slot) slot = std::make_shared<Choice>();
    choice = slot;
  }
  const std::lock_guard lock(choice->mutex);
  if (choice->settled) return *choice->settled;
  const std::vector<Endpoint> ways = endpoints_for(registry, insecure_, certificates_for(registry));
  choice->settled = ways.size() == 1 ? ways.front() : try_out(ctx, ways);
  return *choice->settled;
}

Endpoint Hosts::try_out(const Context& ctx, const std::vector<Endpoint>& ways) {
  std::vector<std::string> failures;
  for (const Endpoint& way : ways) {
    net::Request request;
    request.url = way.url;
    request.url.target = "/v2/";
    request.tls = way.tls;
    request.use_proxy = !way.is_loopback();
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
    }
  }
  throw Error(ErrorCode::network, join(failures, "; "));
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

std::optional<Endpoint> Hosts::settled_endpoint(const std::string& registry) const {
  std::shared_ptr<Choice> choice;
  {
    const std::lock_guard lock(mutex_);
    const auto found = choices_.find(registry);
    if (found == choices_.end()) return std::nullopt;
    choice = found->second;
  }
  const std::lock_guard lock(choice->mutex);
  return choice->settled;
}

std::optional<std::string> Hosts::known_origin(const std::string& registry) const {
  const std::optional<Endpoint> settled = settled_endpoint(registry);
  return settled ? std::optional(settled->url.origin()) : std::nullopt;
}

std::vector<std::string> Hosts::explain(const std::string& registry) const {
  const std::optional<HostCertificates> certificates = certificates_for(registry);
  std::vector<std::string> lines;
  std::vector<Endpoint> ways = endpoints_for(registry, insecure_, certificates);
  if (const std::optional<Endpoint> settled = settled_endpoint(registry)) ways = {*settled};
  for (const Endpoint& way : ways) lines.push_back("endpoint: " + way.url.origin() + " (" + way.reason + ")");
  lines.push_back("certificates: " + (certificates ? certificates->directory.string() : std::string("the system's")));
  return lines;
}

}  // namespace drover::registry
