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
constexpr ApiVersion pull_platform_api{1, 32};

std::vector<std::string> familiar_names(std::vector<std::string> names) {
  for (std::string& name : names) name = familiar_name_of(name);
  return names;
}

std::set<Digest> available_manifests(const nlohmann::json& image) {
  std::set<Digest> digests;
  const nlohmann::json& manifests = member(image, "Manifests");
  if (!manifests.is_array()) return digests;
  for (const nlohmann::json& manifest : manifests) {
    const std::optional<Digest> id = digest_member(manifest, "ID");
    if (id && flag_member(manifest, "Available") && text_member(manifest, "Kind") == "image") digests.insert(*id);
  }
  return digests;
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
                      .repo_tags = familiar_names(texts_member(image, "RepoTags")),
                      .repo_digests = familiar_names(texts_member(image, "RepoDigests")),
                      .available_manifests = available_manifests(image)});
  }
  return images;
}

std::optional<ImageDetails> parse_image_details(const nlohmann::json& answer) {
  const std::optional<Digest> id = digest_member(answer, "Id");
  if (!id) return std::nullopt;
  ImageDetails details{.id = *id,
                       .repo_tags = familiar_names(texts_member(answer, "RepoTags")),
                       .repo_digests = familiar_names(texts_member(answer, "RepoDigests")),
                       .diff_ids = {},
                       .platform = {},
                       .available_manifests = {}};
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

std::vector<ImageSummary> list_images(const Context& ctx, Client& client) {
  const bool with_manifests = client.api_version(ctx) >= manifests_api;
  return parse_image_list(client.get(ctx, with_manifests ? "/images/json?manifests=1" : "/images/json"));
}

std::optional<ImageDetails> find_image(const Context& ctx, Client& client, std::string_view name) {
  const bool with_manifests = client.api_version(ctx) >= inspect_manifests_api;
  try {
    return parse_image_details(client.get(ctx, "/images/" + std::string(name) + (with_manifests ? "/json?manifests=1" : "/json")));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) return std::nullopt;
    throw;
  }
}

void tag_image(const Context& ctx, Client& client, const Digest& id, const Reference& reference) {
  client.post(ctx, "/images/" + id.to_string() + "/tag?repo=" + percent_encode(reference.familiar_name()) +
                       "&tag=" + percent_encode(reference.tag().value_or("latest")), nullptr);
}

void pull_manifest(const Context& ctx, Client& client, const ManifestPull& pull) {
  Client::StreamRequest request;
  request.path = "/images/create?fromImage=" + percent_encode(pull.reference.name()) + "&tag=" + percent_encode(pull.digest.to_string());
  if (client.api_version(ctx) >= pull_platform_api) request.path += "&platform=" + percent_encode(pull.platform.to_string());
  if (!pull.registry_auth.empty()) request.headers.emplace_back("X-Registry-Auth", pull.registry_auth);
  request.silence_max = pull.silence_max;
  client.post_stream(ctx, request, [&](const nlohmann::json& object) {
    if (!is_layer_transfer(object)) return;
    throw Error(ErrorCode::refused, "the engine began to fetch layers of " + pull.reference.name() + "; ended that pull");
  });
}

}  // namespace drover::engine
