// A registry on loopback that tells the truth unless a test says otherwise: OCI distribution-spec v1.1 (pull, push, tags), token
// authentication, redirects to a storage host, and a script of faults. SHA-256 is OpenSSL's, so that drover's own has a judge.
//
// Listener 0 is the registry, listener 1 the storage host: another port, another origin, and nothing but signed blob URLs.
// Thread-safe; content and script may change between requests.
#pragma once

#include "tests/support/loopback_server.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::test {

struct FakeRegistryOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: a free one
  std::optional<TlsFiles> tls = {};
  std::string storage_address = "127.0.0.1";  // all of 127/8 is loopback: 127.0.0.2 is a host of another name
  std::uint16_t storage_port = 0;
  std::optional<TlsFiles> storage_tls = {};
};

// Which requests a fault meets: the `from`-th to the (from + count - 1)-th that match.
struct Match {
  std::string method = {};  // empty: any
  std::string target = {};  // part of the path with query; empty: any
  std::size_t from = 1;
  std::size_t count = 1;  // 0: all from there on
  std::optional<std::size_t> listener = {};
};

// What is wrong with an answer. Members left alone leave the right answer alone; several faults that match add up.
struct Fault {
  int status = 0;  // instead of the right answer: that status with `body`
  std::optional<std::string> body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // set, replacing
  std::vector<std::string> dropped_headers = {};
  std::string redirect_to = {};  // 307 with this Location

  bool ignore_range = false;             // 200 with everything
  std::string content_range = {};        // said instead of the right one
  std::uint64_t shift_range = 0;         // the bytes and the Content-Range begin so much later than asked
  bool multipart = false;                // multipart/byteranges around the right bytes
  std::optional<std::size_t> flip_byte = {};  // one byte of the body is wrong

  std::optional<std::uint64_t> content_length = {};
  bool chunked = false;
  bool no_length = false;
  bool close = false;
  std::chrono::milliseconds delay{0};
  std::size_t slice_bytes = 0;
  std::chrono::milliseconds slice_delay{0};
  std::uint64_t bytes_per_second = 0;
  std::optional<std::uint64_t> close_after = {};
  std::optional<std::uint64_t> reset_after = {};
  std::optional<std::uint64_t> stall_after = {};
  bool hang = false;
  std::string raw = {};
  std::function<void(const ServedRequest&, Reply&)> edit = {};  // last; runs without the registry's lock
};

struct FakeAuth {
  enum class Scheme { none, basic, bearer };
  Scheme scheme = Scheme::none;
  std::string user = "user";
  std::string password = "secret-password";
  bool anonymous_pull = false;       // bearer: tokens for pulling need no password
  std::string service = "fake-registry";
  std::string realm = {};            // instead of this registry's own /token
  std::string challenge = {};        // WWW-Authenticate, verbatim
  std::string token_member = "token";  // "access_token", or "both"
  int expires_in_seconds = 300;      // 0: not said
  bool allow_get = true;             // else 405
  bool allow_post = true;
  std::size_t refuse_first = 0;      // token requests that get refuse_status
  int refuse_status = 503;
  std::size_t token_uses_max = 0;    // then a token is invalid; 0: never
};

// Blobs are answered with 307 to the storage host, with a query that looks signed.
struct StorageRedirect {
  bool enabled = false;
  std::size_t uses_max = 0;          // of one URL; 0: unlimited
  int expired_status = 403;
  bool refuse_authorization = true;  // 400, as S3 does
  bool refuse_head = false;          // 403, as GHCR's storage does
};

struct LoggedRequest {
  ServedRequest request;  // its body is kept up to 64 KiB
  int status = 0;
};

struct FakeLayer {
  std::string bytes = {};
  std::string media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
  std::string diff_id = {};  // empty: the digest of the bytes
};

struct FakePlatform {
  std::string os = "linux";
  std::string architecture = "amd64";
  std::string variant = {};
};

struct FakeImage {
  std::string digest;
  std::string bytes;  // of the manifest
  std::string media_type;
  std::string config_digest;
  std::string config;
  std::vector<std::string> layer_digests;
  FakePlatform platform;
};

class FakeRegistry {
 public:
  explicit FakeRegistry(FakeRegistryOptions options = {});
  ~FakeRegistry();
  FakeRegistry(const FakeRegistry&) = delete;
  FakeRegistry& operator=(const FakeRegistry&) = delete;

  std::string host() const;            // "127.0.0.1:1234"
  std::string origin() const;          // "http://127.0.0.1:1234"
  std::string storage_origin() const;
  std::uint16_t port() const;
  // "127.0.0.1:1234/<repository>:<tag>"
  std::string reference(const std::string& repository, const std::string& tag) const;

  // Content. Each returns the digest, "sha256:<hex>".
  std::string add_blob(const std::string& repository, std::string bytes);
  // Not read before it is asked for. An empty repository: in all of them.
  void add_blob_file(const std::string& repository, const std::string& digest, const std::filesystem::path& file);
  // `tag` may be empty.
  std::string add_manifest(const std::string& repository, const std::string& tag, std::string bytes, const std::string& media_type);
  void set_tag(const std::string& repository, const std::string& tag, const std::string& digest);
  // Config, layers and manifest (OCI, or Docker's schema 2 by its media type) of one platform.
  FakeImage add_image(const std::string& repository, const std::string& tag, const std::vector<FakeLayer>& layers,
                      const FakePlatform& platform = {}, bool docker_types = false);
  std::string add_index(const std::string& repository, const std::string& tag, const std::vector<FakeImage>& images, bool docker_types = false);
  void remove_blob(const std::string& digest);
  void remove_tag(const std::string& repository, const std::string& tag);
  // What was pushed or added; nothing if it is not there.
  std::optional<std::string> find_blob(const std::string& digest) const;
  std::optional<std::string> find_manifest(const std::string& repository, const std::string& reference) const;

  // Behaviour.
  void set_auth(FakeAuth auth);
  void set_redirect(StorageRedirect redirect);
  void set_tag_page(std::size_t tags);  // answers at most so many a page, whatever n says; 0: all
  void fault(Match match, Fault fault);
  void clear_faults();
  void cut_connections();

  // What was asked.
  std::vector<LoggedRequest> log() const;
  // Requests of this method (empty: any) whose target has that part.
  std::size_t count(std::string_view method, std::string_view target_part) const;
  // Whether any request to that listener carried an Authorization header.
  bool saw_authorization(std::size_t listener) const;
  void clear_log();
  std::uint64_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// OpenSSL's SHA-256, "sha256:<hex>".
std::string sha256_of(std::string_view bytes);

}  // namespace drover::test
