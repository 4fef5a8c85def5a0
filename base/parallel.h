// Structured concurrency: nothing outlives the call.
#pragma once

#include "base/context.h"

#include <cstddef>
#include <functional>

namespace drover {

// Runs fn(0) .. fn(count - 1) on up to `width` threads and returns when all have ended. The first exception stops the handing out
// of further indices and is rethrown here; fn sees a Context whose stop token also fires on that failure.
void parallel_for_each(const Context& ctx, std::size_t count, std::size_t width,
                       const std::function<void(const Context&, std::size_t)>& fn);

}  // namespace drover
