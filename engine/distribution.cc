#include "engine/distribution.h"

#include "base/error.h"
#include "engine/json_fields.h"
#include "engine/query.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

constexpr ApiVersion distribution_api{1, 30};

}  // namespace

DistributionImage parse_distribution(const nlohmann::json& answer) {
  const nlohmann::json& descriptor = member(answer, "Descriptor");
  DistributionImage out{.media_type = text_member(descriptor, "mediaType"),
                        .digest = digest_member(descriptor, "digest"),
                        .size_bytes = number_member(descriptor, "size"),
                        .platforms = {}};
  for (const nlohmann::json& entry : items_member(answer, "Platforms")) {
    Platform platform;
    platform.os = text_member(entry, "os");
    platform.architecture = text_member(entry, "architecture");
    platform.variant = text_member(entry, "variant");
    if (!platform.os.empty()) out.platforms.push_back(normalise(platform));
  }
  return out;
}

std::optional<DistributionImage> find_in_registry(const Context& ctx, Client& client, const Reference& reference,
                                                  const DistributionOptions& options) {
  client.require(ctx, distribution_api, "asking a registry by way of the engine");
  Client::Call call{.path = image_path(reference.familiar(), "json", "distribution")};
  if (!options.registry_auth.empty()) call.headers.emplace_back("X-Registry-Auth", options.registry_auth);
  try {
    return parse_distribution(client.exchange_json(ctx, call));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) return std::nullopt;
    throw;
  }
}

}  // namespace drover::engine
