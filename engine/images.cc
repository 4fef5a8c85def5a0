#include "engine/images.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/json_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::engine {
namespace {

constexpr ApiVersion manifests_api{1, 47};
constexpr ApiVersion inspect_manifests_api{1, 48};
constexpr ApiVersion pulled_platform_api{1, 32};
constexpr ApiVersion image_prune_api{1, 25};
constexpr ApiVersion shared_size_api{1, 42};

// An engine below API 1.43 writes "<none>:<none>" and "<none>@<none>" where there is no name.
std::vector<std::string> familiar_names(std::vector<std::string> names) {
  std::erase_if(names, [](const std::string& name) { return name.find("<none>") != std::string::npos; });
  for (std::string& name : names) name = familiar_name_of(name);
  return names;
}

// Podman lists digests among the tags.
std::vector<std::string> repo_tags(const nlohmann::json& image) {
  std::vector<std::string> tags = texts_member(image, "RepoTags");
  std::erase_if(tags, [](const std::string& tag) { return tag.find('@') != std::string::npos; });
  return familiar_names(std::move(tags));
}

Platform platform_member(const nlohmann::json& object) {
  Platform platform;
  platform.os = text_member(object, "os");
  platform.architecture = text_member(object, "architecture");
  platform.variant = text_member(object, "variant");
  return platform.os.empty() ? platform : normalise(platform);
}

HeldManifests available_manifests(const nlohmann::json& image) {
  HeldManifests held;
  const nlohmann::json& manifests = member(image, "Manifests");
  if (!manifests.is_array()) return held;
  for (const nlohmann::json& manifest : manifests) {
    const std::optional<Digest> id = digest_member(manifest, "ID");
    if (!id || !flag_member(manifest, "Available") || text_member(manifest, "Kind") != "image") continue;
    const nlohmann::json& data = member(manifest, "ImageData");
    held.emplace(*id, HeldManifest{.platform = platform_member(member(data, "Platform")),
                                   .packed_bytes = number_member(member(manifest, "Size"), "Content"),
                                   .unpacked_bytes = find_number_member(member(data, "Size"), "Unpacked")});
  }
  return held;
}

// -1: the engine did not count.
std::optional<std::int64_t> counted(const nlohmann::json& object, const char* name) {
  const auto number = find_number_member(object, name);
  return number && *number >= 0 ? number : std::nullopt;
}

// Statuses by which a pull tells that it moves layers: dockerd 20.10 to 28 alike, both stores.
bool is_layer_transfer(const nlohmann::json& object) {
  const std::string status = text_member(object, "status");
  return status == "Pulling fs layer" || status == "Downloading" || status == "Extracting" || status == "Download complete";
}

}  // namespace

std::string familiar_name_of(std::string_view name) {
  try {
    return Reference::parse(name).familiar();
  } catch (const Error&) {
    return std::string(name);
  }
}

std::vector<ImageSummary> parse_image_list(const nlohmann::json& answer) {
  std::vector<ImageSummary> images;
  if (!answer.is_array()) return images;
  for (const nlohmann::json& image : answer) {
    const std::optional<Digest> id = digest_member(image, "Id");
    if (!id) continue;
    images.push_back({.id = *id,
                      .repo_tags = repo_tags(image),
                      .repo_digests = familiar_names(texts_member(image, "RepoDigests")),
                      .available_manifests = available_manifests(image),
                      .parent_id = digest_member(image, "ParentId"),
                      .created = time_member(image, "Created"),
                      .size_bytes = number_member(image, "Size"),
                      .shared_size_bytes = counted(image, "SharedSize"),
                      .containers = counted(image, "Containers"),
                      .labels = map_member(image, "Labels")});
  }
  return images;
}

std::optional<ImageDetails> parse_image_details(const nlohmann::json& answer) {
  const std::optional<Digest> id = digest_member(answer, "Id");
  if (!id) return std::nullopt;
  ImageDetails details{.id = *id,
                       .repo_tags = repo_tags(answer),
                       .repo_digests = familiar_names(texts_member(answer, "RepoDigests")),
                       .diff_ids = {},
                       .platform = {},
                       .available_manifests = {},
                       .parent_id = digest_member(answer, "Parent"),
                       .created = time_member(answer, "Created"),
                       .last_tag_time = time_member(member(answer, "Metadata"), "LastTagTime"),
                       .author = text_member(answer, "Author"),
                       .comment = text_member(answer, "Comment"),
                       .size_bytes = number_member(answer, "Size"),
                       .config = parse_container_config(member(answer, "Config"))};
  if (member(answer, "Manifests").is_array()) details.available_manifests = available_manifests(answer);
  const nlohmann::json& root = member(answer, "RootFS");
  for (const std::string& text : texts_member(root, "Layers")) {
    const std::optional<Digest> diff_id = Digest::try_parse(text);
    if (!diff_id) {
      details.diff_ids.clear();  // half a chain names other layers
      break;
    }
    details.diff_ids.push_back(*diff_id);
  }
  details.platform.os = text_member(answer, "Os");
  details.platform.architecture = text_member(answer, "Architecture");
  details.platform.variant = text_member(answer, "Variant");
  if (!details.platform.os.empty()) details.platform = normalise(details.platform);
  return details;
}

bool is_dangling(const ImageSummary& image, StoreKind store) {
  if (!image.repo_tags.empty()) return false;
  if (store == StoreKind::classic) return true;
  const auto is_placeholder = [](const std::string& name) { return name.starts_with("moby-dangling@"); };
  return std::all_of(image.repo_digests.begin(), image.repo_digests.end(), is_placeholder);
}

std::vector<HistoryStep> parse_image_history(const nlohmann::json& answer) {
  std::vector<HistoryStep> steps;
  if (!answer.is_array()) return steps;
  for (const nlohmann::json& step : answer) {
    steps.push_back({.id = digest_member(step, "Id"),
                     .created = time_member(step, "Created"),
                     .created_by = text_member(step, "CreatedBy"),
                     .tags = familiar_names(texts_member(step, "Tags")),
                     .size_bytes = number_member(step, "Size"),
                     .comment = text_member(step, "Comment")});
  }
  return steps;
}

ImageRemoval parse_image_removal(const nlohmann::json& answer) {
  ImageRemoval out;
  // A removal is a list; a prune has it in ImagesDeleted, which is null when there was nothing.
  for (const nlohmann::json& entry : answer.is_array()
                                         ? std::vector<std::reference_wrapper<const nlohmann::json>>(answer.begin(), answer.end())
                                         : items_member(answer, "ImagesDeleted")) {
    if (std::string name = text_member(entry, "Untagged"); !name.empty()) out.untagged.push_back(familiar_name_of(name));
    if (std::string id = text_member(entry, "Deleted"); !id.empty()) out.removed.push_back(std::move(id));
  }
  out.reclaimed_bytes = number_member(answer, "SpaceReclaimed");
  return out;
}

std::vector<FoundImage> parse_found_images(const nlohmann::json& answer) {
  std::vector<FoundImage> images;
  if (!answer.is_array()) return images;
  for (const nlohmann::json& entry : answer) {
    images.push_back({.name = text_member(entry, "name"),
                      .description = text_member(entry, "description"),
                      .stars = number_member(entry, "star_count"),
                      .is_official = flag_member(entry, "is_official")});
  }
  return images;
}

std::vector<ImageSummary> list_images(const Context& ctx, Client& client, const ImageListOptions& options) {
  if (options.with_shared_sizes) client.require(ctx, shared_size_api, "the shared size of images");
  Query query("/images/json");
  query.flag("all", options.all).flag("shared-size", options.with_shared_sizes).filters(options.filters);
  query.flag("manifests", client.api_version(ctx) >= manifests_api);
  return parse_image_list(client.get(ctx, query.path(), options.with_shared_sizes ? long_work_silence_max : std::chrono::minutes(1)));
}

std::optional<ImageDetails> find_image(const Context& ctx, Client& client, std::string_view name) {
  const bool with_manifests = client.api_version(ctx) >= inspect_manifests_api;
  return parse_image_details(client.find(ctx, Query(image_path(name, "json")).flag("manifests", with_manifests).path()));
}

std::vector<HistoryStep> read_image_history(const Context& ctx, Client& client, std::string_view name) {
  return parse_image_history(client.get(ctx, image_path(name, "history")));
}

ImageRemoval remove_image(const Context& ctx, Client& client, std::string_view name, const RemoveImageOptions& options) {
  const Query query = Query(image_path(name)).flag("force", options.force).flag("noprune", !options.prune_parents);
  return parse_image_removal(client.remove(ctx, query.path()));
}

ImageRemoval prune_images(const Context& ctx, Client& client, const Filters& filters) {
  client.require(ctx, image_prune_api, "pruning images");
  return parse_image_removal(client.post(ctx, Query("/images/prune").filters(filters).path(), nullptr, long_work_silence_max));
}

std::vector<FoundImage> search_images(const Context& ctx, Client& client, std::string_view term, const SearchOptions& options) {
  Client::Call call{.path =
                        Query("/images/search").set("term", term).number("limit", options.limit).filters(options.filters).path()};
  if (!options.registry_auth.empty()) call.headers.emplace_back("X-Registry-Auth", options.registry_auth);
  return parse_found_images(client.exchange_json(ctx, call));
}

Digest commit_container(const Context& ctx, Client& client, const CommitRequest& request) {
  Query query("/commit");
  query.set("container", request.container).text("repo", request.repository).text("tag", request.tag);
  query.text("author", request.author).text("comment", request.comment).texts("changes", request.changes);
  query.set("pause", request.pause ? "1" : "0");
  const std::optional<Digest> id =
      image_id_member(client.post(ctx, query.path(), nlohmann::json::object(), long_work_silence_max), "Id");
  if (!id) throw Error(ErrorCode::engine, "POST /commit: the engine did not name the image that it made");
  return *id;
}

void tag_image(const Context& ctx, Client& client, const Digest& id, const Reference& reference) {
  const Query query = Query(image_path(id.to_string(), "tag"))
                          .set("repo", reference.familiar_name())
                          .set("tag", reference.tag().value_or("latest"));
  client.post(ctx, query.path(), nullptr);
}

void pull_manifest(const Context& ctx, Client& client, const ManifestPull& pull) {
  Client::StreamRequest request;
  Query query("/images/create");
  query.set("fromImage", pull.reference.name()).set("tag", pull.digest.to_string());
  if (client.api_version(ctx) >= pulled_platform_api) query.set("platform", pull.platform.to_string());
  request.path = query.path();
  if (!pull.registry_auth.empty()) request.headers.emplace_back("X-Registry-Auth", pull.registry_auth);
  request.silence_max = pull.silence_max;
  client.post_stream(ctx, request, [&](const nlohmann::json& object) {
    if (!is_layer_transfer(object)) return;
    throw Error(ErrorCode::refused, "the engine began to fetch layers of " + pull.reference.name() + "; ended that pull");
  });
}

}  // namespace drover::engine
