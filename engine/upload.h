// One image's bytes on their way into the engine: the load requests themselves, without the decisions around them.
//
// The engine unpacks an archive only when all of it is there, and works on one core meanwhile. So, in the classic store, an image with
// two halves of some size goes in two requests at once: the lower layers as a nameless image of their own, which is removed afterwards,
// and the image itself, whose archive stays open until those layers are in. Measured with 11 images over one base: see split_layers.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "engine/archive_source.h"
#include "engine/batches.h"
#include "engine/client.h"
#include "engine/layer_board.h"
#include "engine/layer_size.h"
#include "engine/load.h"
#include "engine/turns.h"
#include "store/blob_store.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drover::engine {

// A compressed layer was not as long as it said; its size is not believed any more, and another try does without.
class WrongSizeHint : public Error {
 public:
  explicit WrongSizeHint(const Error& cause) : Error(cause) {}
};

// How many of the lowest layers go ahead in a request of their own; nothing when the image goes as a whole. Pure: the cut nearest to
// half of the bytes that this load brings, if both sides have at least split_bytes_min.
std::optional<std::size_t> split_layers(const LoadPlan& plan, const LayerBoard::Share& share);
inline constexpr std::uint64_t split_bytes_min = 8U << 20U;

// How many requests may send a layer at once, and how many archives the engine may unpack at once: with more, the layer that the others
// wait for comes in later and the large ones end alone. Cold load of 11 images over one base into 28.5 on two cores: 1 and 4 8.6 s, 12
// and 12 10.7 s; into 20.10 no difference.
constexpr std::size_t sending_at_once(std::size_t cores) { return cores / 2 > 1 ? cores / 2 : 1; }
constexpr std::size_t unpacking_at_once(std::size_t cores) { return 2 * cores; }

// Whether it is little work, all of it its own. Such loads take no turns. Into a classic store they go together: engine 20.10 starts a
// process for each archive and one for each layer, about 60 ms of one core each; an update of 11 images, one small layer each, takes 0.5 s
// instead of 0.9. The containerd store waits for its disk meanwhile and takes them
// all at once: the same update into 28.5 0.92 s instead of 1.07.
bool is_small(const LoadPlan& plan, const LayerBoard::Share& share);
inline constexpr std::uint64_t small_bytes_max = 1U << 20U;

// The config of the nameless image of the lowest `layers` layers.
std::string partial_config(const LoadImage& image, std::size_t layers);

struct UploadResult {
  std::size_t layers_sent = 0;
  std::uint64_t bytes_sent = 0;
};

// Borrows all of them. Thread-safe.
class Uploader {
 public:
  Uploader(Client& client, const store::BlobStore& store, LayerBoard& board);

  // Sends what `share` owns and reads the engine's answer to its end. Promises of layers are kept as soon as the engine has them.
  // Throws engine (also for an error inside a good answer), network, interrupted, WrongSizeHint, and invalid or digest_mismatch with
  // the layer's name when a blob of the store is damaged.
  UploadResult send(const Context& ctx, const LoadImage& image, LayerBoard::Share& share);

 private:
  struct Part;
  Urgency urgency_of(const Part& part);
  UploadResult send_small(const Context& ctx, Part part);
  void send_batch(const Context& ctx, const std::vector<Part*>& parts);
  void post(const Context& ctx, ArchiveSource& source, const std::function<void(std::size_t)>& on_bytes,
            const std::function<void(const nlohmann::json&)>& on_object);
  UploadResult send_part(const Context& ctx, const Part& part);
  void remove_partial(const Context& ctx, const Digest& id);

  Client& client_;
  const store::BlobStore& store_;
  LayerBoard& board_;
  LayerSizes sizes_;
  Turns sending_;    // layers on their way into the engine
  Turns unpacking_;  // archives that the engine has whole
  Batches<Part> small_;
};

}  // namespace drover::engine
