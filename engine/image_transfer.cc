#include "engine/image_transfer.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/json_fields.h"
#include "engine/query.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

constexpr ApiVersion pull_platform_api{1, 32};
constexpr ApiVersion push_platform_api{1, 46};
constexpr ApiVersion archive_platform_api{1, 48};
constexpr std::chrono::minutes save_silence_max{10};

// From API 1.46 on platforms are OCI documents where one image of several is meant.
std::string to_json_text(const Platform& platform) {
  nlohmann::json out{{"os", platform.os}, {"architecture", platform.architecture}};
  put_some(out, "variant", platform.variant);
  return to_request_text(out);
}

void need_platform(const Context& ctx, Client& client, const std::optional<Platform>& platform, ApiVersion version,
                   std::string_view what) {
  if (platform) client.require(ctx, version, what);
}

// What a line says after `mark`, without its end.
std::optional<std::string> text_after(std::string_view line, std::string_view mark) {
  if (!line.starts_with(mark)) return std::nullopt;
  return std::string(trim(line.substr(mark.size())));
}

}  // namespace

TransferProgress parse_transfer_progress(const nlohmann::json& object) {
  const nlohmann::json& detail = member(object, "progressDetail");
  std::string status = text_member(object, "status");
  if (status.empty()) status = std::string(trim(text_member(object, "stream")));
  return {.id = text_member(object, "id"),
          .status = std::move(status),
          .current_bytes = number_member(detail, "current"),
          .total_bytes = number_member(detail, "total")};
}

std::optional<PushedImage> find_pushed_image(const nlohmann::json& object) {
  const nlohmann::json& aux = member(object, "aux");
  if (const auto digest = digest_member(aux, "Digest"))
    return PushedImage{text_member(aux, "Tag"), digest, number_member(aux, "Size")};
  // The containerd store has the sentence alone (26.1).
  const std::string status = text_member(object, "status");
  constexpr std::string_view digest_mark = ": digest: ";
  constexpr std::string_view size_mark = " size: ";
  const std::size_t digest_at = status.find(digest_mark);
  const std::size_t size_at = status.find(size_mark, digest_at);
  if (digest_at == std::string::npos || size_at == std::string::npos) return std::nullopt;
  const std::size_t begin = digest_at + digest_mark.size();
  const auto digest = Digest::try_parse(status.substr(begin, size_at - begin));
  const auto size = parse_uint(std::string_view(status).substr(size_at + size_mark.size()));
  if (!digest || !size) return std::nullopt;
  return PushedImage{status.substr(0, digest_at), digest, static_cast<std::int64_t>(*size)};
}

std::optional<Digest> pull_image(const Context& ctx, Client& client, const ImagePull& pull,
                                 const TransferProgressHandler& on_progress) {
  need_platform(ctx, client, pull.platform, pull_platform_api, "a platform to pull");
  Query query("/images/create");
  query.set("fromImage", pull.reference.name());
  query.set("tag", pull.reference.digest() ? pull.reference.digest()->to_string() : pull.reference.tag().value_or("latest"));
  if (pull.platform) query.set("platform", pull.platform->to_string());
  Client::StreamRequest request{.path = query.path(), .source = {}, .headers = {}, .silence_max = pull.silence_max};
  if (!pull.registry_auth.empty()) request.headers.emplace_back("X-Registry-Auth", pull.registry_auth);
  std::optional<Digest> digest;
  client.post_stream(ctx, request, [&](const nlohmann::json& object) {
    const TransferProgress progress = parse_transfer_progress(object);
    if (const auto text = text_after(progress.status, "Digest: ")) digest = Digest::try_parse(*text);
    if (on_progress) on_progress(progress);
  });
  return digest;
}

PushedImage push_image(const Context& ctx, Client& client, const ImagePush& push, const TransferProgressHandler& on_progress) {
  need_platform(ctx, client, push.platform, push_platform_api, "a platform to push");
  Query query(image_path(push.reference.familiar_name(), "push"));
  query.set("tag", push.reference.tag().value_or("latest"));
  if (push.platform) query.set("platform", to_json_text(*push.platform));
  Client::StreamRequest request{.path = query.path(), .source = {}, .headers = {}, .silence_max = push.silence_max};
  // Older engines refuse a push without this header (seen on 20.10); "{}" is nobody.
  request.headers.emplace_back("X-Registry-Auth", push.registry_auth.empty() ? to_registry_auth({}) : push.registry_auth);
  PushedImage pushed;
  client.post_stream(ctx, request, [&](const nlohmann::json& object) {
    if (auto found = find_pushed_image(object)) pushed = std::move(*found);
    if (on_progress) on_progress(parse_transfer_progress(object));
  });
  return pushed;
}

void save_images(const Context& ctx, Client& client, const std::vector<std::string>& names, const Client::ByteSink& on_bytes,
                 const SaveOptions& options) {
  if (names.empty()) throw Error(ErrorCode::invalid, "no image to save");
  need_platform(ctx, client, options.platform, archive_platform_api, "a platform to save");
  Query query("/images/get");
  query.texts("names", names);
  if (options.platform) query.set("platform", to_json_text(*options.platform));
  client.exchange(ctx, {.path = query.path(), .silence_max = save_silence_max}, on_bytes);
}

std::vector<std::string> load_archive(const Context& ctx, Client& client, const ArchiveLoad& load,
                                      const TransferProgressHandler& on_progress) {
  need_platform(ctx, client, load.platform, archive_platform_api, "a platform to load");
  Query query("/images/load");
  query.set("quiet", "0");
  if (load.platform) query.set("platform", to_json_text(*load.platform));
  std::vector<std::string> loaded;
  client.post_stream(ctx, {.path = query.path(), .source = load.source, .headers = {}, .silence_max = load.silence_max},
                     [&](const nlohmann::json& object) {
                       const TransferProgress progress = parse_transfer_progress(object);
                       for (const std::string_view mark : {"Loaded image: ", "Loaded image ID: "}) {
                         if (auto name = text_after(progress.status, mark)) loaded.push_back(std::move(*name));
                       }
                       if (on_progress) on_progress(progress);
                     });
  return loaded;
}

Digest import_filesystem(const Context& ctx, Client& client, const FilesystemImport& import) {
  need_platform(ctx, client, import.platform, pull_platform_api, "a platform to import");
  Query query("/images/create");
  // Name and tag as one: podman 4.3 passes over the parameter `tag`.
  const bool has_tag = !import.repository.empty() && !import.tag.empty();
  query.set("fromSrc", "-").text("repo", has_tag ? import.repository + ":" + import.tag : import.repository).text("message", import.message);
  query.texts("changes", import.changes);
  if (import.platform) query.set("platform", import.platform->to_string());
  std::optional<Digest> id;
  client.post_stream(ctx, {.path = query.path(), .source = import.source, .headers = {}}, [&](const nlohmann::json& object) {
    if (const auto digest = image_id_member(object, "status")) id = digest;
  });
  if (!id) throw Error(ErrorCode::engine, "POST /images/create: the engine did not name the image that it imported");
  return *id;
}

}  // namespace drover::engine
