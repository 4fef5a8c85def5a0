#include "cli/command.h"
#include "cli/render.h"
#include "cli/session.h"
#include "cli/stored_tag.h"

#include "base/parallel.h"
#include "engine/load.h"
#include "stack/platforms.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <vector>

namespace drover::cli {
namespace {

constexpr std::size_t loads_at_once = 12;  // the engine extracts one layer of an image at a time; several images keep its cores busy

struct Loading {
  const store::BlobStore& store;
  Platform platform;
  std::vector<LoadedImage> images;
};

engine::LoadImage find_image(const Loading& loading, const LoadedImage& image) {
  const store::Tag tag = find_stored_tag(loading.store, image.reference);
  return engine::find_load_image(loading.store, image.reference, tag.descriptor, loading.platform);
}

std::vector<Error> failures_of(const std::vector<LoadedImage>& images) {
  std::vector<Error> failures;
  for (const LoadedImage& image : images) {
    if (image.error) failures.push_back(*image.error);
  }
  return failures;
}

ExitCode plan(Session& session, const Loading& loading, const engine::Inventory& inventory) {
  Json list = Json::array();
  for (const LoadedImage& image : loading.images) {
    const engine::LoadImage found = find_image(loading, image);
    const engine::LoadPlan plan = engine::plan_load(found, inventory);
    Json layers = Json::array();
    for (const engine::LayerPlan& layer : plan.layers) {
      layers.push_back({{"digest", layer.layer.digest.to_string()},
                        {"size", layer.layer.size},
                        {"send", layer.action != engine::LayerPlan::Action::skip_known}});
    }
    list.push_back({{"reference", image.reference.to_string()}, {"platform", found.image.platform.to_string()}, {"cause", plan.cause}, {"layers", layers}});
    session.output().write_text(image.reference.to_string() + "\n" + engine::to_text(plan));
  }
  session.output().set_document({{"plan", {{"images", list}}}});
  return ExitCode::done;
}

void load_all(Session& session, Loading& loading, engine::Loader& loader) {
  registry::Client& registry = session.registry();
  parallel_for_each(session.ctx(), loading.images.size(), loads_at_once, [&](const Context& ctx, std::size_t i) {
    LoadedImage& image = loading.images[i];
    try {
      const engine::LoadImage found = find_image(loading, image);
      image.platform = found.image.platform;
      image.digest = found.image.manifest.digest;
      engine::LoadOptions options{.settle = session.settings().settle, .registry_auth = {}};
      if (options.settle != engine::Settle::never) options.registry_auth = registry.engine_login(ctx, image.reference);
      image.outcome = loader.load(ctx, found, options);
    } catch (Error& error) {
      if (error.code() == ErrorCode::interrupted) throw;
      image.error = error.add_frame("cannot load " + image.reference.familiar());
    }
  });
}

ExitCode run_load(Session& session) {
  const std::vector<Reference> references = session.some_references("e.g. drover load redis:7; drover ls lists them");
  const store::BlobStore store = session.open_store(store::BlobStore::Access::read);
  engine::Inventory inventory = session.take_inventory();
  const auto asked = session.settings().platforms.value_or(registry::PlatformChoice{});
  Loading loading{.store = store, .platform = stack::choose_load_target({}, inventory.platform, asked).platform, .images = {}};
  for (const Reference& reference : references) {
    loading.images.push_back({.reference = reference, .platform = loading.platform, .digest = {}, .outcome = {}, .error = {}});
  }
  if (session.settings().dry_run) return plan(session, loading, inventory);

  const std::optional<FileLock> lock = session.lock_for_loading();
  const auto begin = std::chrono::steady_clock::now();
  engine::Loader loader(session.engine(), store, std::move(inventory));
  load_all(session, loading, loader);
  session.output().set_document(load_json(loading.images, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()));
  if (session.settings().quiet) {
    for (const LoadedImage& image : loading.images) {
      if (image.outcome) session.output().write_text(image.outcome->image_id + "\n");
    }
  } else {
    session.output().write_text(load_text(loading.images));
  }
  return session.finish(failures_of(loading.images));
}

}  // namespace

Command load_command() {
  return {.path = "load",
          .group = "Moving commands",
          .summary = "store to engine: only the layers the engine lacks",
          .details = "Without --platform: the engine's. -q prints the image IDs.",
          .example = "  drover pull redis:7 && drover load redis:7",
          .positionals = {{"REF", &Flags::references, "image references that the store has"}},
          .options = {{"--settle", &Flags::settle,
                       "after a load into a classic store, let the engine fetch the manifest so that it knows the digest (default auto)", "WHEN",
                       {"auto", "never"}}},
          .run = run_load};
}

}  // namespace drover::cli
