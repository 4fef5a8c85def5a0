#include "engine/settle.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/images.h"

#include <algorithm>

namespace drover::engine {
namespace {

// The engine's own words when it gets no answer from a registry (Go's net and http packages).
bool is_unreachable(const Error& error) {
  if (error.code() == ErrorCode::network) return true;
  const std::string_view text = error.what();
  for (const std::string_view sign : {"dial tcp", "no such host", "connection refused", "i/o timeout", "Client.Timeout", "TLS handshake",
                                      "network is unreachable", "no route to host"}) {
    if (text.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

bool settled_by(const LoadImage& image, const std::vector<std::string>& repo_digests) {
  const std::string wanted = image.reference.familiar_name() + "@" + image.root.digest.to_string();
  return std::find(repo_digests.begin(), repo_digests.end(), wanted) != repo_digests.end();
}

bool Settler::settle(const Context& ctx, const LoadImage& image, const std::string& registry_auth) {
  const std::string& registry = image.reference.registry();
  {
    const std::scoped_lock lock(mutex_);
    if (unreachable_.contains(registry)) return false;
  }
  try {
    return try_settle(ctx, image, registry_auth);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    const bool unreachable = is_unreachable(error);
    if (unreachable) {
      const std::scoped_lock lock(mutex_);
      if (!unreachable_.insert(registry).second) return false;  // said already
    }
    ctx.warn("the engine does not know " + image.reference.to_string() + " by its digest: " + error.what());
    return false;
  }
}

bool Settler::try_settle(const Context& ctx, const LoadImage& image, const std::string& registry_auth) {
  pull_manifest(ctx, client_,
                {.reference = image.reference, .digest = image.root.digest, .platform = image.image.platform, .registry_auth = registry_auth});
  const Digest& id = image.image.parsed.config.digest;
  std::optional<ImageDetails> found = find_image(ctx, client_, engine_name(image.reference));
  if (!found || found->id != id) {
    if (image.reference.digest()) return false;
    tag_image(ctx, client_, id, image.reference);
    found = find_image(ctx, client_, engine_name(image.reference));
  }
  return found && found->id == id && settled_by(image, found->repo_digests);
}

}  // namespace drover::engine
