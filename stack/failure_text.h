// How failures of steps read: one line, with names that people use. Pure.
#pragma once

#include "compose/plan.h"

#include <string>
#include <string_view>

namespace drover::stack {

// What could not be done: "cannot start container web-1", "cannot run the hook migrate with 2 arguments in container web-1".
std::string failing_text(const compose::Step& step);

// IDs of containers, which engines write in full, cut to the 12 digits that people know them by.
std::string shorten_ids(std::string_view text);

}  // namespace drover::stack
