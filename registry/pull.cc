#include "registry/pull.h"

#include "base/parallel.h"
#include "base/text.h"
#include "manifest/media_type.h"
#include "registry/transfer.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace drover::registry {
namespace {

// Throws platform_missing unless everything wanted is there.
void require_platforms(const ResolvedReference& resolved) {
  if (resolved.missing.empty()) return;
  std::vector<std::string> missing;
  for (const Platform& platform : resolved.missing) missing.push_back(platform.to_string());
  std::vector<std::string> there;
  for (const ResolvedImage& image : resolved.images) there.push_back(image.platform.to_string());
  for (const Descriptor& other : resolved.other_platforms) {
    if (other.platform) there.push_back(other.platform->to_string());
  }
  throw Error(ErrorCode::platform_missing, "no manifest for " + join(missing, ", ") + " (has " + join(there, ", ") + "); try --platform");
}

ResolvedReference resolve_for(const Context& ctx, Client& client, const store::BlobStore& store, const Reference& reference,
                              const PullOptions& options) {
  ResolvedReference resolved = resolve(ctx, client, reference, options.platforms, &store);
  require_platforms(resolved);
  return resolved;
}

// Children before parents, so that nothing in the store names a missing document.
void put_documents(store::BlobStore& store, const ResolvedReference& resolved) {
  for (const ResolvedImage& image : resolved.images) {
    store.put(std::get<Manifest>(image.manifest.document).config.digest, image.config_bytes);
    store.put(image.manifest.descriptor.digest, image.manifest.bytes);
  }
  for (auto index = resolved.indexes.rbegin(); index != resolved.indexes.rend(); ++index) store.put(index->descriptor.digest, index->bytes);
  store.put(resolved.root.descriptor.digest, resolved.root.bytes);
}

// One pull: resolves references in parallel, feeds their layers to one transfer, tags each image when its last blob has landed.
class Pull {
 public:
  // A resolution that is neither resolved nor failed is made on the way.
  Pull(const Context& ctx, Client& client, store::BlobStore& store, Resolutions resolutions, const PullOptions& options,
       const ImagesReady& on_ready)
      : outer_(ctx), ctx_(ctx), client_(client), store_(store), options_(options), on_ready_(on_ready), resolutions_(std::move(resolutions)),
        pending_(resolutions_.list.size(), 0) {
    ctx_.stop = stop_.get_token();
    for (const Resolutions::One& one : resolutions_.list) report_.images.push_back({.reference = one.reference, .resolved = {}, .error = {}});
  }

  PullReport run() {
    const auto begin = ctx_.clock->now();
    const Counters before = client_.counters();
    {
      std::jthread tagger([this](const std::stop_token& done) { tag_ready(done); });
      Transfer transfer(ctx_, client_, store_, {.jobs = options_.jobs, .rate_bytes_per_second = options_.rate_bytes_per_second, .limiter = options_.limiter},
                        [this](const Digest& digest, const std::optional<Error>& error) { on_blob(digest, error); });
      transfer_ = &transfer;
      fetch_all(transfer);
      const Transfer::Brought brought = transfer.brought();
      report_.bytes.fetched += brought.fetched_bytes;
      report_.bytes.resumed = brought.resumed_bytes;
    }
    if (store_failure_) throw Error(*store_failure_);
    const Counters after = client_.counters();
    const std::uint64_t came = after.bytes - before.bytes + resolutions_.spent.bytes;
    report_.bytes.wasted = came - std::min(came, report_.bytes.fetched);
    report_.requests = after.requests - before.requests + resolutions_.spent.requests;
    report_.seconds = std::chrono::duration<double>(resolutions_.took + (ctx_.clock->now() - begin)).count();
    return std::move(report_);
  }

 private:
  // An image that came when the blob had ended, and before it was known how.
  struct Late {
    std::size_t image = 0;
    Descriptor descriptor;  // as this image has it
  };
  struct Wanted {
    std::uint64_t bytes = 0;
    bool is_done = false;
    std::optional<Error> error;
    std::vector<std::size_t> images;  // waiting for it
    std::vector<Late> late;
    std::set<std::string> repositories;  // of images that need it
  };

  void fetch_all(Transfer& transfer) {
    try {
      parallel_for_each(ctx_, report_.images.size(), 2 * options_.jobs, [&](const Context& inner, std::size_t i) { begin_image(inner, i); });
      end_beginning();
      if (on_ready_) hurry_first_image();
      stop_after_failure();
      transfer.finish();
    } catch (const Error& error) {
      const bool is_own_stop = error.code() == ErrorCode::interrupted && !outer_.stop.stop_requested();
      if (!is_own_stop) throw;
    }
  }

  // Called without the lock: those who are stopped may want it.
  void stop_after_failure() {
    if (has_failed_ && !options_.keep_going) stop_.request_stop();
  }

  void begin_image(const Context& ctx, std::size_t i) {
    PulledImage& image = report_.images[i];
    try {
      Resolutions::One& one = resolutions_.list[i];
      if (one.error) throw Error(*one.error);
      ResolvedReference resolved = one.resolved ? *std::move(one.resolved) : resolve_for(ctx, client_, store_, image.reference, options_);
      put_documents(store_, resolved);
      const std::lock_guard lock(mutex_);
      image.resolved = std::move(resolved);
      want_blobs(i);
    } catch (const Error& e) {
      if (e.code() == ErrorCode::interrupted || e.code() == ErrorCode::io || e.code() == ErrorCode::no_space) throw;
      const std::lock_guard lock(mutex_);
      fail_image(i, e);
    }
    stop_after_failure();
  }

  // Adds what the image needs and nobody has asked for yet.
  void want_blobs(std::size_t i) {
    const PulledImage& image = report_.images[i];
    const PullPlan plan = plan_pull({&*image.resolved}, store_);
    for (const PullPlan::Blob& blob : plan.blobs) {
      const auto [entry, is_new] = blobs_.try_emplace(blob.descriptor.digest);
      Wanted& wanted = entry->second;
      if (is_new) {
        report_.bytes.total += blob.descriptor.size;
        if (blob.is_present) {
          (is_fetched_document(image, blob.descriptor.digest) ? report_.bytes.fetched : report_.bytes.reused) += blob.descriptor.size;
        }
        wanted.bytes = blob.descriptor.size;
        wanted.is_done = blob.is_present;
        if (!blob.is_present) fetch(blob.descriptor, image.reference);
      }
      if (wanted.is_done) continue;
      ++pending_[i];
      const bool is_asked_anew = wanted.repositories.insert(image.reference.name()).second;
      const bool is_under_way = is_new || (!wanted.error && transfer_->add_source(blob.descriptor.digest, image.reference));
      if (is_under_way || (wanted.error && !is_asked_anew)) {
        wanted.images.push_back(i);
        continue;
      }
      wanted.late.push_back({.image = i, .descriptor = blob.descriptor});
      if (wanted.error) fetch_again(wanted);
    }
    if (pending_[i] == 0 && !image.error) make_ready(i);
  }

  void fetch(const Descriptor& descriptor, const Reference& repository) {
    transfer_->add(descriptor, repository, repository.familiar() + " " + descriptor.digest.short_hex());
  }

  // Given up before these images were there to be asked for it: their own repositories may have it.
  void fetch_again(Wanted& wanted) {
    wanted.error.reset();
    const std::vector<Late> late = std::exchange(wanted.late, {});
    fetch(late.front().descriptor, report_.images[late.front().image].reference);
    for (const Late& one : late) {
      if (&one != &late.front()) transfer_->add_source(one.descriptor.digest, report_.images[one.image].reference);
      wanted.images.push_back(one.image);
    }
  }

  // Manifests, indexes and configs that were fetched for resolving: finding them in the store says nothing about an earlier run.
  static bool is_fetched_document(const PulledImage& image, const Digest& digest) {
    const auto is_it = [&](const FetchedManifest& m) { return m.descriptor.digest == digest && !m.was_stored; };
    if (is_it(image.resolved->root) || std::any_of(image.resolved->indexes.begin(), image.resolved->indexes.end(), is_it)) return true;
    return std::any_of(image.resolved->images.begin(), image.resolved->images.end(), [&](const ResolvedImage& r) {
      return is_it(r.manifest) || (std::get<Manifest>(r.manifest.document).config.digest == digest && !r.config_was_stored);
    });
  }

  // A registry need not have the bytes of a non-distributable layer (image-spec v1.1 §non-distributable-layers), and they are fetched from
  // nowhere else: its `urls` name any host. The rest of the image is of use where the engine has that layer.
  static bool may_be_left_out(const PulledImage& image, const Digest& digest, const Error& error) {
    if (error.code() != ErrorCode::not_found || !image.resolved) return false;
    return std::any_of(image.resolved->images.begin(), image.resolved->images.end(), [&](const ResolvedImage& resolved) {
      const std::vector<Descriptor>& layers = std::get<Manifest>(resolved.manifest.document).layers;
      return std::any_of(layers.begin(), layers.end(), [&](const Descriptor& layer) {
        return layer.digest == digest && is_foreign_layer_media_type(layer.media_type);
      });
    });
  }

  void leave_out(std::size_t i, const Digest& digest) {
    const PulledImage& image = report_.images[i];
    ctx_.warn(image.reference.familiar() + ": layer " + digest.to_string() +
              " is non-distributable, and its registry does not serve it; it was left out, so the image can be loaded only where the engine "
              "has that layer");
    if (--pending_[i] == 0 && !image.error) make_ready(i);
  }

  void on_blob(const Digest& digest, const std::optional<Error>& error) {
    note_blob(digest, error);
    stop_after_failure();
  }

  void note_blob(const Digest& digest, const std::optional<Error>& error) {
    const std::lock_guard lock(mutex_);
    Wanted& wanted = blobs_.at(digest);
    wanted.is_done = !error;
    wanted.error = error;
    if (error && !wanted.late.empty()) return fetch_again(wanted);
    if (error) {
      if (is_all_begun_) fail_waiting(digest, wanted);
      return;
    }
    for (const Late& one : std::exchange(wanted.late, {})) wanted.images.push_back(one.image);
    for (const std::size_t i : std::exchange(wanted.images, {})) {
      if (--pending_[i] == 0 && !report_.images[i].error) make_ready(i);
    }
  }

  // Until then an image to come might have named a repository that has what the others lack.
  void end_beginning() {
    const std::lock_guard lock(mutex_);
    is_all_begun_ = true;
    for (auto& [digest, wanted] : blobs_) {
      if (wanted.error) fail_waiting(digest, wanted);
    }
  }

  // Whoever takes up images as they become ready would have nothing to do until all of them do so together, at the end. The one that lacks
  // least goes ahead, of those that lack what most others lack too: an engine can begin with the layer that all of them stand on.
  void hurry_first_image() {
    const std::lock_guard lock(mutex_);
    std::size_t waiters_most = 0;
    for (const auto& [digest, wanted] : blobs_) waiters_most = std::max(waiters_most, wanted.images.size());
    std::vector<std::uint64_t> lacks(report_.images.size(), 0);
    std::vector<bool> is_candidate(report_.images.size(), false);
    for (const auto& [digest, wanted] : blobs_) {
      for (const std::size_t i : wanted.images) {
        lacks[i] += wanted.bytes;
        if (wanted.images.size() == waiters_most) is_candidate[i] = true;
      }
    }
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < lacks.size(); ++i) {
      if (is_candidate[i] && (!first || lacks[i] < lacks[*first])) first = i;
    }
    if (!first) return;
    for (const auto& [digest, wanted] : blobs_) {
      if (std::find(wanted.images.begin(), wanted.images.end(), *first) != wanted.images.end()) transfer_->hurry(digest);
    }
  }

  void fail_waiting(const Digest& digest, Wanted& wanted) {
    for (const std::size_t i : std::exchange(wanted.images, {})) {
      if (may_be_left_out(report_.images[i], digest, *wanted.error)) {
        leave_out(i, digest);
      } else {
        fail_image(i, *wanted.error);
      }
    }
  }

  void fail_image(std::size_t i, const Error& error) {
    PulledImage& image = report_.images[i];
    if (image.error) return;
    has_failed_ = true;
    image.error = error;
    const std::string frame = "cannot pull " + image.reference.familiar();
    if (std::string_view(error.what()).find(frame) == std::string_view::npos) image.error->add_frame(frame);
    changed_.notify_all();
  }

  void make_ready(std::size_t i) {
    ready_.push_back(i);
    changed_.notify_all();
  }

  // Tags whatever is ready, several at once when they come fast, until told that nothing more will come.
  void tag_ready(const std::stop_token& done) {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, done, [this] { return !ready_.empty(); });
      if (ready_.empty()) return;
      const std::vector<std::size_t> batch = std::exchange(ready_, {});
      lock.unlock();
      const bool is_tagged = tag(batch);
      if (is_tagged && on_ready_) {
        std::vector<ReadyImage> images;
        for (const std::size_t i : batch) images.push_back({.index = i, .image = &report_.images[i]});
        on_ready_(images);
      }
      lock.lock();
    }
  }

  bool tag(const std::vector<std::size_t>& batch) {
    std::vector<store::Tag> tags;
    for (const std::size_t i : batch) tags.push_back({report_.images[i].reference.to_string(), report_.images[i].resolved->root.descriptor});
    try {
      store_.set_tags(tags);
    } catch (const Error& e) {
      const std::lock_guard lock(mutex_);
      store_failure_ = e;
      return false;
    } catch (const std::exception& e) {  // this is a thread's end: nothing may leave it
      const std::lock_guard lock(mutex_);
      store_failure_ = Error(ErrorCode::failed, std::string("cannot set tags: ") + e.what());
      return false;
    }
    for (const std::size_t i : batch) report_.images[i].complete = true;
    return true;
  }

  const Context outer_;
  std::stop_source stop_;
  const std::stop_callback<std::function<void()>> forward_{outer_.stop, [this] { stop_.request_stop(); }};
  Context ctx_;  // stops when the caller's does, and after a failure when it is not to keep going
  std::atomic<bool> has_failed_{false};
  Client& client_;
  store::BlobStore& store_;
  const PullOptions& options_;
  const ImagesReady& on_ready_;
  Resolutions resolutions_;

  Transfer* transfer_ = nullptr;  // while it runs

  std::mutex mutex_;  // guards all below; an image's entry is written by one thread at a time
  std::condition_variable_any changed_;
  PullReport report_;
  bool is_all_begun_ = false;         // no image is to come
  std::vector<std::size_t> pending_;  // blobs an image still waits for
  std::unordered_map<Digest, Wanted> blobs_;
  std::vector<std::size_t> ready_;
  std::optional<Error> store_failure_;
};

// A reference given twice is pulled once; both entries of the report tell about it.
Resolutions unresolved(const std::vector<Reference>& references) {
  Resolutions resolutions;
  for (const Reference& reference : references) {
    const bool is_known = std::any_of(resolutions.list.begin(), resolutions.list.end(), [&](const auto& one) { return one.reference == reference; });
    if (!is_known) resolutions.list.push_back({.reference = reference});
  }
  return resolutions;
}

}  // namespace

PullReport pull(const Context& ctx, Client& client, store::BlobStore& store, const std::vector<Reference>& references,
                const PullOptions& options, const ImagesReady& on_ready) {
  return Pull(ctx, client, store, unresolved(references), options, on_ready).run();
}

PullReport pull(const Context& ctx, Client& client, store::BlobStore& store, Resolutions resolutions, const PullOptions& options,
                const ImagesReady& on_ready) {
  return Pull(ctx, client, store, std::move(resolutions), options, on_ready).run();
}

Resolutions resolve_all(const Context& ctx, Client& client, const store::BlobStore& store, const std::vector<Reference>& references,
                        const PullOptions& options) {
  Resolutions resolutions = unresolved(references);
  const auto begin = ctx.clock->now();
  const Counters before = client.counters();
  parallel_for_each(ctx, resolutions.list.size(), 2 * options.jobs, [&](const Context& inner, std::size_t i) {
    Resolutions::One& one = resolutions.list[i];
    try {
      one.resolved = resolve_for(inner, client, store, one.reference, options);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::interrupted) throw;
      one.error = error;
    }
  });
  const Counters after = client.counters();
  resolutions.spent = {.requests = after.requests - before.requests, .bytes = after.bytes - before.bytes, .retries = after.retries - before.retries};
  resolutions.took = ctx.clock->now() - begin;
  return resolutions;
}

}  // namespace drover::registry
