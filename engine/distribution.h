// What a registry has, asked by way of the engine: GET /distribution/{name}/json, API 1.30. Errors are the Client's.
//
// Only for engines that reach registries which this machine does not: the registry room asks for more, and itself.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "manifest/platform.h"
#include "manifest/reference.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::engine {

struct DistributionImage {
  std::string media_type = {};           // of the index or manifest
  std::optional<Digest> digest = {};
  std::int64_t size_bytes = 0;
  std::vector<Platform> platforms = {};  // normalised; engines up to 28.5 tell none of a single OCI manifest
};

struct DistributionOptions {
  std::string registry_auth = {};  // to_registry_auth(); empty: none
};

// Nothing when the registry has no such image; a registry that wants a login answers 401 or 403 (EngineFailure).
std::optional<DistributionImage> find_in_registry(const Context& ctx, Client& client, const Reference& reference,
                                                  const DistributionOptions& options = {});

// Pure; absent and null members are fine.
DistributionImage parse_distribution(const nlohmann::json& answer);

}  // namespace drover::engine
