// Makes an image that was loaded indistinguishable from a pulled one: the classic store learns RepoDigests only from a pull.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/load.h"

#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace drover::engine {

// Whether these RepoDigests name what the registry named: the image's root under the reference's name.
bool settled_by(const LoadImage& image, const std::vector<std::string>& repo_digests);

// Thread-safe. A registry that this engine could not reach is not asked again.
class Settler {
 public:
  explicit Settler(Client& client) : client_(client) {}

  // Pulls the root by digest, which moves manifests alone and touches no tag; afterwards the tag is checked to name our image, and
  // set back if it does not. Returns whether RepoDigests are true now; failure is a warning, as the image is usable without.
  // Throws interrupted only.
  bool settle(const Context& ctx, const LoadImage& image, const std::string& registry_auth);

 private:
  bool try_settle(const Context& ctx, const LoadImage& image, const std::string& registry_auth);

  Client& client_;
  std::mutex mutex_;
  std::set<std::string> unreachable_;
};

}  // namespace drover::engine
