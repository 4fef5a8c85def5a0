// Images that `drover up` needs and the engine lacks, or has to ask for again: by pull policy. What is needed is decided by a
// pure function.
#pragma once

#include "base/context.h"
#include "compose/project.h"
#include "compose/project_state.h"
#include "engine/client.h"
#include "stack/prefetch.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::stack {

// pull_policy of a service, or --pull (Compose spec; every_<duration> as docker compose since 2.34).
struct PullPolicy {
  enum class Kind { missing, always, never, build, refresh } kind = Kind::missing;
  std::chrono::seconds age{0};  // of refresh: an image whose name was given to it longer ago is asked for again

  // "", "missing", "if_not_present", "always", "never", "build", "daily", "weekly", "every_1d12h". Throws usage for another text.
  static PullPolicy parse(std::string_view text);
};

struct ImageNeed {
  WantedImage image;
  enum class Why { missing, always, refresh } why = Why::missing;

  // What is in the store will do; else the registry is asked.
  bool may_come_from_store() const { return why == Why::missing; }
};

std::string to_text(const ImageNeed& need);  // "image redis:7 of web: not in the engine, fetched first"

// When the engine gave its name to an image, by the name; for services whose policy is refresh.
using TagTimes = std::map<std::string, std::optional<std::chrono::system_clock::time_point>>;

// By reference, then platform. `override_policy` is for all services (--pull). Throws refused, naming the service, for an image
// that is not there and may not be fetched (never), or would have to be built.
std::vector<ImageNeed> plan_images(const compose::Project& project,
                                   const std::map<std::string, compose::ImageFacts>& local,
                                   const TagTimes& tagged,
                                   const std::optional<PullPolicy>& override_policy,
                                   std::chrono::system_clock::time_point now);

// Names whose TagTimes the plan goes by.
std::vector<std::string> names_to_date(const compose::Project& project, const std::optional<PullPolicy>& override_policy);
TagTimes read_tag_times(const Context& ctx, engine::Client& client, const std::vector<std::string>& names);

// What the store holds whole, of those that may come from it, is loaded without asking a registry; the others are prefetched.
// Throws the first failure: an image that cannot be had ends the run before anything is touched.
std::vector<PrefetchedImage> fetch_images(const Context& ctx,
                                          registry::Client& registry,
                                          store::BlobStore& store,
                                          engine::Client& client,
                                          const std::vector<ImageNeed>& needs,
                                          const PrefetchOptions& options);

// Whether fetch_images could bring them: registries are asked what they would be asked then, and nothing is fetched. `engine` is where they
// would go. Throws what fails first; a registry that cannot be reached is a warning, since it may be by then.
void ask_for_images(const Context& ctx,
                    registry::Client& registry,
                    const store::BlobStore& store,
                    const Platform& engine,
                    const std::vector<ImageNeed>& needs,
                    const registry::PullOptions& options);

}  // namespace drover::stack
