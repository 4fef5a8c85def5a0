// `include`: other projects' files brought in with their own folder and variables (Compose spec, 14-include).
#pragma once

#include "compose/model_loader.h"

#include <filesystem>

namespace drover::compose {

// Takes `include` out of the document and puts the named files' services, networks, volumes, secrets, configs and models in; what the
// document defines itself is merged on top. Throws invalid for a cycle, not_found for a missing file.
void apply_include(ModelLoader& loader, YamlDocument& document, const std::filesystem::path& file, const ModelSource& source);

}  // namespace drover::compose
