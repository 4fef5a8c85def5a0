#include "engine/load.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/broken_layer.h"
#include "engine/image_archive.h"
#include "engine/images.h"
#include "engine/layer_board.h"
#include "engine/settle.h"
#include "engine/unpacked.h"
#include "engine/upload.h"

#include <algorithm>

namespace drover::engine {
namespace {

constexpr std::string_view lacks_parts = "the engine lacks parts of ";

// Manifests that the engine has whole and our store has too: then the engine has what they name.
std::vector<Digest> blobs_of_known_manifests(const store::BlobStore& store, const Inventory& inventory) {
  std::vector<Digest> blobs;
  for (const Digest& digest : inventory.blobs) {
    const std::optional<std::uint64_t> size = store.find_size(digest);
    if (!size || *size > manifest_bytes_max) continue;
    try {
      const Document document = parse_document(store.read(digest, manifest_bytes_max), {});
      const Manifest* manifest = std::get_if<Manifest>(&document);
      if (manifest == nullptr) continue;
      blobs.push_back(manifest->config.digest);
      for (const Descriptor& layer : manifest->layers) blobs.push_back(layer.digest);
    } catch (const Error&) {
      continue;  // damaged here or no manifest: we know less, nothing else
    }
  }
  return blobs;
}

bool is_out_of_space(const Error& error) { return error.code() == ErrorCode::engine && contains(error.what(), "no space left"); }

// What engines say of a layer, or of the parent of one, that was left out and is not there after all. Whatever else they say of a layer
// stays true when it comes again.
bool says_missing(std::string_view text) {
  // Classic, 20.10 to 28.5: its file in the archive; its parent, pruned meanwhile.
  return (contains(text, "docker-import-") && contains(text, "no such file or directory")) || contains(text, "layer does not exist") ||
         // containerd, 26.1 and 28.5; its parent's snapshot.
         (contains(text, "content digest ") && contains(text, "not found")) || contains(text, "does not exist: not found") ||
         contains(text, lacks_parts);
}

// Whether sending everything can help.
bool is_worth_repeating(const Error& error, const LayerBoard::Share& share) {
  const bool left_out = std::any_of(share.plan.layers.begin(), share.plan.layers.end(), [](const LayerPlan& layer) {
    return layer.action == LayerPlan::Action::skip_known;
  }) || std::any_of(share.others.begin(), share.others.end(), [](const auto& promise) { return promise != nullptr; });
  return error.code() == ErrorCode::engine && left_out && says_missing(error.what());
}

}  // namespace

struct Loader::Impl {
  Impl(Client& used_client, const store::BlobStore& used_store, Inventory inventory)
      : client(used_client), store(used_store), board(std::move(inventory)), uploader(used_client, used_store, board), settler(used_client) {}

  void report(const Context& ctx, ProgressEvent::Kind kind, const LoadImage& image, std::uint64_t done, std::uint64_t total,
              std::string_view text = {}) const {
    const std::string id = image.reference.to_string();
    ctx.progress->on({.kind = kind, .phase = "load", .id = id, .label = id, .done = done, .total = total, .text = text});
  }

  bool is_containerd() const { return board.inventory().store == StoreKind::containerd; }

  Digest wanted_id(const LoadImage& image) const { return is_containerd() ? image.root.digest : image.image.parsed.config.digest; }

  // What inspect says counts, not what the load answered. no, also when the engine lacks parts of it: it is there and cannot start.
  Unpacked confirm(const Context& ctx, const LoadImage& image, LoadOutcome& outcome) {
    const Digest wanted = wanted_id(image);
    const bool by_id = image.reference.digest().has_value() && !is_containerd();
    const std::string name = by_id ? wanted.to_string() : engine_name(image.reference);
    const std::optional<ImageDetails> found = find_image(ctx, client, name);
    if (!found) throw Error(ErrorCode::engine, "the engine has no " + name + " after a load that it called good");
    if (found->id != wanted) {
      throw Error(ErrorCode::engine,
                  "the engine has " + found->id.to_string() + " as " + name + " after the load, not " + wanted.to_string());
    }
    outcome.image_id = found->id.to_string();
    outcome.settled = settled_by(image, found->repo_digests);
    if (!is_containerd()) return Unpacked::yes;
    const Digest& manifest = image.image.manifest.digest;
    // Engines unpack what runs on them; of another platform all that can be asked for is that it is there.
    if (match_rank(board.inventory().platform, image.image.platform)) return find_unpacked(ctx, client, *found, manifest);
    return found->available_manifests && !found->available_manifests->contains(manifest) ? Unpacked::no : Unpacked::yes;
  }

  // An image of empty layers stays unsure; then the load's own word counts, which ended without an error.
  Unpacked confirm_loaded(const Context& ctx, const LoadImage& image, LoadOutcome& outcome) {
    const Unpacked unpacked = confirm(ctx, image, outcome);
    if (unpacked != Unpacked::no) return unpacked;
    throw Error(ErrorCode::engine, std::string(lacks_parts) + engine_name(image.reference) +
                                       ", or has not unpacked it, after a load that it called good");
  }

  // Engines say what is wrong with a layer, not with which one. Throws with its name and their words, when it is found.
  void blame_layer(const Context& ctx, const Error& error, const LoadPlan& plan) {
    const bool may_be_a_layer = (error.code() == ErrorCode::engine && !is_out_of_space(error) && !says_missing(error.what())) ||
                                (error.code() == ErrorCode::invalid);
    if (!may_be_a_layer) return;
    const std::optional<Error> fault = find_broken_layer(ctx, store, plan);
    if (!fault) return;
    const bool is_engines_word = error.code() == ErrorCode::engine;
    throw Error(fault->code(), std::string(fault->what()) + (is_engines_word ? std::string(" (") + error.what() + ")" : ""));
  }

  Unpacked try_load(const Context& ctx, const LoadImage& image, LayerBoard::Share& share, LoadOutcome& outcome) {
    check_layers_stored(store, share.plan);
    Unpacked unpacked = Unpacked::yes;
    try {
      const UploadResult result = uploader.send(ctx, image, share);
      outcome.layers_sent = result.layers_sent;
      outcome.bytes_sent += result.bytes_sent;
      unpacked = confirm_loaded(ctx, image, outcome);
    } catch (const Error& error) {
      board.give_up(share);
      blame_layer(ctx, error, share.plan);
      throw;
    }
    for (const auto& promise : share.own) {
      if (promise) board.keep(*promise);
    }
    return unpacked;
  }

  // As planned; once more with everything when the engine does not agree with its own inventory. A size that a compressed layer
  // claimed wrongly costs a round of its own, at most one a layer.
  Unpacked load_archive(const Context& ctx, const LoadImage& image, std::unique_ptr<LayerBoard::Share> share, LoadOutcome& outcome) {
    bool forced = false;
    for (std::size_t wrong_hints = 0;;) {
      try {
        return try_load(ctx, image, *share, outcome);
      } catch (const WrongSizeHint& error) {
        if (++wrong_hints > share->plan.layers.size()) throw;
        ctx.debug("sending " + image.reference.to_string() + " again: " + error.what());
      } catch (const Error& error) {
        if (forced || !is_worth_repeating(error, *share)) throw;
        forced = true;
        ctx.warn("sending all layers of " + image.reference.to_string() + ": " + error.what());
      }
      share.reset();
      share = board.take(image, forced);
    }
  }

  // Present as it is; false when the engine would have to unpack it first.
  bool is_present(const Context& ctx, const LoadImage& image, LoadPlan::Verdict verdict, LoadOutcome& outcome) {
    if (verdict == LoadPlan::Verdict::retag) tag_image(ctx, client, wanted_id(image), image.reference);
    outcome.state = LoadOutcome::State::present;
    return confirm(ctx, image, outcome) == Unpacked::yes;
  }

  void bring(const Context& ctx, const LoadImage& image, std::unique_ptr<LayerBoard::Share> share, LoadOutcome& outcome) {
    const bool was_there = share->plan.verdict == LoadPlan::Verdict::unpack;
    Unpacked unpacked = Unpacked::yes;
    try {
      unpacked = load_archive(ctx, image, std::move(share), outcome);
    } catch (const Error& error) {
      report(ctx, ProgressEvent::Kind::failed, image, 0, 0, error.what());
      throw;
    }
    report(ctx, ProgressEvent::Kind::finished, image, outcome.bytes_sent, outcome.bytes_sent);
    // Nothing to unpack, neither before nor now.
    const bool is_unchanged = was_there && outcome.layers_sent == 0 && unpacked == Unpacked::unsure;
    outcome.state = is_unchanged ? LoadOutcome::State::present : LoadOutcome::State::loaded;
  }

  LoadOutcome load(const Context& ctx, const LoadImage& image, const LoadOptions& options) {
    std::unique_ptr<LayerBoard::Share> share = board.take(image, false);
    LoadOutcome outcome{.reference = image.reference, .image_id = {}};
    outcome.layers_total = share->plan.layers.size();
    ctx.debug(image.reference.to_string() + ": " + to_text(share->plan));
    if (!share->plan.is_load() && !is_present(ctx, image, share->plan.verdict, outcome)) {
      board.record_packed(image);
      share.reset();
      share = board.take(image, false);
      ctx.debug(image.reference.to_string() + ": " + to_text(share->plan));
    }
    if (share->plan.is_load()) bring(ctx, image, std::move(share), outcome);
    board.record(image, wanted_id(image));
    if (!outcome.settled && options.settle == Settle::automatic && board.inventory().has(Quirk::forgets_digests)) {
      outcome.settled = settler.settle(ctx, image, options.registry_auth);
    }
    return outcome;
  }

  Client& client;
  const store::BlobStore& store;
  LayerBoard board;
  Uploader uploader;
  Settler settler;
};

Loader::Loader(Client& client, const store::BlobStore& store, Inventory inventory)
    : impl_(std::make_unique<Impl>(client, store, std::move(inventory))) {
  if (impl_->is_containerd()) impl_->board.add_blobs(blobs_of_known_manifests(store, impl_->board.inventory()));
}

Loader::~Loader() = default;

const Inventory& Loader::inventory() const { return impl_->board.inventory(); }

LoadOutcome Loader::load(const Context& ctx, const LoadImage& image, const LoadOptions& options) {
  try {
    return impl_->load(ctx, image, options);
  } catch (Error& error) {
    error.add_frame("cannot load " + image.reference.to_string());
    if (!is_out_of_space(error)) throw;
    Error with_remedy(error.code(), std::string(error.what()) + "; free space in the engine's data folder (`docker info`: Docker Root Dir)");
    with_remedy.http_status = error.http_status;
    throw with_remedy;
  }
}

}  // namespace drover::engine
