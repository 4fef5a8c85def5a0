#include "cli/bench_guests.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/upload.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string_view>
#include <thread>

namespace drover::cli {
namespace {

constexpr std::chrono::milliseconds look_interval{250};
constexpr int looks_max = 12;  // of one that has all of an archive whose sender is gone, and goes on

std::optional<Digest> digest_in(std::string_view repo_digest) {
  const std::size_t at = repo_digest.rfind('@');
  return at == std::string_view::npos ? std::nullopt : Digest::try_parse(repo_digest.substr(at + 1));
}

bool is_known(const GuestImage& guest, const engine::ImageSummary& image) {
  if (guest.ids.contains(image.id) || guest.parts.contains(image.id)) return true;
  const bool by_digest = std::any_of(image.repo_digests.begin(), image.repo_digests.end(), [&](const std::string& name) {
    const std::optional<Digest> digest = digest_in(name);
    return digest && guest.ids.contains(*digest);
  });
  return by_digest || std::any_of(image.available_manifests.begin(), image.available_manifests.end(),
                                  [&](const auto& held) { return guest.ids.contains(held.first); });
}

// Nothing: it has a digest alone, and an engine that loads or pulls it gives no tag.
std::optional<std::string> tag_of(const GuestImage& guest) {
  if (!guest.reference.tag() && guest.reference.digest()) return std::nullopt;
  return guest.reference.without_digest().familiar();
}

bool is_named(const GuestImage& guest, const engine::ImageSummary& image) {
  const std::optional<std::string> name = tag_of(guest);
  return name && std::find(image.repo_tags.begin(), image.repo_tags.end(), *name) != image.repo_tags.end();
}

bool stands_on(const engine::ContainerSummary& container, const GuestImage& guest) {
  if (container.image_id && guest.ids.contains(*container.image_id)) return true;
  if (container.image_manifest && guest.ids.contains(*container.image_manifest)) return true;
  return engine::familiar_name_of(container.image_reference) == tag_of(guest);
}

void remove_what_came(const Context& ctx, engine::Client& client, const std::set<Digest>& ids) {
  for (const Digest& id : ids) {
    const std::optional<engine::ImageDetails> found = engine::find_image(ctx, client, id.to_string());
    if (!found || !ids.contains(found->id)) continue;
    engine::remove_image(ctx, client, found->id.to_string());
  }
}

}  // namespace

GuestImage guest_of(const engine::LoadImage& image) {
  GuestImage guest{.reference = image.reference,
                   .ids = {image.root.digest, image.image.manifest.digest, image.image.parsed.config.digest}};
  for (std::size_t layers = 1; layers < image.image.parsed.layers.size(); ++layers) {
    guest.parts.insert(Digest::of(engine::partial_config(image, layers)));
  }
  return guest;
}

std::vector<std::string> find_conflicts(const std::vector<GuestImage>& guests, const EngineContent& content) {
  std::vector<std::string> conflicts;
  std::map<Digest, const GuestImage*> seen;
  for (const GuestImage& guest : guests) {
    const std::string name = guest.reference.familiar();
    for (const engine::ImageSummary& image : content.images) {
      if (is_known(guest, image))
        conflicts.push_back("the engine has " + name + " already, as " + image.id.short_hex());
      else if (is_named(guest, image))
        conflicts.push_back("the engine has another image named " + name + ", " + image.id.short_hex());
    }
    for (const engine::ContainerSummary& container : content.containers) {
      if (stands_on(container, guest)) conflicts.push_back("container " + printable(container.name) + " uses " + name);
    }
    for (const Digest& id : guest.ids) {
      const auto [other, is_new] = seen.emplace(id, &guest);
      if (is_new || other->second == &guest) continue;
      conflicts.push_back(other->second->reference.familiar() + " and " + name + " are one image");
      break;
    }
  }
  return conflicts;
}

void require_absent(Session& session, const std::vector<GuestImage>& guests) {
  EngineContent content;
  try {
    content = {.images = engine::list_images(session.ctx(), session.engine(), {.all = true}),
               .containers = engine::list_containers(session.ctx(), session.engine())};
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted || error.code() == ErrorCode::usage) throw;
    throw Error(ErrorCode::refused, std::string("nothing was measured, the engine cannot be used: ") + error.what());
  }
  const std::vector<std::string> conflicts = find_conflicts(guests, content);
  if (conflicts.empty()) return;
  throw Error(ErrorCode::data_safety,
              "nothing was loaded, since what a benchmark loads it removes again: " + join(conflicts, "; ") +
                  "; take images that this engine has not, or another engine with --host");
}

void remove_guests(const Context& ctx, engine::Client& client, const std::vector<GuestImage>& guests, RoundEnd end) try {
  const Context unstoppable = ctx.without_stop();
  std::optional<Error> failure;  // the first: one that somebody uses meanwhile does not keep the others there
  const auto try_all = [&](const auto& remove) {
    try {
      remove();
    } catch (const Error& error) {
      if (!failure) failure = error;
    }
  };
  for (int looks = 0; looks == 0 || (end == RoundEnd::cut && looks < looks_max); ++looks) {
    if (looks > 0) std::this_thread::sleep_for(look_interval);
    for (const GuestImage& guest : guests) try_all([&] { remove_what_came(unstoppable, client, guest.ids); });
  }
  // A load that went well has removed them itself.
  for (const GuestImage& guest : guests) {
    if (end != RoundEnd::good) try_all([&] { remove_what_came(unstoppable, client, guest.parts); });
  }
  if (failure) throw Error(*failure);
  for (const GuestImage& guest : guests) {
    const std::string name = engine::engine_name(guest.reference);
    const std::optional<engine::ImageDetails> left = engine::find_image(unstoppable, client, name);
    if (!left) continue;
    throw Error(ErrorCode::data_safety, "the engine has " + left->id.to_string() + " as " + name +
                                            " now, which is not what was measured; it is left alone, see who brought it");
  }

} catch (Error& error) {

  throw error.add_frame("cannot put the engine back as it was");
}

std::vector<std::string> docker_words(const Settings& settings) {
  if (settings.endpoint.host) return {"-H", *settings.endpoint.host};
  if (settings.endpoint.context) return {"--context", *settings.endpoint.context};
  return {};
}

}  // namespace drover::cli
