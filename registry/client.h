// The distribution-spec v1.1 client: manifests, tags and blobs of one or many registries, with authentication, redirects and retries.
//
// Where mirrors are configured, each request goes from one source to the next until one serves it (registry/sources.h has the order); a
// failure below is the registry's own, told when nobody is left. A login goes to the host that it is stored for and to no other.
//
// Thread-safe. Tokens are cached per registry and scope with a single flight; hosts' quirks are remembered for the client's lifetime.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "base/retry.h"
#include "manifest/descriptor.h"
#include "manifest/manifest.h"
#include "manifest/reference.h"
#include "net/transport.h"
#include "registry/hedge.h"
#include "registry/mirrors.h"
#include "store/ranges.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace drover::registry {

// What cli reads from flags and environment; nothing below it calls getenv.
struct ClientOptions {
  std::set<std::string> insecure_registries;      // "host" or "host:port": plain HTTP or unverified TLS allowed
  std::vector<std::filesystem::path> credential_files;  // docker config.json and podman auth.json, first match wins
  std::vector<std::filesystem::path> certs_directories = {"/etc/docker/certs.d", "/etc/containers/certs.d"};
  std::string program_path;                       // PATH, for credential helpers
  RetryPolicy retry;
  MirrorFiles mirrors;                            // where mirrors are configured; left alone: there are none
  // Of a mirror while somebody else is left to be asked: patient enough for a cache that has to fetch first.
  net::Timeouts mirror_timeouts{.connect = std::chrono::seconds(5),
                                .first_byte = std::chrono::seconds(20),
                                .stall_bytes_per_second = 16 * 1024,
                                .stall = std::chrono::seconds(10)};
  // With a mirror that is slow; then the next source is asked as well, and the mirror last if that one is faster.
  Patience patience;
};

struct RateLimit {
  std::optional<std::uint64_t> limit;      // requests in the window
  std::optional<std::uint64_t> remaining;
  std::optional<std::uint64_t> window_seconds;
  std::string source;                      // as the registry names it
};

struct FetchedManifest {
  Descriptor descriptor;  // digest over the bytes, media type settled
  std::string bytes;      // exactly as served
  Document document;
  bool was_stored = false;  // read from the store, not fetched
};

struct ManifestHead {
  Digest digest;
  std::string media_type;
  std::uint64_t size = 0;
};

// What became of one ranged request.
struct BlobAnswer {
  enum class Kind {
    range,     // 206 with the right Content-Range: the bytes from range.begin came
    whole,     // 200: the bytes from 0 came, whatever was asked; the host ignores ranges
    too_late,  // 416, or ranges this server mangles: ask without a range
  };
  Kind kind = Kind::range;
};

// Receives a blob's bytes. `offset` counts from the blob's start. False stops the transfer.
using BlobSink = std::function<bool(std::uint64_t offset, std::span<const std::byte> bytes)>;

// A place that serves a blob: a mirror, or the registry itself.
struct BlobSource {
  std::string name;        // for people: "mirror.lan:5000"
  std::string key;         // tells it apart from all others
  bool is_mirror = false;
  bool has_ranges = true;  // false once the host that serves its blobs has ignored or mangled a range
};

struct Counters {
  std::uint64_t requests = 0;        // to registries, storage and token servers
  std::uint64_t bytes = 0;           // of bodies received
  std::uint64_t retries = 0;
};

class Client {
 public:
  Client(net::Transport& transport, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Reads drover's own files that name mirrors, so that a broken one is told before anything is asked. Throws invalid.
  void check_mirror_files() const;

  // GET /v2/<repository>/manifests/<reference>. Retries inside. The digest asked for, if any, is checked against the bytes, whatever the
  // headers claim. Throws not_found, authentication, rate_limited, network, invalid, digest_mismatch; the message names the reference.
  FetchedManifest fetch_manifest(const Context& ctx, const Reference& reference);
  // The same for a child of an index: digest, size and media type must be the descriptor's.
  FetchedManifest fetch_manifest(const Context& ctx, const Reference& repository, const Descriptor& descriptor);
  // HEAD; nothing where the registry does not serve it properly (405, no digest header, odd answers): then GET.
  std::optional<ManifestHead> head_manifest(const Context& ctx, const Reference& reference);
  // All tags, following Link; bounded to 10,000 pages. Of the registry itself: a mirror's list may be a part.
  std::vector<std::string> list_tags(const Context& ctx, const Reference& repository);
  // A small blob in memory (a config), verified.
  std::string fetch_blob(const Context& ctx, const Reference& repository, const Descriptor& descriptor, std::uint64_t bytes_max);

  // One attempt at `range` of a blob (the whole blob when it spans it all: no Range header then). Follows the registry's redirect once
  // per blob and reuses the target until it expires or refuses (400, 401, 403, 404, 410: asked anew at the registry, once). No
  // credential goes to another host or port. Bytes reach the sink as they come; on a cut it throws network and what reached the sink
  // is kept by the caller, who decides about another attempt with wait_before_retry.
  BlobAnswer fetch_range(const Context& ctx, const Reference& repository, const Descriptor& descriptor, ByteRange range,
                         const BlobSink& sink);
  // Where this blob may be fetched from range by range: what the configuration names and what has served well so far, in the order to be
  // asked. Throws what Mirrors::find throws.
  std::vector<BlobSource> blob_sources(const Context& ctx, const Reference& repository, const Descriptor& descriptor);
  // As fetch_range, from this one and nobody else; what goes wrong counts against it. Throws not_found too when it is not asked any more.
  BlobAnswer fetch_range_from(const Context& ctx, const BlobSource& source, const Reference& repository, const Descriptor& descriptor,
                              ByteRange range, const BlobSink& sink);
  // It is far slower than another of them: it is asked last from now on. No effect on the registry itself.
  void note_slow(const Context& ctx, const BlobSource& source);
  const Patience& patience() const;
  // It is known that it sent wrong bytes for this blob, or that it did not although it was suspected (reject_blob).
  void blame(const Context& ctx, const BlobSource& source, const Descriptor& descriptor);
  void pardon(const BlobSource& source, const Descriptor& descriptor);
  // False once this host has ignored or mangled a range.
  bool can_range(const Reference& repository, const Descriptor& descriptor) const;
  // The blob arrived whole and its digest is another. Whoever sent it is not asked for it again; whether somebody else is left.
  bool reject_blob(const Context& ctx, const Reference& repository, const Descriptor& descriptor);
  // Sleeps before attempt number `attempt` after `failure`, honouring Retry-After; rethrows `failure` when it is final or when the
  // policy gives up.
  void wait_before_retry(const Context& ctx, const Error& failure, int attempt);

  // What docker's command line would hand to an engine that is to pull `reference` itself: the X-Registry-Auth header's value (base64url
  // JSON, Engine API §authentication) of the stored login of that registry; empty: anonymous. A secret: for the engine's request only.
  std::string engine_login(const Context& ctx, const Reference& reference);

  std::optional<RateLimit> rate_limit(const std::string& registry) const;
  // How many manifests this registry itself, and no mirror of it, has sent for a tag: what Docker Hub counts as pulls.
  std::uint64_t manifests_by_tag(const std::string& registry) const;
  Counters counters() const;
  // How each value of this registry's access was chosen: mirrors with file and line and how they served, scheme, certificates, credential
  // source with file; for --explain.
  std::vector<std::string> explain(const Reference& reference) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::registry
