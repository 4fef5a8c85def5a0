// Where a registry is and how it is spoken to: scheme, verification, certificates.
//
// https, verified, and nothing else, is the rule. The exceptions are the user's own words: loopback may speak plain HTTP, a host listed as
// insecure may have an unverified certificate or plain HTTP. Nothing else is ever downgraded, whatever fails. A mirror that a file names with
// http:// is read over it, but takes no login unless it is listed as insecure, too.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "net/transport.h"
#include "net/url.h"
#include "registry/certificates.h"
#include "registry/client.h"
#include "registry/meter.h"
#include "registry/source.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::registry {

// One way to speak to a registry.
struct Endpoint {
  net::Url url;             // target "/"
  net::TlsOptions tls;
  std::string reason;       // for --explain: "https, verified"
  std::string api = "/v2";  // path of its API's root, without a slash at the end
  net::Timeouts timeouts = {};
  std::vector<SiteHeader> headers = {};  // to this origin alone
  std::string guessed_for = {};          // the key of the site that it is a guess about; empty: it is known
  // Whether a stored login may be used there: whoever listens to plain HTTP on the way reads it, or names the token server that gets it.
  bool takes_login = true;

  // Those of `headers` that the request has not set itself.
  void add_headers(net::Headers& request) const;
  bool is_loopback() const;
  // Of the API's root, as the specification pings it.
  net::Url ping() const;
};

// An entry without a port means every port of that host. Docker Hub's API host counts as docker.io.
bool is_insecure_host(const std::set<std::string>& insecure, const net::Url& url);

// The ways to try, best first; more than one only for loopback and insecure hosts. Pure.
std::vector<Endpoint> endpoints_for(const Site& site, const std::set<std::string>& insecure,
                                    const std::optional<HostCertificates>& certificates);

// Whether the answer to a plain HTTP request says that this port speaks TLS (Go's and nginx's words, both with 400).
bool asks_for_tls(int status, std::string_view body);

// Thread-safe; a choice is made once a site.
class Hosts {
 public:
  Hosts(net::Transport& transport, const ClientOptions& options, Meter& meter);

  // The site's endpoint. Where there is a choice it is tried out with GET /v2/, by one thread for all that wait. Throws network when no
  // way leads there; what took long to find out holds for three times as long, so that not every image waits for a host that is off.
  Endpoint endpoint(const Context& ctx, const Site& site, const net::Timeouts& timeouts);
  // The way that is most likely the right one, while nobody has tried it: plain HTTP on loopback. A request that can be repeated is sent
  // there at once, which saves the trial's round trip. Nothing: ask endpoint().
  std::optional<Endpoint> guess(const Context& ctx, const Site& site, const net::Timeouts& timeouts);
  // There was an answer at a guessed endpoint: that is the choice, unless it asks for TLS. No effect on any other endpoint.
  void note_answer(const Context& ctx, const Endpoint& endpoint, int status, std::string_view body);
  bool is_settled(const Site& site) const { return settled_endpoint(site).has_value(); }
  // The origin that was settled on, without asking; nothing before the first request.
  std::optional<std::string> known_origin(const Site& site) const;
  // For a host that a server named: a realm or a redirect's target.
  net::TlsOptions tls_for(const net::Url& url) const;
  // no_local unless the user named that host himself, or the registry is on this machine.
  static net::AddressPolicy policy_for(const Endpoint& registry, const net::Url& target);
  std::vector<std::string> explain(const Site& site) const;

 private:
  struct Choice {
    std::mutex mutex;  // held while it is tried out
    std::optional<Endpoint> settled;
    std::atomic<int> trials{0};
    std::optional<Error> failure;  // of the last one
    std::chrono::steady_clock::time_point failure_holds_until;
  };
  std::shared_ptr<Choice> choice_of(const Site& site);
  std::optional<Endpoint> settled_endpoint(const Site& site) const;
  Endpoint try_out(const Context& ctx, const std::vector<Endpoint>& ways, const net::Timeouts& timeouts);

  net::Transport& transport_;
  const std::set<std::string> insecure_;
  const std::vector<std::filesystem::path> certs_directories_;
  Meter& meter_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Choice>> choices_;  // shared: a thread keeps its choice while the map grows
  mutable std::map<std::string, std::optional<HostCertificates>> certificates_;
  std::optional<HostCertificates> certificates_for(const std::string& host_and_port) const;
};

}  // namespace drover::registry
