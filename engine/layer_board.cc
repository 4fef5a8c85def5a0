#include "engine/layer_board.h"

#include <algorithm>

namespace drover::engine {

LayerBoard::Share::Share(LayerBoard& board, LoadPlan taken_plan, std::vector<std::shared_ptr<Promise>> own_promises,
                         std::vector<std::shared_ptr<Promise>> other_promises)
    : plan(std::move(taken_plan)), own(std::move(own_promises)), others(std::move(other_promises)), board_(board) {}

LayerBoard::Share::~Share() { board_.break_promises(*this, own.size()); }

LayerBoard::LayerBoard(Inventory inventory) : inventory_(std::move(inventory)) {}

Digest LayerBoard::key_of(const LayerPlan& layer) const {
  return inventory_.store == StoreKind::containerd ? layer.layer.digest : layer.chain_id;
}

std::unique_ptr<LayerBoard::Share> LayerBoard::take(const LoadImage& image, bool force_all) {
  const std::scoped_lock lock(mutex_);
  LoadPlan plan = plan_load(image, inventory_, force_all);
  std::vector<std::shared_ptr<Promise>> own(plan.layers.size());
  std::vector<std::shared_ptr<Promise>> others(plan.layers.size());
  const bool shares = plan.is_load() && !inventory_.has(Quirk::refuses_partial_archives);
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const LayerPlan& layer = plan.layers[i];
    if (!shares || layer.action == LayerPlan::Action::skip_known) continue;
    std::shared_ptr<Promise>& pending = pending_[key_of(layer)];
    if (pending && std::find(own.begin(), own.end(), pending) != own.end()) continue;  // one blob twice in one image
    if (pending && !force_all) {
      others[i] = pending;
      pending->is_awaited = true;
      continue;
    }
    own[i] = std::make_shared<Promise>(Promise{layer.layer.digest, layer.chain_id, State::pending, false});
    // A forced load sends everything and waits for nobody, but others need not wait for it either.
    if (!pending) pending = own[i];
  }
  return std::make_unique<Share>(*this, std::move(plan), std::move(own), std::move(others));
}

bool LayerBoard::wait(const Context& ctx, const Promise& promise) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, ctx.stop, [&] { return promise.state != State::pending; });
  ctx.check_stop();
  return promise.state == State::kept;
}

bool LayerBoard::is_awaited(const Promise& promise) {
  const std::scoped_lock lock(mutex_);
  return promise.is_awaited;
}

void LayerBoard::keep(Promise& promise) {
  const std::scoped_lock lock(mutex_);
  if (promise.state != State::pending) return;
  promise.state = State::kept;
  inventory_.chain_ids.insert(promise.chain_id);
  if (inventory_.store == StoreKind::containerd) inventory_.blobs.insert(promise.layer);
  std::erase_if(pending_, [&](const auto& entry) { return entry.second.get() == &promise; });
  changed_.notify_all();
}

void LayerBoard::give_up(const Share& share) {
  {
    const std::scoped_lock lock(mutex_);
    for (const std::shared_ptr<Promise>& promise : share.own) {
      if (!promise || promise->state != State::kept) continue;
      inventory_.chain_ids.erase(promise->chain_id);
      inventory_.blobs.erase(promise->layer);
    }
  }
  break_promises(share, share.own.size());
}

void LayerBoard::break_promises(const Share& share, std::size_t layers) {
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < layers; ++i) {
    const std::shared_ptr<Promise>& promise = share.own[i];
    if (!promise || promise->state != State::pending) continue;
    promise->state = State::broken;
    std::erase_if(pending_, [&](const auto& entry) { return entry.second == promise; });
  }
  changed_.notify_all();
}

void LayerBoard::record(const LoadImage& image, const Digest& engine_id) {
  const std::string name = engine_name(image.reference);
  const std::vector<Digest> chain_ids = image.config.chain_ids();
  const std::scoped_lock lock(mutex_);
  inventory_.chain_ids.insert(chain_ids.begin(), chain_ids.end());
  if (inventory_.store == StoreKind::containerd) {
    inventory_.blobs.insert(image.root.digest);
    inventory_.blobs.insert(image.image.manifest.digest);
    inventory_.packed_manifests.erase(image.image.manifest.digest);
    for (const Descriptor& layer : image.image.parsed.layers) inventory_.blobs.insert(layer.digest);
  }
  for (EngineImage& other : inventory_.images) std::erase(other.repo_tags, name);
  auto found = std::find_if(inventory_.images.begin(), inventory_.images.end(),
                            [&](const EngineImage& other) { return other.id == engine_id; });
  if (found == inventory_.images.end()) found = inventory_.images.insert(found, EngineImage{engine_id, {}, {}});
  (image.reference.digest() ? found->repo_digests : found->repo_tags).push_back(name);
}

void LayerBoard::record_packed(const LoadImage& image) {
  const std::scoped_lock lock(mutex_);
  inventory_.packed_manifests.insert(image.image.manifest.digest);
}

void LayerBoard::add_blobs(const std::vector<Digest>& blobs) {
  const std::scoped_lock lock(mutex_);
  inventory_.blobs.insert(blobs.begin(), blobs.end());
}

}  // namespace drover::engine
