// Who brings which layer: loads that run at once share one engine, and no layer is sent twice.
//
// A load takes all its missing layers in one step. What nobody else is bringing becomes its own; for the rest it gets the other load's
// promise. Waiting therefore always points to a load that began earlier, and cannot go in circles. A promise is kept as soon as the
// engine has the layer, or broken when that load fails: then each waiter sends the layer itself.
#pragma once

#include "base/context.h"
#include "engine/inventory.h"
#include "engine/load.h"

#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace drover::engine {

class LayerBoard {
 public:
  enum class State { pending, kept, broken };

  struct Promise {
    Digest layer;     // blob
    Digest chain_id;
    State state = State::pending;
    bool is_awaited = false;  // other loads wait for it
  };

  // One load's part. Not copyable; whatever is still pending of its own promises is broken at its end.
  class Share {
   public:
    Share(LayerBoard& board, LoadPlan plan, std::vector<std::shared_ptr<Promise>> own, std::vector<std::shared_ptr<Promise>> others);
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    LoadPlan plan;
    // By layer of the plan, null where the layer is known. shared: waiters outlive the load that promised.
    std::vector<std::shared_ptr<Promise>> own;
    std::vector<std::shared_ptr<Promise>> others;

   private:
    LayerBoard& board_;
  };

  explicit LayerBoard(Inventory inventory);

  const Inventory& inventory() const { return inventory_; }  // steady only while no load runs
  std::unique_ptr<Share> take(const LoadImage& image, bool force_all);
  // Blocks until it is kept (true) or broken (false). Throws interrupted.
  bool wait(const Context& ctx, const Promise& promise);
  bool is_awaited(const Promise& promise);
  // The engine has that layer now.
  void keep(Promise& promise);
  // The lowest `layers` of its own layers do not come after all.
  void break_promises(const Share& share, std::size_t layers);
  // The load failed: what it brought is given up by the engine, and known no more.
  void give_up(const Share& share);
  // The image is there, under this name.
  void record(const LoadImage& image, const Digest& engine_id);
  // The image is there and not unpacked, whatever the inventory says.
  void record_packed(const LoadImage& image);
  // Blobs that are known to be there, besides what the inventory says.
  void add_blobs(const std::vector<Digest>& blobs);

 private:
  Digest key_of(const LayerPlan& layer) const;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  Inventory inventory_;
  std::map<Digest, std::shared_ptr<Promise>> pending_;  // by chain ID, in the containerd store by blob
};

}  // namespace drover::engine
