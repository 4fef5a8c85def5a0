#include "engine/snapshot.h"

namespace drover::engine {

// Whatever an engine may call it later: only what is known to stand still counts.
bool is_stopped(const SnapshotContainer& container) {
  return container.state == "exited" || container.state == "created" || container.state == "dead" || container.state == "stopped" ||
         container.state == "configured" || container.state == "initialized";
}

}  // namespace drover::engine
