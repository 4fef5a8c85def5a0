#include "stack/check.h"

#include "base/parallel.h"
#include "base/text.h"
#include "compose/labels.h"
#include "engine/containers.h"
#include "manifest/manifest.h"
#include "manifest/selection.h"
#include "stack/compare.h"

#include <algorithm>
#include <utility>

namespace drover::stack {
namespace {

// From here on an engine's list of images names the manifests of each.
constexpr engine::ApiVersion manifests_listed_api{1, 47};

bool names_reference(const engine::ContainerSummary& container, const Reference& reference) {
  try {
    return Reference::parse(container.image_reference) == reference;
  } catch (const Error&) {
    return false;  // an image ID, or a name that docker would not take today
  }
}

bool serves(const engine::ContainerSummary& container, const WantedImage& wanted, const std::string& project_name) {
  if (container.state != "running" && container.state != "restarting" && container.state != "paused") return false;
  if (wanted.services.empty() || project_name.empty()) return names_reference(container, wanted.reference);
  if (compose::is_one_off(container.labels)) return false;  // they are no part of the stack
  const std::string service = compose::label_of(container.labels, compose::service_label);
  return compose::label_of(container.labels, compose::project_label) == project_name &&
         std::find(wanted.services.begin(), wanted.services.end(), service) != wanted.services.end();
}

// Everything that is the same for all images of one check.
struct Surroundings {
  registry::Client& registry;
  const store::BlobStore* store;
  std::optional<engine::Inventory> inventory;
  std::vector<engine::ContainerSummary> containers;
  const std::string& project_name;
};

Held held_by(const engine::EngineImage& image) {
  return {.id = image.id, .repo_digests = image.repo_digests, .platform = image.platform};
}

std::optional<Held> find_local(const engine::Inventory& inventory, const Reference& reference) {
  // What is not unpacked has to be loaded again, as if it were not there.
  const auto held_or_none = [](const engine::EngineImage* image) {
    return image == nullptr || !image->is_startable ? std::nullopt : std::optional(held_by(*image));
  };
  if (reference.digest()) {
    const std::string wanted = reference.familiar_name() + "@" + reference.digest()->to_string();
    for (const engine::EngineImage& image : inventory.images) {
      if (std::find(image.repo_digests.begin(), image.repo_digests.end(), wanted) != image.repo_digests.end()) return held_or_none(&image);
    }
    if (const auto* image = inventory.find_image_by_id(*reference.digest())) return held_or_none(image);
    if (!reference.tag()) return std::nullopt;
  }
  return held_or_none(inventory.find_image(reference.without_digest().familiar()));
}

std::vector<Held> find_running(const Surroundings& around, const WantedImage& wanted) {
  std::vector<Held> running;
  for (const engine::ContainerSummary& container : around.containers) {
    if (!container.image_id || !serves(container, wanted, around.project_name)) continue;
    const auto* image = around.inventory->find_image_by_id(*container.image_id);
    Held held = image != nullptr ? held_by(*image) : Held{.id = *container.image_id, .repo_digests = {}};
    if (std::none_of(running.begin(), running.end(), [&](const Held& known) { return known.id == held.id; })) {
      running.push_back(std::move(held));
    }
  }
  return running;
}

// The platform's manifest under an index or manifest that is held; nothing when it has none.
std::optional<Digest> select_digest(const Document& document, const Digest& root, const Platform& platform) {
  if (std::holds_alternative<Manifest>(document)) return root;
  const Selection selection = select_manifest(std::get<Index>(document), platform);
  return selection.chosen ? std::optional(selection.chosen->digest) : std::nullopt;
}

std::optional<Document> read_held(const Context& ctx, const store::BlobStore* store, const Digest& root) {
  if (store == nullptr || !store->find_size(root)) return std::nullopt;
  try {
    return parse_document(store->read(root, manifest_bytes_max), "");
  } catch (const Error& error) {
    ctx.debug("cannot read " + root.to_string() + " from the store: " + error.what());
    return std::nullopt;
  }
}

// Registries keep what was pushed, mostly.
std::optional<Document> fetch_held(const Context& ctx, registry::Client& registry, const Reference& reference, const Digest& root) {
  try {
    return registry.fetch_manifest(ctx, reference.without_digest().with_digest(root)).document;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    ctx.debug("cannot read " + root.to_string() + " from the registry: " + error.what());
    return std::nullopt;
  }
}

bool is_same(const Context& ctx, const Surroundings& around, const Held& held, const CheckedImage& checked, const Available& available) {
  if (!held.may_serve(checked.platform)) return false;
  switch (compare(held, available, around.inventory->store)) {
    case Sameness::same: return true;
    case Sameness::different: return false;
    case Sameness::unsure: break;
  }
  // An index that the registry no longer names: is it only another platform that changed? That the engine has the new manifest proves
  // nothing, another tag may have brought it; that it lacks the manifest does, where it lists them.
  const engine::Inventory& inventory = *around.inventory;
  std::optional<Document> document = read_held(ctx, around.store, held.id);
  if (!document && inventory.api >= manifests_listed_api && !inventory.blobs.contains(*available.manifest)) return false;
  if (!document) document = fetch_held(ctx, around.registry, checked.wanted.reference, held.id);
  if (document) return select_digest(*document, held.id, checked.platform) == available.manifest;
  return inventory.blobs.contains(*available.manifest);
}

bool all_same_by_head(const std::vector<Held>& deciding, const Platform& platform, const Available& available, engine::StoreKind store) {
  return !deciding.empty() && std::all_of(deciding.begin(), deciding.end(), [&](const Held& held) {
    return held.may_serve(platform) && compare(held, available, store) == Sameness::same;
  });
}

// The platform's digests; nothing when the registry has no image that runs there.
std::optional<Available> find_available(const Context& ctx, const Surroundings& around, const Reference& reference, const Platform& platform) {
  const registry::ResolvedReference resolved = registry::resolve(ctx, around.registry, reference, {.all = false, .wanted = {platform}}, around.store);
  if (resolved.images.empty()) return std::nullopt;
  const registry::ResolvedImage& image = resolved.images.front();
  Available available{.root = resolved.root.descriptor.digest, .manifest = image.manifest.descriptor.digest, .config = {}};
  if (const auto* manifest = std::get_if<Manifest>(&image.manifest.document)) available.config = manifest->config.digest;
  return available;
}

void check_engine(const Context& ctx, const Surroundings& around, CheckedImage& checked) {
  const Reference& reference = checked.wanted.reference;
  const std::optional<Held> local = find_local(*around.inventory, reference);
  const std::vector<Held> running = find_running(around, checked.wanted);
  if (local) checked.local = shown_digest(*local, reference.familiar_name()).to_string();
  if (!running.empty()) checked.running = shown_digest(running.front(), reference.familiar_name()).to_string();
  std::vector<Held> deciding = running;  // what runs decides; the tag only when nothing runs
  if (deciding.empty() && local) deciding.push_back(*local);

  const auto head = around.registry.head_manifest(ctx, reference);
  if (head && all_same_by_head(deciding, checked.platform, {.root = head->digest, .manifest = {}, .config = {}}, around.inventory->store)) {
    checked.available = head->digest.to_string();
    checked.state = UpdateState::current;
    return;
  }
  const auto available = find_available(ctx, around, reference, checked.platform);
  if (!available) {
    checked.state = UpdateState::no_platform;
    return;
  }
  checked.available = available->manifest->to_string();
  if (local && is_same(ctx, around, *local, checked, *available)) checked.local = checked.available;
  checked.state = deciding.empty() ? UpdateState::missing : UpdateState::current;
  bool is_first_stale = true;
  for (const Held& held : deciding) {
    const bool same = is_same(ctx, around, held, checked, *available);
    if (!same) checked.state = UpdateState::update;
    if (running.empty()) continue;
    if (same && is_first_stale) checked.running = checked.available;
    if (!same && std::exchange(is_first_stale, false)) checked.running = shown_digest(held, reference.familiar_name()).to_string();
  }
}

std::optional<Digest> stored_platform_digest(const store::BlobStore& store, const Descriptor& root, const Platform& platform) {
  std::optional<Digest> best;
  std::size_t best_rank = SIZE_MAX;
  for (const store::Closure::Image& image : store::read_closure(store, root).images) {
    const auto rank = match_rank(platform, image.platform);
    if (rank && *rank < best_rank) {
      best = image.manifest.digest;
      best_rank = *rank;
    }
  }
  return best;
}

void check_store(const Context& ctx, const Surroundings& around, CheckedImage& checked) {
  const Reference& reference = checked.wanted.reference;
  const auto tag = around.store == nullptr ? std::nullopt : around.store->find_tag(reference.to_string());
  const auto local = tag ? stored_platform_digest(*around.store, tag->descriptor, checked.platform) : std::nullopt;
  if (local) checked.local = local->to_string();

  const auto head = around.registry.head_manifest(ctx, reference);
  if (head && local && head->digest == tag->descriptor.digest) {
    checked.available = checked.local;
    checked.state = UpdateState::current;
    return;
  }
  const auto available = find_available(ctx, around, reference, checked.platform);
  if (!available) {
    checked.state = UpdateState::no_platform;
    return;
  }
  checked.available = available->manifest->to_string();
  if (!local) {
    checked.state = UpdateState::missing;
  } else {
    checked.state = local == available->manifest ? UpdateState::current : UpdateState::update;
  }
}

}  // namespace

std::string_view to_string(UpdateState state) {
  switch (state) {
    case UpdateState::current: return "current";
    case UpdateState::update: return "update";
    case UpdateState::missing: return "missing";
    case UpdateState::no_platform: return "no-platform";
    case UpdateState::unknown: return "unknown";
  }
  return "unknown";
}

std::vector<CheckedImage> check(const Context& ctx, registry::Client& registry, const store::BlobStore* store, engine::Client* engine,
                                const std::string& project_name, const std::vector<WantedImage>& images, std::size_t jobs) {
  Surroundings around{.registry = registry, .store = store, .inventory = {}, .containers = {}, .project_name = project_name};
  if (engine != nullptr) {
    around.inventory = engine::take_inventory(ctx, *engine, jobs);
    around.containers = engine::list_containers(ctx, *engine);
  }
  const Platform platform = around.inventory ? around.inventory->platform : Platform::host();

  std::vector<CheckedImage> checked;
  checked.reserve(images.size());
  for (const WantedImage& image : images) {
    checked.push_back({.wanted = image, .platform = image.platform.value_or(platform), .running = {}, .local = {}, .available = {},
                       .error = {}});
  }
  parallel_for_each(ctx, images.size(), jobs, [&](const Context& inner, std::size_t i) {
    try {
      around.inventory ? check_engine(inner, around, checked[i]) : check_store(inner, around, checked[i]);
    } catch (Error& error) {
      if (error.code() == ErrorCode::interrupted) throw;
      checked[i].state = UpdateState::unknown;
      checked[i].error = error.add_frame("cannot check " + images[i].reference.to_string());
    }
  });
  return checked;
}

}  // namespace drover::stack
