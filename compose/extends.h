// `extends`: a service that starts from another one, of the same file or another (Compose spec, services §extends).
#pragma once

#include "compose/model_loader.h"

#include <filesystem>

namespace drover::compose {

// Replaces every service of the document that extends by its base merged with it. A relative `file:` starts at `directory`, in a base
// file at that file's own folder. Throws invalid for a base that does not exist and for a cycle, not_found for a missing file.
void apply_extends(ModelLoader& loader, YamlDocument& document, const std::filesystem::path& file, const std::filesystem::path& directory,
                   const Environment& environment);

}  // namespace drover::compose
