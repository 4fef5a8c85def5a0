// A whole run of the program but for the process around it: tests call it, main() calls it.
#pragma once

#include "cli/settings.h"

#include <ostream>
#include <stop_token>
#include <string>
#include <vector>

namespace drover::cli {

// Never throws. `words` is the command line without the program's name.
int run_application(const std::vector<std::string>& words, const Environment& environment, const Machine& machine,
                    const std::stop_token& stop, std::ostream& out, std::ostream& err);

}  // namespace drover::cli
