#include "stack/up_images.h"

#include "base/parallel.h"
#include "base/text.h"
#include "compose/quantity.h"
#include "engine/images.h"
#include "engine/inventory.h"
#include "stack/platforms.h"
#include "stack/pull_groups.h"

#include <algorithm>
#include <set>
#include <utility>

namespace drover::stack {
namespace {

constexpr std::chrono::hours day{24};

PullPolicy policy_of(const compose::Service& service, const std::optional<PullPolicy>& override_policy) {
  return override_policy ? *override_policy : PullPolicy::parse(service.pull_policy);
}

// An image of another platform than the service asks for is as good as none.
bool has_wanted_platform(const compose::Service& service, const compose::ImageFacts& image) {
  if (!service.platform || image.platform.empty()) return true;
  const Platform wanted = Platform::parse(*service.platform);
  const Platform found = Platform::parse(image.platform);
  return wanted.os == found.os && wanted.architecture == found.architecture &&
         (wanted.variant.empty() || wanted.variant == found.variant);
}

Error cannot_fetch(const compose::Service& service, const std::string& image, PullPolicy::Kind kind) {
  const std::string what = "service " + service.name + ": image " + printable(image) + " is not in the engine";
  if (kind == PullPolicy::Kind::never) {
    return Error(ErrorCode::refused,
                 what + " and its pull policy is never; bring it there with drover prefetch " + printable(image));
  }
  return Error(ErrorCode::refused, what + ", and drover does not build; build it with docker compose build " + service.name);
}

std::optional<ImageNeed::Why> find_need(const compose::Service& service,
                                        const std::string& image,
                                        const PullPolicy& policy,
                                        bool is_local,
                                        const TagTimes& tagged,
                                        std::chrono::system_clock::time_point now) {
  using Kind = PullPolicy::Kind;
  const bool is_only_built = service.has_build && (!service.image || policy.kind == Kind::build);
  if (!is_local && (is_only_built || policy.kind == Kind::never || policy.kind == Kind::build))
    throw cannot_fetch(service, image, policy.kind);
  if (!is_local) return ImageNeed::Why::missing;
  if (is_only_built) return std::nullopt;
  if (policy.kind == Kind::always) return ImageNeed::Why::always;
  if (policy.kind == Kind::refresh) {
    const auto time = tagged.find(image);
    const bool is_young = time != tagged.end() && time->second && now - *time->second < policy.age;
    if (!is_young) return ImageNeed::Why::refresh;
  }
  return std::nullopt;
}

WantedImage wanted(const compose::Service& service, const std::string& image) {
  try {
    WantedImage wanted{.reference = Reference::parse(image), .platform = {}, .services = {service.name}};
    if (service.platform) wanted.platform = Platform::parse(*service.platform);
    return wanted;
  } catch (Error& error) {
    throw error.add_frame("service " + service.name);
  }
}

void add(std::vector<ImageNeed>& needs, ImageNeed need) {
  const auto same = std::find_if(needs.begin(), needs.end(), [&](const ImageNeed& each) {
    return each.image.reference == need.image.reference && each.image.platform == need.image.platform;
  });
  if (same == needs.end()) {
    needs.push_back(std::move(need));
    return;
  }
  same->image.services.push_back(need.image.services.front());
  if (same->may_come_from_store()) same->why = need.why;  // the registry has more to say than the store
}

// The image of the store for that need, if every byte of it is there.
std::optional<engine::LoadImage> find_in_store(const store::BlobStore& store, const ImageNeed& need, const Platform& platform) {
  const std::optional<store::Tag> tag = store.find_tag(need.image.reference.to_string());
  if (!tag) return std::nullopt;
  try {
    engine::LoadImage image = engine::find_load_image(store, need.image.reference, tag->descriptor, platform);
    for (const Descriptor& layer : image.image.parsed.layers) {
      if (!store.has(layer.digest, layer.size)) return std::nullopt;
    }
    return image;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    return std::nullopt;  // not this platform, or damaged: the registry will do
  }
}

PrefetchedImage load(const Context& ctx, engine::Loader& loader, const ImageNeed& need, const engine::LoadImage& image) {
  try {
    const engine::LoadOutcome outcome = loader.load(ctx, image, {.settle = engine::Settle::never, .registry_auth = {}});
    return {.wanted = need.image,
            .platform = image.image.platform,
            .digest = image.image.manifest.digest,
            .image_id = outcome.image_id,
            .state = outcome.state == engine::LoadOutcome::State::present ? PrefetchedImage::State::present
                                                                          : PrefetchedImage::State::loaded,
            .layers_total = outcome.layers_total,
            .layers_sent = outcome.layers_sent,
            .bytes_sent = outcome.bytes_sent,
            .error = {}};
  } catch (Error& error) {
    throw error.add_frame("cannot load " + need.image.reference.familiar());
  }
}

}  // namespace

PullPolicy PullPolicy::parse(std::string_view text) {
  using Kind = PullPolicy::Kind;
  if (text.empty() || text == "missing" || text == "if_not_present") return {.kind = Kind::missing};
  if (text == "always") return {.kind = Kind::always};
  if (text == "never") return {.kind = Kind::never};
  if (text == "build") return {.kind = Kind::build};
  if (text == "daily") return {.kind = Kind::refresh, .age = day};
  if (text == "weekly") return {.kind = Kind::refresh, .age = 7 * day};
  if (text.starts_with("every_")) {
    if (const auto age = compose::parse_duration(text.substr(6)); age && age->count() > 0)
      return {.kind = Kind::refresh, .age = std::chrono::duration_cast<std::chrono::seconds>(*age)};
  }
  throw Error(ErrorCode::usage,
              "pull policy " + printable(text) + ": not one of always, missing, never, build, daily, weekly, every_<duration>");
}

std::string to_text(const ImageNeed& need) {
  constexpr std::string_view reasons[] = {"not in the engine", "its pull policy is always",
                                          "older than its pull policy allows"};
  return "image " + need.image.reference.familiar() + " of " + join(need.image.services, ", ") + ": " +
         std::string(reasons[static_cast<int>(need.why)]) + ", fetched first";
}

std::vector<ImageNeed> plan_images(const compose::Project& project,
                                   const std::map<std::string, compose::ImageFacts>& local,
                                   const TagTimes& tagged,
                                   const std::optional<PullPolicy>& override_policy,
                                   std::chrono::system_clock::time_point now) {
  std::vector<ImageNeed> needs;
  for (const compose::Service& service : project.services) {
    const std::string image = compose::image_of(project, service);
    const auto found = local.find(image);
    const bool is_local = found != local.end() && has_wanted_platform(service, found->second);
    const auto why = find_need(service, image, policy_of(service, override_policy), is_local, tagged, now);
    if (why) add(needs, {.image = wanted(service, image), .why = *why});
  }
  std::sort(needs.begin(), needs.end(), [](const ImageNeed& a, const ImageNeed& b) {
    return std::tie(a.image.reference, a.image.platform) < std::tie(b.image.reference, b.image.platform);
  });
  return needs;
}

std::vector<std::string> names_to_date(const compose::Project& project, const std::optional<PullPolicy>& override_policy) {
  std::set<std::string> names;
  for (const compose::Service& service : project.services) {
    if (policy_of(service, override_policy).kind == PullPolicy::Kind::refresh) names.insert(compose::image_of(project, service));
  }
  return {names.begin(), names.end()};
}

TagTimes read_tag_times(const Context& ctx, engine::Client& client, const std::vector<std::string>& names) {
  TagTimes times;
  for (const std::string& name : names) {
    const std::optional<engine::ImageDetails> image = engine::find_image(ctx, client, name);
    if (image && image->last_tag_time) times[name] = *image->last_tag_time;
  }
  return times;
}

void ask_for_images(const Context& ctx,
                    registry::Client& registry,
                    const store::BlobStore& store,
                    const Platform& engine,
                    const std::vector<ImageNeed>& needs,
                    const registry::PullOptions& options) {
  std::vector<WantedImage> asked;
  std::vector<LoadTarget> targets;
  for (const ImageNeed& need : needs) {
    const LoadTarget target = choose_load_target(need.image.platform, engine, options.platforms);
    if (need.may_come_from_store() && find_in_store(store, need, target.platform)) continue;
    asked.push_back(need.image);
    targets.push_back(target);
  }
  std::vector<GroupPull> groups = group_pulls(targets, asked, options);
  resolve_groups(ctx, registry, store, groups);
  for (const GroupPull& group : groups) {
    for (const registry::Resolutions::One& one : group.resolutions->list) {
      if (!one.error) continue;
      const bool is_unreachable = one.error->code() == ErrorCode::network && one.error->http_status == 0;
      if (!is_unreachable) throw Error(*one.error);
      ctx.warn(std::string("not known whether the registry has it: ") + one.error->what());
    }
  }
}

std::vector<PrefetchedImage> fetch_images(const Context& ctx,
                                          registry::Client& registry,
                                          store::BlobStore& store,
                                          engine::Client& client,
                                          const std::vector<ImageNeed>& needs,
                                          const PrefetchOptions& options) {
  std::vector<PrefetchedImage> fetched;
  std::vector<WantedImage> asked;
  engine::Inventory inventory = engine::take_inventory(ctx, client, options.pull.jobs);
  const Platform platform = inventory.platform;
  engine::Loader loader(client, store, std::move(inventory));
  for (const ImageNeed& need : needs) {
    const Platform own = choose_load_target(need.image.platform, platform, options.pull.platforms).platform;
    const auto stored = need.may_come_from_store() ? find_in_store(store, need, own) : std::nullopt;
    if (stored) {
      fetched.push_back(load(ctx, loader, need, *stored));
    } else {
      asked.push_back(need.image);
    }
  }
  if (asked.empty()) return fetched;
  const PrefetchReport report = prefetch(ctx, registry, store, &client, asked, options);
  for (const PrefetchedImage& image : report.images) {
    if (image.error) throw *image.error;
    fetched.push_back(image);
  }
  return fetched;
}

}  // namespace drover::stack
