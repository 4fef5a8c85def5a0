// Reads a Snapshot off an engine. Reads only.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/snapshot.h"

#include <cstddef>

namespace drover::engine {

// What costs more than the five lists that are always read.
struct SnapshotOptions {
  bool image_details = false;      // one inspect an image: layers, when it was named last; some histories
  bool container_details = false;  // one inspect a stopped container
  bool container_sizes = false;    // the engine walks their files
  bool volume_sizes = false;       // likewise
  bool build_cache = false;
  std::size_t jobs = 8;            // questions at once
};

// What vanishes while it is read is left out, or is there without its details. Lists: images, containers, volumes, networks, and the
// engine's memory of events. Throws what the Client throws.
Snapshot take_snapshot(const Context& ctx, Client& client, const SnapshotOptions& options);

}  // namespace drover::engine
