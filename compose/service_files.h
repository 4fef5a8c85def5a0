// The files that a service takes variables and labels from: env_file and label_file.
#pragma once

#include "compose/dotenv.h"
#include "compose/node.h"

#include <string_view>

namespace drover::compose {

// Reads the files into `environment` and `labels` of the normalised service, whose own entries win, and removes `env_file`;
// `label_file` stays, because docker compose has it in its config hash. Values are interpolated with `environment`, the
// project's. Throws not_found for a file that must be there, invalid for a broken one; both name the place.
void read_service_files(std::string_view name, Node& service, const Environment& environment, WarningList& warnings);

}  // namespace drover::compose
