#include "stack/prefetch.h"

#include "base/parallel.h"
#include "stack/forecast.h"
#include "stack/platforms.h"
#include "stack/pull_groups.h"
#include "stack/ready_queue.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace drover::stack {
namespace {

using Steady = std::chrono::steady_clock;

template <typename Question>
auto ask_or_refuse(Question question) {
  try {
    return question();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    throw Error(ErrorCode::refused, std::string("nothing was fetched, the engine cannot be used: ") + error.what() +
                                        "; for the store alone use --no-load");
  }
}

// Compressed bytes of the layers of all its platforms: a measure for the loading order, no more.
std::uint64_t layer_bytes(const registry::PulledImage& pulled) {
  std::uint64_t sum = 0;
  for (const registry::ResolvedImage& image : pulled.resolved->images) {
    for (const Descriptor& layer : std::get<Manifest>(image.manifest.document).layers) sum += layer.size;
  }
  return sum;
}

std::optional<Platform> find_platform(const Context& ctx, engine::Client* engine) {
  if (engine == nullptr) return std::nullopt;
  return ask_or_refuse([&] { return engine::find_platform(ctx, *engine); });
}

// What an engine has, and where it keeps it; nothing without an engine.
struct EngineState {
  std::optional<engine::Inventory> inventory;
  std::filesystem::path folder;
};

EngineState look_at_engine(const Context& ctx, engine::Client* engine, std::size_t jobs, const store::BlobStore& store) {
  if (engine == nullptr) return {};
  return ask_or_refuse([&] {
    EngineState state{.inventory = engine::take_inventory(ctx, *engine, jobs, &store), .folder = {}};
    state.folder = find_engine_folder(ctx, *engine, *state.inventory);
    return state;
  });
}

// Resolves all while the engine, which may have a thousand images, is looked at: neither waits for the other.
EngineState resolve_and_look(const Context& ctx, registry::Client& registry, const store::BlobStore& store, engine::Client* engine,
                             std::size_t jobs, std::vector<GroupPull>& groups) {
  EngineState state;
  parallel_for_each(ctx, 2, 2, [&](const Context& inner, std::size_t question) {
    if (question == 0) resolve_groups(inner, registry, store, groups);
    if (question == 1) state = look_at_engine(inner, engine, jobs, store);
  });
  return state;
}

Forecast look_ahead(const registry::Client& registry, const store::BlobStore& store, const std::filesystem::path& store_folder,
                    const EngineState& engine, const std::vector<GroupPull>& groups, const std::vector<LoadTarget>& targets,
                    std::size_t loads_at_once) {
  registry::PullPlan plan = plan_groups(groups, store);
  DiskNeed for_store = store_need(plan, store, store_folder);
  std::optional<DiskNeed> for_engine;
  if (engine.inventory) {
    for_engine = engine_need(list_load_images(groups, targets), *engine.inventory, store, loads_at_once);
    for_engine->folder = engine.folder;
    if (!engine.folder.empty()) for_engine->space = find_disk_space(engine.folder);
  }
  std::uint64_t requests = 0;
  for (const GroupPull& group : groups) requests += group.resolutions->spent.requests;
  return make_forecast(std::move(plan), registry, requests, std::move(for_store), std::move(for_engine));
}

// One run. Each image's entries are written by one thread at a time: the pull's callback hands them to a loader through the queue,
// and what is left is written after both have ended.
class Prefetching {
 public:
  Prefetching(const Context& outer, registry::Client& registry, store::BlobStore& store, const std::vector<WantedImage>& images,
      const PrefetchOptions& options)
      : outer_(outer), inner_(outer), registry_(registry), store_(store), images_(images), options_(options) {
    inner_.stop = stop_.get_token();
  }

  PrefetchReport operator()(engine::Client* engine) {
    const auto begin = Steady::now();
    prepare(find_platform(inner_, engine));
    if (look(engine)) pull_and_load();
    outer_.check_stop();
    for (std::size_t i = 0; i < images_.size(); ++i) settle(report_.images[i], report_.pulled.images[i]);
    for (std::size_t i = 0; i < images_.size(); ++i) list_others(report_.images[i], report_.pulled.images[i]);
    report_.pulled.seconds = std::chrono::duration<double>(Steady::now() - begin).count();
    return std::move(report_);
  }

 private:
  void prepare(const std::optional<Platform>& platform) {
    roots_.resize(images_.size());
    for (const WantedImage& wanted : images_) {
      targets_.push_back(choose_load_target(wanted.platform, platform, options_.pull.platforms));
      if (platform && !targets_.back().is_for_engine) {
        outer_.warn(wanted.reference.to_string() + " is not loaded: no asked platform runs on the engine's " + platform->to_string());
      }
      report_.images.push_back({.wanted = wanted, .platform = targets_.back().platform, .digest = {}, .image_id = {}, .error = {}});
      report_.pulled.images.push_back({.reference = wanted.reference, .resolved = {}, .complete = false, .error = {}});
    }
  }

  // What there is at the engine and, where a forecast is wanted, at the registry. Whether to go on.
  bool look(engine::Client* engine) {
    registry::PullOptions options = options_.pull;
    options.keep_going = options_.keep_going;
    groups_ = group_pulls(targets_, images_, options);
    const bool is_forecast_wanted = static_cast<bool>(options_.on_forecast);
    EngineState state = is_forecast_wanted ? resolve_and_look(inner_, registry_, store_, engine, options.jobs, groups_)
                                           : look_at_engine(inner_, engine, options.jobs, store_);
    if (is_forecast_wanted) options_.on_forecast(look_ahead(registry_, store_, store_.root(), state, groups_, targets_, options_.loads));
    if (engine != nullptr) loader_.emplace(*engine, store_, *std::move(state.inventory));
    return !is_forecast_wanted || options_.keep_going || !note_unresolved();
  }

  void pull_and_load() {
    std::vector<std::jthread> loaders;
    const CloseAtEnd close_at_end(ready_);  // before the loaders are joined, also when a pull throws
    const std::size_t width = loader_ ? std::clamp<std::size_t>(options_.loads, 1, std::max<std::size_t>(1, images_.size())) : 0;
    for (std::size_t i = 0; i < width; ++i) {
      loaders.emplace_back([this] {
        while (const auto index = ready_.pop(inner_.stop)) load(*index);
      });
    }
    try {
      for (GroupPull& group : groups_) pull(group);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::interrupted && !outer_.stop.stop_requested()) return;  // our own stop, told in settle()
      stop_.request_stop();
      throw;
    }
  }

  // What could not be resolved, of all groups; whether there is any.
  bool note_unresolved() {
    bool is_any = false;
    for (const GroupPull& group : groups_) {
      for (std::size_t i = 0; i < group.references.size(); ++i) {
        const std::optional<Error>& error = group.resolutions->list[i].error;
        if (!error) continue;
        is_any = true;
        on_failure(*error);
        for (const std::size_t image : group.images[i]) {
          registry::PulledImage& pulled = report_.pulled.images[image];
          pulled.error = error;
          pulled.error->add_frame("cannot pull " + pulled.reference.familiar());
        }
      }
    }
    if (is_any) {
      for (const GroupPull& group : groups_) {
        report_.pulled.bytes.wasted += group.resolutions->spent.bytes;  // documents, and none of them is kept
        report_.pulled.requests += group.resolutions->spent.requests;
      }
    }
    return is_any;
  }

  void pull(GroupPull& group) {
    inner_.check_stop();
    const auto on_ready = [&](const std::vector<registry::ReadyImage>& ready) {
      std::vector<ReadyQueue::Entry> entries;
      for (const registry::ReadyImage& image : ready) {
        for (const std::size_t index : group.images[image.index]) {
          if (accept(index, *image.image)) entries.push_back({.index = index, .bytes = layer_bytes(*image.image)});
        }
      }
      if (!entries.empty()) ready_.push(entries);
    };
    registry::PullReport pulled =
        group.resolutions ? registry::pull(inner_, registry_, store_, *std::move(group.resolutions), group.options, on_ready)
                          : registry::pull(inner_, registry_, store_, group.references, group.options, on_ready);

    for (std::size_t i = 0; i < pulled.images.size(); ++i) {
      if (pulled.images[i].error) on_failure(*pulled.images[i].error);
      for (const std::size_t image : group.images[i]) report_.pulled.images[image] = pulled.images[i];
    }
    report_.pulled.bytes.total += pulled.bytes.total;
    report_.pulled.bytes.fetched += pulled.bytes.fetched;
    report_.pulled.bytes.reused += pulled.bytes.reused;
    report_.pulled.bytes.resumed += pulled.bytes.resumed;
    report_.pulled.bytes.wasted += pulled.bytes.wasted;
    report_.pulled.requests += pulled.requests;
  }

  // In a thread of the pull. Whether the image is one to load.
  bool accept(std::size_t index, const registry::PulledImage& pulled) {
    if (!pulled.complete || !pulled.resolved) return false;
    report_.images[index].state = PrefetchedImage::State::stored;
    if (!loader_ || !targets_[index].is_for_engine) return false;
    roots_[index] = pulled.resolved->root.descriptor;
    return true;
  }

  void load(std::size_t index) {
    PrefetchedImage& image = report_.images[index];
    const std::string frame = "cannot load " + image.wanted.reference.to_string();
    try {
      const engine::LoadImage found = engine::find_load_image(store_, image.wanted.reference, *roots_[index], image.platform);
      image.digest = found.image.manifest.digest;
      engine::LoadOptions options = options_.load;
      if (options.settle != engine::Settle::never) options.registry_auth = registry_.engine_login(inner_, image.wanted.reference);
      const engine::LoadOutcome outcome = loader_->load(inner_, found, options);
      image.image_id = outcome.image_id;
      image.layers_total = outcome.layers_total;
      image.layers_sent = outcome.layers_sent;
      image.bytes_sent = outcome.bytes_sent;
      image.state = outcome.state == engine::LoadOutcome::State::present ? PrefetchedImage::State::present : PrefetchedImage::State::loaded;
      roots_[index].reset();
    } catch (Error& error) {
      image.error = error.add_frame(frame);
    } catch (const std::exception& error) {
      image.error = Error(ErrorCode::failed, frame + ": " + error.what());
    }
    if (image.error) {
      image.state = PrefetchedImage::State::failed;
      on_failure(*image.error);
    }
  }

  void on_failure(const Error& error) {
    if (options_.keep_going || error.code() == ErrorCode::interrupted) return;
    {
      const std::lock_guard lock(mutex_);
      if (cause_.empty()) cause_ = error.what();
    }
    stop_.request_stop();
  }

  // What neither the pull nor a loader has said about an image, once both have ended.
  void settle(PrefetchedImage& image, const registry::PulledImage& pulled) {
    if (!image.digest && pulled.resolved) {
      if (const registry::ResolvedImage* const found = find_image(*pulled.resolved, image.platform)) image.digest = found->manifest.descriptor.digest;
    }
    if (image.error && image.error->code() != ErrorCode::interrupted) return;
    const std::size_t index = static_cast<std::size_t>(&image - report_.images.data());
    const bool is_waiting_for_load = roots_[index].has_value();
    if (image.state != PrefetchedImage::State::failed && !is_waiting_for_load) return;
    image.state = PrefetchedImage::State::failed;
    if (pulled.error && pulled.error->code() != ErrorCode::interrupted) {
      image.error = pulled.error;
    } else {
      image.error = Error(ErrorCode::failed, "cannot prefetch " + image.wanted.reference.to_string() + ": stopped at the first failure (" +
                                                 cause_ + "); run without --fail-fast");
    }
  }

  // Each platform of a reference has one place in the report.
  bool is_told(const Reference& reference, const Digest& digest) const {
    return std::any_of(report_.images.begin(), report_.images.end(), [&](const PrefetchedImage& image) {
      if (image.wanted.reference != reference) return false;
      return image.digest == digest || std::any_of(image.others.begin(), image.others.end(), [&](const StoredPlatform& o) { return o.digest == digest; });
    });
  }

  void list_others(PrefetchedImage& image, const registry::PulledImage& pulled) {
    if (!pulled.complete || !pulled.resolved) return;
    for (const registry::ResolvedImage& found : pulled.resolved->images) {
      const Digest& digest = found.manifest.descriptor.digest;
      const std::size_t layers = std::get<Manifest>(found.manifest.document).layers.size();
      if (image.digest == digest && image.state == PrefetchedImage::State::stored) image.layers_total = layers;
      if (!is_told(image.wanted.reference, digest)) image.others.push_back({.platform = found.platform, .digest = digest, .layers_total = layers});
    }
  }

  const Context& outer_;
  std::mutex mutex_;
  std::string cause_;  // of the stop
  Context inner_;  // stops when the caller's does, and after a failure with fail-fast
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_{outer_.stop, [this] { stop_.request_stop(); }};
  registry::Client& registry_;
  store::BlobStore& store_;
  const std::vector<WantedImage>& images_;
  const PrefetchOptions& options_;
  std::vector<LoadTarget> targets_;
  std::vector<GroupPull> groups_;
  std::vector<std::optional<Descriptor>> roots_;  // of images that wait for their load
  std::optional<engine::Loader> loader_;
  ReadyQueue ready_;
  PrefetchReport report_;
};

}  // namespace

PrefetchReport prefetch(const Context& ctx, registry::Client& registry, store::BlobStore& store, engine::Client* engine,
                        const std::vector<WantedImage>& images, const PrefetchOptions& options) {
  return Prefetching(ctx, registry, store, images, options)(engine);
}

Forecast plan_prefetch(const Context& ctx, registry::Client& registry, const store::BlobStore& store,
                       const std::filesystem::path& store_folder, engine::Client* engine, const std::vector<WantedImage>& images,
                       const registry::PullOptions& options) {
  const std::optional<Platform> platform = find_platform(ctx, engine);
  std::vector<LoadTarget> targets;
  for (const WantedImage& wanted : images) targets.push_back(choose_load_target(wanted.platform, platform, options.platforms));
  std::vector<GroupPull> groups = group_pulls(targets, images, options);
  const EngineState state = resolve_and_look(ctx, registry, store, engine, options.jobs, groups);
  Forecast forecast = look_ahead(registry, store, store_folder, state, groups, targets, PrefetchOptions{}.loads);
  for (const GroupPull& group : groups) {
    for (const registry::Resolutions::One& one : group.resolutions->list) {
      if (one.error) throw Error(*one.error);
    }
  }
  return forecast;
}

}  // namespace drover::stack
