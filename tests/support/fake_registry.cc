#include "tests/support/fake_registry.h"

#include "base/text.h"
#include "tests/support/fake_registry_auth.h"

#include <nlohmann/json.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>

namespace drover::test {
namespace {

using nlohmann::json;

constexpr std::size_t logged_body_bytes_max = 64 * 1024;
constexpr std::size_t registry_listener = 0;
constexpr std::string_view multipart_boundary = "THIS_STRING_SEPARATES";

struct Blob {
  std::string bytes;
  std::filesystem::path file;  // instead of bytes
  std::uint64_t size = 0;
};

struct Manifest {
  std::string bytes;
  std::string media_type;
};

struct Repository {
  std::set<std::string> blobs;
  std::map<std::string, Manifest> manifests;    // by digest
  std::map<std::string, std::string> tags;      // to digest
};

struct Rule {
  Match match;
  Fault fault;
  std::size_t seen = 0;
};

// "/v2/<repository>/<kind>/<rest>".
struct Route {
  std::string repository;
  std::string kind;  // "manifests", "blobs", "uploads", "tags", or empty
  std::string rest;
};

Route parse_route(const std::string& path) {
  constexpr std::string_view prefix = "/v2/";
  if (!path.starts_with(prefix)) return {};
  const std::string rest = path.substr(prefix.size());
  for (const auto& [marker, kind] : {std::pair("/blobs/uploads/", "uploads"), {"/manifests/", "manifests"}, {"/blobs/", "blobs"}, {"/tags/list", "tags"}}) {
    const std::size_t at = rest.rfind(marker);
    if (at != std::string::npos) return {rest.substr(0, at), kind, rest.substr(at + std::string_view(marker).size())};
  }
  return {};
}

Reply error_reply(int status, const std::string& code, const std::string& message) {
  Reply reply{.status = status, .body = json{{"errors", {{{"code", code}, {"message", message}}}}}.dump()};
  reply.headers.set("Content-Type", "application/json");
  return reply;
}

struct Range {
  std::uint64_t begin;
  std::uint64_t end;
};

// Nothing: no range, or one that is to be ignored. An empty range: unsatisfiable.
std::optional<Range> parse_range(const ServedRequest& request, std::uint64_t size) {
  const std::string text(request.headers.find("range").value_or(""));
  if (!text.starts_with("bytes=") || text.find(',') != std::string::npos) return std::nullopt;
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const std::optional<std::uint64_t> first = parse_uint(text.substr(6, dash - 6));
  const std::optional<std::uint64_t> last = parse_uint(text.substr(dash + 1));
  if (!first && !last) return std::nullopt;
  if (!first) return Range{size - std::min(size, *last), size};
  if (*first >= size) return Range{0, 0};
  return Range{*first, last ? std::min(size, *last + 1) : size};
}

void fill(Reply& reply, const Blob& blob, Range range) {
  if (blob.file.empty()) {
    reply.body = blob.bytes.substr(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end - range.begin));
    return;
  }
  reply.file = blob.file;
  reply.file_offset = range.begin;
  reply.file_bytes = range.end - range.begin;
}

std::string read_whole(const Blob& blob) {
  if (blob.file.empty()) return blob.bytes;
  std::ifstream in(blob.file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Reply serve_blob(const ServedRequest& request, const std::string& digest, const Blob& blob, const Fault& fault) {
  Reply reply;
  reply.headers.set("Content-Type", "application/octet-stream");
  reply.headers.set("Docker-Content-Digest", digest);
  reply.headers.set("ETag", "\"" + digest + "\"");
  reply.headers.set("Accept-Ranges", "bytes");
  std::optional<Range> range = fault.ignore_range ? std::nullopt : parse_range(request, blob.size);
  const std::optional<std::string_view> condition = request.headers.find("if-range");
  if (condition && *condition != "\"" + digest + "\"") range.reset();
  if (!range) {
    fill(reply, blob, {0, blob.size});
    return reply;
  }
  if (range->begin >= range->end) {
    reply = error_reply(416, "RANGE_INVALID", "range not satisfiable");
    reply.headers.set("Content-Range", "bytes */" + std::to_string(blob.size));
    return reply;
  }
  range->begin = std::min(range->begin + fault.shift_range, range->end - 1);
  reply.status = 206;
  fill(reply, blob, *range);
  const std::string bounds = "bytes " + std::to_string(range->begin) + "-" + std::to_string(range->end - 1) + "/" + std::to_string(blob.size);
  if (!fault.multipart) {
    reply.headers.set("Content-Range", bounds);
    return reply;
  }
  const std::string boundary(multipart_boundary);
  reply.body = "--" + boundary + "\r\nContent-Type: application/octet-stream\r\nContent-Range: " + bounds + "\r\n\r\n" + reply.body + "\r\n--" + boundary + "--\r\n";
  reply.headers.set("Content-Type", "multipart/byteranges; boundary=" + boundary);
  return reply;
}

bool meets(const Match& match, const ServedRequest& request) {
  return (match.method.empty() || match.method == request.method) && request.target.find(match.target) != std::string::npos &&
         (!match.listener || *match.listener == request.listener);
}

// Adds `more` to what is already wrong.
void add_up(Fault& sum, const Fault& more) {
  if (more.status != 0) sum.status = more.status;
  if (more.body) sum.body = more.body;
  sum.headers.insert(sum.headers.end(), more.headers.begin(), more.headers.end());
  sum.dropped_headers.insert(sum.dropped_headers.end(), more.dropped_headers.begin(), more.dropped_headers.end());
  if (!more.redirect_to.empty()) sum.redirect_to = more.redirect_to;
  sum.ignore_range |= more.ignore_range;
  if (!more.content_range.empty()) sum.content_range = more.content_range;
  sum.shift_range += more.shift_range;
  sum.multipart |= more.multipart;
  if (more.flip_byte) sum.flip_byte = more.flip_byte;
  if (more.content_length) sum.content_length = more.content_length;
  sum.chunked |= more.chunked;
  sum.no_length |= more.no_length;
  sum.close |= more.close;
  sum.delay += more.delay;
  if (more.slice_bytes != 0) sum.slice_bytes = more.slice_bytes;
  sum.slice_delay += more.slice_delay;
  if (more.bytes_per_second != 0) sum.bytes_per_second = more.bytes_per_second;
  if (more.close_after) sum.close_after = more.close_after;
  if (more.reset_after) sum.reset_after = more.reset_after;
  if (more.stall_after) sum.stall_after = more.stall_after;
  sum.hang |= more.hang;
  if (!more.raw.empty()) sum.raw = more.raw;
  if (more.edit) sum.edit = more.edit;
}

void apply(const Fault& fault, Reply& reply) {
  if (fault.status != 0) reply = Reply{.status = fault.status, .body = fault.body.value_or("")};
  if (fault.body) reply.body = *fault.body;
  if (fault.body) reply.file.clear();
  if (!fault.redirect_to.empty()) {
    reply = Reply{.status = 307};
    reply.headers.set("Location", fault.redirect_to);
  }
  if (!fault.content_range.empty()) reply.headers.set("Content-Range", fault.content_range);
  for (const auto& [name, value] : fault.headers) reply.headers.set(name, value);
  if (!fault.dropped_headers.empty()) {
    net::Headers kept;
    for (const auto& [name, value] : reply.headers.list()) {
      const auto is_it = [&](const std::string& dropped) { return equals_ignoring_case(dropped, name); };
      if (std::none_of(fault.dropped_headers.begin(), fault.dropped_headers.end(), is_it)) kept.add(name, value);
    }
    reply.headers = kept;
  }
  if (fault.flip_byte && *fault.flip_byte < reply.body.size()) reply.body[*fault.flip_byte] = static_cast<char>(reply.body[*fault.flip_byte] ^ 1);
  if (fault.content_length) reply.content_length = fault.content_length;
  reply.chunked |= fault.chunked;
  reply.no_length |= fault.no_length;
  reply.close |= fault.close;
  reply.delay += fault.delay;
  if (fault.slice_bytes != 0) reply.slice_bytes = fault.slice_bytes;
  reply.slice_delay += fault.slice_delay;
  if (fault.bytes_per_second != 0) reply.bytes_per_second = fault.bytes_per_second;
  if (fault.close_after) reply.close_after = fault.close_after;
  if (fault.reset_after) reply.reset_after = fault.reset_after;
  if (fault.stall_after) reply.stall_after = fault.stall_after;
  reply.hang |= fault.hang;
  if (!fault.raw.empty()) reply.raw = fault.raw;
}

}  // namespace

std::string sha256_of(std::string_view bytes) {
  std::array<std::byte, 32> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  return "sha256:" + to_hex(digest);
}

struct FakeRegistry::Impl {
  Reply handle(const ServedRequest& request);
  Fault take_faults(const ServedRequest& request);
  Reply serve(const ServedRequest& request, const Fault& fault);
  Reply serve_registry(const ServedRequest& request, const Route& route, const Fault& fault);
  Reply serve_manifest(const ServedRequest& request, const Route& route);
  Reply put_manifest(const ServedRequest& request, const Route& route);
  Reply serve_tags(const ServedRequest& request, const Route& route);
  Reply serve_upload(const ServedRequest& request, const Route& route);
  Reply serve_storage(const ServedRequest& request, const Fault& fault);
  Reply redirect_to_storage(const std::string& digest);
  const Blob* find_blob(const std::string& repository, const std::string& digest) const;
  const Manifest* find_manifest(const std::string& repository, const std::string& reference) const;
  std::string add_blob(const std::string& repository, std::string bytes);

  mutable std::mutex mutex;
  std::map<std::string, Repository> repositories;
  std::map<std::string, Blob> blobs;
  std::set<std::string> everywhere;  // blobs in all repositories
  std::vector<Rule> rules;
  FakeTokens tokens;
  StorageRedirect redirect;
  std::size_t tag_page = 0;
  std::map<std::string, std::size_t> signatures;  // of signed URLs, to their uses
  std::map<std::string, std::string> uploads;     // by id
  std::size_t next_id = 1;
  std::vector<LoggedRequest> log;
  std::string origin;
  std::string storage_origin;
  // Last: its threads use all of the above.
  std::unique_ptr<LoopbackServer> server;
};

Reply FakeRegistry::Impl::handle(const ServedRequest& request) {
  Reply reply;
  Fault fault;
  {
    const std::lock_guard lock(mutex);
    fault = take_faults(request);
    reply = serve(request, fault);
    apply(fault, reply);
  }
  if (fault.edit) fault.edit(request, reply);
  const std::lock_guard lock(mutex);
  LoggedRequest& logged = log.emplace_back(LoggedRequest{request, reply.status});
  if (logged.request.body.size() > logged_body_bytes_max) logged.request.body.resize(logged_body_bytes_max);
  return reply;
}

Fault FakeRegistry::Impl::take_faults(const ServedRequest& request) {
  Fault sum;
  for (Rule& rule : rules) {
    if (!meets(rule.match, request)) continue;
    ++rule.seen;
    const bool is_due = rule.seen >= rule.match.from && (rule.match.count == 0 || rule.seen < rule.match.from + rule.match.count);
    if (is_due) add_up(sum, rule.fault);
  }
  return sum;
}

Reply FakeRegistry::Impl::serve(const ServedRequest& request, const Fault& fault) {
  if (request.listener != registry_listener) return serve_storage(request, fault);
  if (request.path == "/token") return tokens.serve_token(request);
  if (request.path != "/v2/" && request.path != "/v2" && !request.path.starts_with("/v2/")) return error_reply(404, "NOT_FOUND", "no such page");

  const Route route = parse_route(request.path);
  const bool is_write = request.method != "GET" && request.method != "HEAD";
  if (const std::optional<Reply> refusal = tokens.refuse(request, route.repository, is_write, origin)) return *refusal;
  Reply reply = serve_registry(request, route, fault);
  reply.headers.set("Docker-Distribution-Api-Version", "registry/2.0");
  return reply;
}

Reply FakeRegistry::Impl::serve_registry(const ServedRequest& request, const Route& route, const Fault& fault) {
  if (request.path == "/v2/" || request.path == "/v2") return {.body = "{}"};
  if (route.kind == "uploads") return serve_upload(request, route);
  if (route.kind == "manifests" && request.method == "PUT") return put_manifest(request, route);
  if (request.method != "GET" && request.method != "HEAD") return error_reply(405, "UNSUPPORTED", "the operation is unsupported");
  if (route.kind == "manifests") return serve_manifest(request, route);
  if (route.kind == "tags") return serve_tags(request, route);
  if (route.kind != "blobs") return error_reply(404, "NOT_FOUND", "no such page");

  const Blob* blob = find_blob(route.repository, route.rest);
  if (blob == nullptr) return error_reply(404, "BLOB_UNKNOWN", "blob unknown to registry");
  if (redirect.enabled && request.method == "GET") return redirect_to_storage(route.rest);
  return serve_blob(request, route.rest, *blob, fault);
}

const Blob* FakeRegistry::Impl::find_blob(const std::string& repository, const std::string& digest) const {
  const auto blob = blobs.find(digest);
  const auto holder = repositories.find(repository);
  const bool is_here = everywhere.contains(digest) || (holder != repositories.end() && holder->second.blobs.contains(digest));
  return blob != blobs.end() && is_here ? &blob->second : nullptr;
}

const Manifest* FakeRegistry::Impl::find_manifest(const std::string& repository, const std::string& reference) const {
  const auto holder = repositories.find(repository);
  if (holder == repositories.end()) return nullptr;
  const auto tag = holder->second.tags.find(reference);
  const auto manifest = holder->second.manifests.find(tag == holder->second.tags.end() ? reference : tag->second);
  return manifest == holder->second.manifests.end() ? nullptr : &manifest->second;
}

Reply FakeRegistry::Impl::serve_manifest(const ServedRequest&, const Route& route) {
  const Manifest* manifest = find_manifest(route.repository, route.rest);
  if (manifest == nullptr) return error_reply(404, "MANIFEST_UNKNOWN", "manifest unknown");
  const std::string digest = sha256_of(manifest->bytes);
  Reply reply{.body = manifest->bytes};
  reply.headers.set("Content-Type", manifest->media_type);
  reply.headers.set("Docker-Content-Digest", digest);
  reply.headers.set("ETag", "\"" + digest + "\"");
  return reply;
}

Reply FakeRegistry::Impl::put_manifest(const ServedRequest& request, const Route& route) {
  const std::string digest = sha256_of(request.body);
  const bool is_by_digest = route.rest.starts_with("sha256:");
  if (is_by_digest && route.rest != digest) return error_reply(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  Repository& repository = repositories[route.repository];
  const json document = json::parse(request.body, nullptr, false);
  for (const char* member : {"config", "layers"}) {
    const json& part = document.is_object() && document.contains(member) ? document[member] : json::array();
    for (const json& descriptor : part.is_array() ? part : json::array({part})) {
      if (find_blob(route.repository, descriptor.value("digest", "")) == nullptr) return error_reply(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
    }
  }
  repository.manifests[digest] = {request.body, std::string(request.headers.find("content-type").value_or(""))};
  if (!is_by_digest) repository.tags[route.rest] = digest;
  Reply reply{.status = 201};
  reply.headers.set("Docker-Content-Digest", digest);
  reply.headers.set("Location", "/v2/" + route.repository + "/manifests/" + digest);
  return reply;
}

Reply FakeRegistry::Impl::serve_tags(const ServedRequest& request, const Route& route) {
  const auto holder = repositories.find(route.repository);
  if (holder == repositories.end()) return error_reply(404, "NAME_UNKNOWN", "repository name not known to registry");
  const std::string last = request.parameter("last").value_or("");
  std::size_t page = static_cast<std::size_t>(parse_uint(request.parameter("n").value_or("")).value_or(0));
  if (tag_page != 0) page = page == 0 ? tag_page : std::min(page, tag_page);
  json tags = json::array();
  bool has_more = false;
  for (const auto& [tag, digest] : holder->second.tags) {
    if (tag <= last) continue;
    has_more = page != 0 && tags.size() == page;
    if (has_more) break;
    tags.push_back(tag);
  }
  Reply reply{.body = json{{"name", route.repository}, {"tags", tags}}.dump()};
  reply.headers.set("Content-Type", "application/json");
  if (has_more) {
    const std::string next = request.path + "?n=" + std::to_string(page) + "&last=" + percent_encode(tags.back().get<std::string>());
    reply.headers.set("Link", "<" + next + ">; rel=\"next\"");
  }
  return reply;
}

Reply FakeRegistry::Impl::serve_upload(const ServedRequest& request, const Route& route) {
  const std::string base = "/v2/" + route.repository + "/blobs/uploads/";
  const std::optional<std::string> digest = request.parameter("digest");
  const auto created = [&](const std::string& name) {
    Reply reply{.status = 201};
    reply.headers.set("Location", "/v2/" + route.repository + "/blobs/" + name);
    reply.headers.set("Docker-Content-Digest", name);
    return reply;
  };
  if (request.method == "POST" && route.rest.empty()) {
    const std::optional<std::string> mount = request.parameter("mount");
    if (mount && find_blob(request.parameter("from").value_or(""), *mount) != nullptr) {
      repositories[route.repository].blobs.insert(*mount);
      return created(*mount);
    }
    const std::string id = "upload-" + std::to_string(next_id++);
    uploads[id] = "";
    Reply reply{.status = 202};
    reply.headers.set("Location", base + id + "?_state=opaque");
    reply.headers.set("Range", "0-0");
    return reply;
  }
  const auto upload = uploads.find(route.rest);
  if (upload == uploads.end()) return error_reply(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  upload->second += request.body;
  if (request.method == "PATCH") {
    Reply reply{.status = 202};
    reply.headers.set("Location", base + route.rest + "?_state=opaque");
    reply.headers.set("Range", "0-" + std::to_string(std::max<std::size_t>(upload->second.size(), 1) - 1));
    return reply;
  }
  if (request.method != "PUT" || !digest) return error_reply(400, "DIGEST_INVALID", "digest missing");
  const std::string bytes = std::move(upload->second);
  uploads.erase(upload);
  if (sha256_of(bytes) != *digest) return error_reply(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  add_blob(route.repository, bytes);
  return created(*digest);
}

Reply FakeRegistry::Impl::redirect_to_storage(const std::string& digest) {
  const std::string signature = sha256_of("signature " + std::to_string(next_id++)).substr(7);
  signatures[signature] = 0;
  Reply reply{.status = 307, .body = "<a href=\"elsewhere\">Temporary Redirect</a>.\n"};
  reply.headers.set("Location", storage_origin + "/storage/" + digest +
                                    "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20240101%2Fs3&X-Amz-Expires=1200&X-Amz-Signature=" + signature);
  return reply;
}

Reply FakeRegistry::Impl::serve_storage(const ServedRequest& request, const Fault& fault) {
  constexpr std::string_view prefix = "/storage/";
  const auto refuse = [](int status, const std::string& code) {
    return Reply{.status = status, .body = "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code></Error>"};
  };
  if (redirect.refuse_authorization && request.headers.find("authorization")) return refuse(400, "InvalidArgument");
  if (redirect.refuse_head && request.method == "HEAD") return refuse(403, "SignatureDoesNotMatch");
  const auto signature = signatures.find(request.parameter("X-Amz-Signature").value_or(""));
  if (!request.path.starts_with(prefix) || signature == signatures.end()) return refuse(403, "AccessDenied");
  if (redirect.uses_max != 0 && signature->second >= redirect.uses_max) return refuse(redirect.expired_status, "ExpiredToken");
  ++signature->second;
  const std::string digest = request.path.substr(prefix.size());
  const auto blob = blobs.find(digest);
  return blob == blobs.end() ? refuse(404, "NoSuchKey") : serve_blob(request, digest, blob->second, fault);
}

std::string FakeRegistry::Impl::add_blob(const std::string& repository, std::string bytes) {
  const std::string digest = sha256_of(bytes);
  const std::uint64_t size = bytes.size();
  blobs[digest] = {.bytes = std::move(bytes), .file = {}, .size = size};
  repositories[repository].blobs.insert(digest);
  return digest;
}

FakeRegistry::FakeRegistry(FakeRegistryOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->server = std::make_unique<LoopbackServer>([impl = impl_.get()](const ServedRequest& request) { return impl->handle(request); });
  impl_->server->listen(options.address, options.port, options.tls);
  impl_->server->listen(options.storage_address, options.storage_port, options.storage_tls);
  impl_->origin = impl_->server->origin(0);
  impl_->storage_origin = impl_->server->origin(1);
}

FakeRegistry::~FakeRegistry() = default;

std::string FakeRegistry::host() const { return impl_->origin.substr(impl_->origin.find("//") + 2); }

std::string FakeRegistry::origin() const { return impl_->origin; }

std::string FakeRegistry::storage_origin() const { return impl_->storage_origin; }

std::uint16_t FakeRegistry::port() const { return impl_->server->port(0); }

std::string FakeRegistry::reference(const std::string& repository, const std::string& tag) const { return host() + "/" + repository + ":" + tag; }

std::string FakeRegistry::add_blob(const std::string& repository, std::string bytes) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->add_blob(repository, std::move(bytes));
}

void FakeRegistry::add_blob_file(const std::string& repository, const std::string& digest, const std::filesystem::path& file) {
  const std::uint64_t size = std::filesystem::file_size(file);
  const std::lock_guard lock(impl_->mutex);
  impl_->blobs[digest] = {.bytes = {}, .file = file, .size = size};
  if (repository.empty()) {
    impl_->everywhere.insert(digest);
  } else {
    impl_->repositories[repository].blobs.insert(digest);
  }
}

std::string FakeRegistry::add_manifest(const std::string& repository, const std::string& tag, std::string bytes, const std::string& media_type) {
  const std::string digest = sha256_of(bytes);
  const std::lock_guard lock(impl_->mutex);
  impl_->repositories[repository].manifests[digest] = {std::move(bytes), media_type};
  if (!tag.empty()) impl_->repositories[repository].tags[tag] = digest;
  return digest;
}

void FakeRegistry::set_tag(const std::string& repository, const std::string& tag, const std::string& digest) {
  const std::lock_guard lock(impl_->mutex);
  impl_->repositories[repository].tags[tag] = digest;
}

FakeImage FakeRegistry::add_image(const std::string& repository, const std::string& tag, const std::vector<FakeLayer>& layers,
                                  const FakePlatform& platform, bool docker_types) {
  FakeImage image{.digest = {}, .bytes = {}, .media_type = {}, .config_digest = {}, .config = {}, .layer_digests = {}, .platform = platform};
  json layer_descriptors = json::array();
  json diff_ids = json::array();
  for (const FakeLayer& layer : layers) {
    image.layer_digests.push_back(add_blob(repository, layer.bytes));
    layer_descriptors.push_back({{"mediaType", layer.media_type}, {"digest", image.layer_digests.back()}, {"size", layer.bytes.size()}});
    diff_ids.push_back(layer.diff_id.empty() ? sha256_of(layer.bytes) : layer.diff_id);
  }
  json config = {{"architecture", platform.architecture}, {"os", platform.os}, {"config", json::object()},
                 {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}};
  if (!platform.variant.empty()) config["variant"] = platform.variant;
  image.config = config.dump();
  image.config_digest = add_blob(repository, image.config);
  image.media_type = docker_types ? "application/vnd.docker.distribution.manifest.v2+json" : "application/vnd.oci.image.manifest.v1+json";
  const char* config_type = docker_types ? "application/vnd.docker.container.image.v1+json" : "application/vnd.oci.image.config.v1+json";
  image.bytes = json{{"schemaVersion", 2},
                     {"mediaType", image.media_type},
                     {"config", {{"mediaType", config_type}, {"digest", image.config_digest}, {"size", image.config.size()}}},
                     {"layers", layer_descriptors}}
                    .dump();
  image.digest = add_manifest(repository, tag, image.bytes, image.media_type);
  return image;
}

std::string FakeRegistry::add_index(const std::string& repository, const std::string& tag, const std::vector<FakeImage>& images, bool docker_types) {
  json manifests = json::array();
  for (const FakeImage& image : images) {
    json platform = {{"os", image.platform.os}, {"architecture", image.platform.architecture}};
    if (!image.platform.variant.empty()) platform["variant"] = image.platform.variant;
    manifests.push_back({{"mediaType", image.media_type}, {"digest", image.digest}, {"size", image.bytes.size()}, {"platform", platform}});
  }
  const std::string media_type = docker_types ? "application/vnd.docker.distribution.manifest.list.v2+json" : "application/vnd.oci.image.index.v1+json";
  return add_manifest(repository, tag, json{{"schemaVersion", 2}, {"mediaType", media_type}, {"manifests", manifests}}.dump(), media_type);
}

void FakeRegistry::remove_blob(const std::string& digest) {
  const std::lock_guard lock(impl_->mutex);
  impl_->blobs.erase(digest);
}

void FakeRegistry::remove_tag(const std::string& repository, const std::string& tag) {
  const std::lock_guard lock(impl_->mutex);
  impl_->repositories[repository].tags.erase(tag);
}

std::optional<std::string> FakeRegistry::find_blob(const std::string& digest) const {
  const std::lock_guard lock(impl_->mutex);
  const auto blob = impl_->blobs.find(digest);
  return blob == impl_->blobs.end() ? std::nullopt : std::optional(read_whole(blob->second));
}

std::optional<std::string> FakeRegistry::find_manifest(const std::string& repository, const std::string& reference) const {
  const std::lock_guard lock(impl_->mutex);
  const Manifest* manifest = impl_->find_manifest(repository, reference);
  return manifest == nullptr ? std::nullopt : std::optional(manifest->bytes);
}

void FakeRegistry::set_auth(FakeAuth auth) {
  const std::lock_guard lock(impl_->mutex);
  impl_->tokens.reset(std::move(auth));
}

void FakeRegistry::set_redirect(StorageRedirect redirect) {
  const std::lock_guard lock(impl_->mutex);
  impl_->redirect = redirect;
}

void FakeRegistry::set_tag_page(std::size_t tags) {
  const std::lock_guard lock(impl_->mutex);
  impl_->tag_page = tags;
}

void FakeRegistry::fault(Match match, Fault fault) {
  const std::lock_guard lock(impl_->mutex);
  impl_->rules.push_back({std::move(match), std::move(fault), 0});
}

void FakeRegistry::clear_faults() {
  const std::lock_guard lock(impl_->mutex);
  impl_->rules.clear();
}

void FakeRegistry::cut_connections() { impl_->server->cut_connections(); }

std::vector<LoggedRequest> FakeRegistry::log() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->log;
}

std::size_t FakeRegistry::count(std::string_view method, std::string_view target_part) const {
  const std::lock_guard lock(impl_->mutex);
  return static_cast<std::size_t>(std::count_if(impl_->log.begin(), impl_->log.end(), [&](const LoggedRequest& entry) {
    return (method.empty() || entry.request.method == method) && entry.request.target.find(target_part) != std::string::npos;
  }));
}

bool FakeRegistry::saw_authorization(std::size_t listener) const {
  const std::lock_guard lock(impl_->mutex);
  return std::any_of(impl_->log.begin(), impl_->log.end(), [&](const LoggedRequest& entry) {
    return entry.request.listener == listener && entry.request.headers.find("authorization").has_value();
  });
}

void FakeRegistry::clear_log() {
  const std::lock_guard lock(impl_->mutex);
  impl_->log.clear();
}

std::uint64_t FakeRegistry::connections() const { return impl_->server->connections(); }

}  // namespace drover::test
