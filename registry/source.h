// Where a registry's content is served: by the registry itself and by mirrors, in the words of configuration files. Pure.
#pragma once

#include "manifest/reference.h"
#include "net/transport.h"
#include "registry/secret.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::registry {

// A request header that a file wants sent to one host: it may be a login.
struct SiteHeader {
  std::string name;  // in lower case
  Secret value;
};

// One host and the way to it.
struct Site {
  enum class Scheme {
    by_rule,  // https; on loopback plain HTTP as well
    any,      // marked insecure: unverified https, then plain HTTP
    https,
    http,
  };
  std::string registry = {};  // "mirror.lan:5000", "docker.io": whose login it takes, and its name in messages
  Scheme scheme = Scheme::by_rule;
  std::string api = "/v2";    // path of its API's root, without a slash at the end; may be empty
  bool is_verified = true;    // https only
  net::TlsOptions tls = {};   // its own authority and client certificate; when left alone, those of the certs.d folders count
  std::vector<SiteHeader> headers = {};  // to this host alone; never printed
  std::string origin = {};    // who says all this: "/etc/docker/daemon.json:3"; empty: nobody, it is the registry that was asked for

  // Tells sites apart, also those that one line names.
  std::string key() const { return origin + "\n" + registry + "\n" + std::to_string(static_cast<int>(scheme)) + api; }
};

// One place to ask for one reference's content.
struct Source {
  Site site;
  std::string repository;          // by the name that it has there
  std::string namespace_name = {}; // of the registry that it stands in for, to be said as `?ns=`; empty: not to be said
  bool is_mirror = false;          // else the registry itself, or what the configuration puts in its place
  bool can_resolve = true;         // may say what a tag means
  bool can_pull = true;            // may serve what a digest names
};

// What one file says about the registry, or about the part of one, that `prefix` names.
struct MirrorRule {
  struct Entry {
    Site site = {};               // an empty registry: the one that was asked for, under the name that was asked for
    std::string path = {};        // put before what follows the prefix: "proxy" makes docker.io/library/redis proxy/library/redis
    bool is_mirror = true;
    bool can_resolve = true;
    bool can_pull = true;
    bool is_for_tags_only = false;  // not for references with a digest: it may lack what they name
    bool says_namespace = false;
  };
  std::string prefix = {};              // "docker.io", "quay.io/acme", "*.example.com"; empty: every registry
  std::vector<Entry> entries = {};      // in the order to be asked
  bool is_blocked = false;
  std::string origin = {};              // "/etc/containers/registries.conf:12"
  std::vector<std::string> notes = {};  // what of it cannot be followed
  std::vector<std::string> unknown = {};  // members that are not known: "/f:3: capabilites: not known; did you mean capabilities?"
};

// What of `reference`'s name follows the prefix ("library/redis" behind "docker.io"); nothing when it is no prefix of it. Parts of a name
// are compared whole, a port is one: "example.com" is no prefix of example.com:5000. "*.example.com" stands for every host below it.
std::optional<std::string> name_behind(std::string_view prefix, const Reference& reference);

// The sources that a matching rule gives, in its order. Throws invalid when an entry leaves nothing of the name.
std::vector<Source> sources_of(const MirrorRule& rule, const Reference& reference);
// Without any rule: the registry itself.
Source registry_itself(const Reference& reference);

// "host:port" of a URL, as credentials are stored under; the port only when it is not the scheme's own, every name of Docker Hub as docker.io.
std::string registry_name(const net::Url& url);

}  // namespace drover::registry
