// What of a compose project the ledger keeps: the names of its volumes and images in the engine.
#pragma once

#include "compose/project.h"
#include "stack/ledger.h"

namespace drover::stack {

// Compose's own rules for names: a volume is `<project>_<key>` unless it has a name or is external (Compose spec, volumes). A service
// that is built without an image's name makes `<project>-<service>`, or with `_` before compose 2.
ProjectWords words_of(const compose::Project& project);

}  // namespace drover::stack
