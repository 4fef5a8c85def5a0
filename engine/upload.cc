#include "engine/upload.h"

#include "base/text.h"
#include "engine/archive_source.h"
#include "engine/image_archive.h"
#include "engine/json_fields.h"
#include "engine/json_stream.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <stop_token>
#include <thread>
#include <utility>

namespace drover::engine {
namespace {

// What the reader sees of both requests: one image, one row of bytes.
class UploadProgress {
 public:
  UploadProgress(const Context& ctx, const LoadImage& image, std::uint64_t total)
      : ctx_(ctx), id_(image.reference.to_string()), total_(total) {
    report(ProgressEvent::Kind::started, 0);
  }
  void add(std::uint64_t bytes) { report(ProgressEvent::Kind::advanced, std::min(done_ += bytes, total_)); }

 private:
  void report(ProgressEvent::Kind kind, std::uint64_t done) const {
    ctx_.progress->on({.kind = kind, .phase = "load", .id = id_, .label = id_, .done = done, .total = total_, .text = {}});
  }

  const Context& ctx_;
  std::string id_;
  std::uint64_t total_;
  std::atomic<std::uint64_t> done_ = 0;
};

// The classic store names each layer while it unpacks it; the one before is in by then.
class LayerFollower {
 public:
  LayerFollower(LayerBoard& board, const LoadPlan& plan, const LayerBoard::Share& share) : board_(board), plan_(plan), share_(share) {}

  void on_object(const nlohmann::json& object) {
    if (text_member(object, "status") != "Loading layer") return;
    const std::string id = text_member(object, "id");
    for (std::size_t i = current_; i < plan_.layers.size(); ++i) {
      if (plan_.layers[i].diff_id.short_hex() != id) continue;
      keep_until(i);
      current_ = i;
      return;
    }
  }

  void keep_until(std::size_t end) {
    for (std::size_t i = 0; i < end; ++i) {
      if (share_.own[i]) board_.keep(*share_.own[i]);
    }
  }

 private:
  LayerBoard& board_;
  const LoadPlan& plan_;
  const LayerBoard::Share& share_;
  std::size_t current_ = 0;
};

// The lowest layers as an image of its own: the same files, another config, no name.
LoadImage partial_image(const LoadImage& image, std::size_t layers) {
  LoadImage part = image;
  part.config.diff_ids.erase(part.config.diff_ids.begin() + static_cast<std::ptrdiff_t>(layers), part.config.diff_ids.end());
  part.image.parsed.layers.erase(part.image.parsed.layers.begin() + static_cast<std::ptrdiff_t>(layers), part.image.parsed.layers.end());
  part.image.parsed.config.digest = Digest::of(partial_config(image, layers));
  return part;
}

LoadPlan partial_plan(LoadPlan plan, std::size_t layers) {
  plan.layers.erase(plan.layers.begin() + static_cast<std::ptrdiff_t>(layers), plan.layers.end());
  return plan;
}

std::function<void(std::size_t, const std::string&)> warn_of_odd_layers(const Context& ctx, const LoadImage& image) {
  return [&](std::size_t layer, const std::string& what) {
    ctx.warn(image.reference.familiar() + ": layer " + image.image.parsed.layers[layer].digest.to_string() + " " + what);
  };
}

// The engine's, which is on this machine nearly always.
std::size_t cores() { return std::max<std::size_t>(1, std::thread::hardware_concurrency()); }

}  // namespace

std::string partial_config(const LoadImage& image, std::size_t layers) {
  nlohmann::ordered_json config;
  config["architecture"] = image.config.platform.architecture;
  config["os"] = image.config.platform.os;
  config["config"]["Labels"]["drover.part-of"] = image.image.parsed.config.digest.to_string();
  config["rootfs"]["type"] = "layers";
  config["rootfs"]["diff_ids"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < layers; ++i) config["rootfs"]["diff_ids"].push_back(image.config.diff_ids[i].to_string());
  return config.dump();
}

std::optional<std::size_t> split_layers(const LoadPlan& plan, const LayerBoard::Share& share) {
  if (plan.format != LoadPlan::Format::docker_archive) return std::nullopt;
  const auto bytes_of = [&](std::size_t i) { return share.own[i] ? plan.layers[i].layer.size : 0; };
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) total += bytes_of(i);
  std::optional<std::size_t> best;
  std::uint64_t best_smaller_side = 0;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    below += bytes_of(i);
    const std::uint64_t smaller_side = std::min(below, total - below);
    if (smaller_side < split_bytes_min || smaller_side <= best_smaller_side) continue;
    best = i + 1;
    best_smaller_side = smaller_side;
  }
  return best;
}

bool is_small(const LoadPlan& plan, const LayerBoard::Share& share) {
  if (plan.verdict == LoadPlan::Verdict::unpack) return false;  // little to send, and all of it to unpack
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    if (plan.layers[i].action == LayerPlan::Action::skip_known) continue;
    if (!share.own[i]) return false;
    bytes += plan.layers[i].layer.size;
  }
  return bytes <= small_bytes_max;
}

// One request: which layers it is about, and which of them it sends.
struct Uploader::Part {
  const LoadImage& image;
  const LoadPlan& plan;
  const LayerBoard::Share& share;
  std::size_t sent_elsewhere;      // the lowest layers that another request of this load sends
  std::optional<std::string> config;  // instead of the image's own
  UploadProgress& progress;
  bool takes_turns = true;
  UploadResult result = {};
};

Uploader::Uploader(Client& client, const store::BlobStore& store, LayerBoard& board)
    : client_(client), store_(store), board_(board), sending_(sending_at_once(cores())), unpacking_(unpacking_at_once(cores())),
      small_(cores()) {}

// Of a whole request: the engine unpacks nothing of it before its end.
Urgency Uploader::urgency_of(const Part& part) {
  Urgency urgency;
  for (std::size_t i = part.sent_elsewhere; i < part.plan.layers.size(); ++i) {
    const LayerBoard::Promise* const promise = part.share.own[i].get();
    if (promise == nullptr) continue;
    urgency.is_awaited = urgency.is_awaited || board_.is_awaited(*promise);
    urgency.bytes += part.plan.layers[i].layer.size;
  }
  return urgency;
}

void Uploader::post(const Context& ctx, ArchiveSource& source, const std::function<void(std::size_t)>& on_bytes,
                    const std::function<void(const nlohmann::json&)>& on_object) {
  Client::StreamRequest request;
  // Not `platform=`: it makes the containerd store drop what it has of the same index for other platforms (seen on 28.5).
  request.path = "/images/load?quiet=0";
  request.source = [&](std::span<std::byte> out) {
    ctx.check_stop();
    const std::size_t got = source.read(out);
    on_bytes(got);
    return got;
  };
  client_.post_stream(ctx, request, [&](const nlohmann::json& object) {
    // The containerd store prints this and goes on; the image would not start.
    const std::string text = text_member(object, "stream");
    if (text.find("Error unpacking image") != std::string::npos) {
      throw Error(ErrorCode::engine, "the engine reports: " + printable(trim(text), report_bytes_max));
    }
    on_object(object);
  });
}

UploadResult Uploader::send_part(const Context& ctx, const Part& part) {
  const bool is_classic = board_.inventory().store == StoreKind::classic;
  // Whose word this layer waits for; null when this request sends it.
  const auto promise_of = [&](std::size_t i) {
    return part.share.others[i] == nullptr && i < part.sent_elsewhere ? part.share.own[i].get() : part.share.others[i].get();
  };
  Turns::Turn sending;
  Turns::Turn unpacking;
  ImageArchive archive(store_, sizes_, part.image, part.plan, board_.inventory(),
                       {.is_own = [&](std::size_t i) { return promise_of(i) == nullptr; },
                        .is_needed = [&](std::size_t i) { return !board_.wait(ctx, *promise_of(i)); },
                        .before_layer = [&](std::size_t) { if (part.takes_turns) sending = sending_.take(ctx, urgency_of(part)); },
                        .before_documents = [&] { if (part.takes_turns) unpacking = unpacking_.take(ctx, urgency_of(part)); },
                        .on_odd_layer = warn_of_odd_layers(ctx, part.image)},
                       part.config);
  ArchiveSource source([&] {
    sending.end();
    return archive.next();
  });
  LayerFollower follower(board_, part.plan, part.share);
  try {
    post(
        ctx, source, [&](std::size_t bytes) { part.progress.add(bytes); },
        [&](const nlohmann::json& object) {
          if (is_classic) follower.on_object(object);
        });
  } catch (Error& error) {
    if (archive.inflating() && error.code() == ErrorCode::size_mismatch) {
      sizes_.distrust(*archive.inflating());
      throw WrongSizeHint(error);
    }
    if (archive.inflating() && error.code() == ErrorCode::invalid) error.add_frame("layer " + archive.inflating()->to_string());
    throw;
  }
  if (is_classic) follower.keep_until(part.plan.layers.size());
  return {.layers_sent = archive.layers_sent(), .bytes_sent = source.bytes()};
}

UploadResult Uploader::send_small(const Context& ctx, Part part) {
  if (small_.send(ctx, part, [&](const std::vector<Part*>& parts) { send_batch(ctx, parts); })) return part.result;
  ctx.debug("sending " + part.image.reference.to_string() + " alone: its batch failed");
  return send_part(ctx, part);
}

// One archive for all: their layers and configs, then one manifest. Nothing in it blocks. A batch of one is like any other request.
void Uploader::send_batch(const Context& ctx, const std::vector<Part*>& parts) {
  if (parts.size() == 1) {
    parts.front()->result = send_part(ctx, *parts.front());
    return;
  }
  std::deque<ImageArchive> archives;  // they do not move
  std::vector<const LoadImage*> images;
  for (const Part* const part : parts) {
    archives.emplace_back(store_, sizes_, part->image, part->plan, board_.inventory(),
                          ImageArchive::Hooks{.is_own = [](std::size_t) { return true; },
                                              .is_needed = [](std::size_t) { return true; },
                                              .before_layer = [](std::size_t) {},
                                              .before_documents = [] {},
                                              .on_odd_layer = warn_of_odd_layers(ctx, part->image)},
                          std::nullopt, ImageArchive::Manifest::shared);
    images.push_back(&part->image);
  }
  std::size_t current = 0;
  bool has_manifest = false;
  ArchiveSource source([&]() -> std::optional<ArchiveFile> {
    for (; current < archives.size(); ++current) {
      std::optional<ArchiveFile> file = archives[current].next();
      if (!file) continue;
      parts[current]->result.bytes_sent += store::tar_entry_bytes(file->size);
      return file;
    }
    if (std::exchange(has_manifest, true)) return std::nullopt;
    return text_file("manifest.json", docker_archive_manifest(images));
  });
  post(ctx, source, [&](std::size_t bytes) { parts[std::min(current, parts.size() - 1)]->progress.add(bytes); }, [](const nlohmann::json&) {});
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i]->result.layers_sent = archives[i].layers_sent();
    for (const auto& promise : parts[i]->share.own) {
      if (promise) board_.keep(*promise);
    }
  }
}

// Its layers stay: the image itself stands on them by now. A leftover is one dangling image that any prune takes.
void Uploader::remove_partial(const Context& ctx, const Digest& id) {
  try {
    client_.remove(ctx.without_stop(), "/images/" + id.to_string() + "?noprune=1");
  } catch (const Error& error) {
    ctx.debug("a nameless partial image stays in the engine: " + std::string(error.what()));
  }
}

UploadResult Uploader::send(const Context& ctx, const LoadImage& image, LayerBoard::Share& share) {
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < share.plan.layers.size(); ++i) {
    if (share.plan.layers[i].action == LayerPlan::Action::skip_known || share.others[i]) continue;
    const Descriptor& layer = share.plan.layers[i].layer;
    const bool inflates = share.plan.layers[i].action == LayerPlan::Action::send_inflated;
    expected += inflates ? sizes_.find(layer.digest, store_.blob_path(layer.digest)).value_or(layer.size) : layer.size;
  }
  UploadProgress progress(ctx, image, expected);
  Part whole{image, share.plan, share, 0, std::nullopt, progress};
  whole.takes_turns = !is_small(share.plan, share);
  const bool is_for_classic = share.plan.format == LoadPlan::Format::docker_archive;
  if (!whole.takes_turns) return is_for_classic ? send_small(ctx, whole) : send_part(ctx, whole);
  const std::optional<std::size_t> split = split_layers(share.plan, share);
  if (!split) return send_part(ctx, whole);

  const LoadImage lower = partial_image(image, *split);
  const LoadPlan lower_plan = partial_plan(share.plan, *split);
  UploadResult lower_result;
  std::exception_ptr lower_failure;
  std::stop_source stop;
  const std::stop_callback forward(ctx.stop, [&] { stop.request_stop(); });
  Context lower_ctx = ctx;
  lower_ctx.stop = stop.get_token();
  UploadResult result;
  std::exception_ptr failure;
  {
    const std::jthread ahead([&] {
      try {
        lower_result = send_part(lower_ctx, {lower, lower_plan, share, 0, partial_config(image, *split), progress});
      } catch (...) {
        lower_failure = std::current_exception();
        board_.break_promises(share, *split);  // the other request then sends these layers itself
      }
    });
    try {
      result = send_part(ctx, {image, share.plan, share, *split, std::nullopt, progress});
    } catch (...) {
      failure = std::current_exception();
      stop.request_stop();
    }
  }
  if (!lower_failure) remove_partial(ctx, lower.image.parsed.config.digest);
  if (failure) std::rethrow_exception(failure);
  result.layers_sent += lower_result.layers_sent;
  result.bytes_sent += lower_result.bytes_sent;
  return result;
}

}  // namespace drover::engine
