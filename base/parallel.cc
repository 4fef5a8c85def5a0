#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace drover {

void parallel_for_each(const Context& ctx, std::size_t count, std::size_t width,
                       const std::function<void(const Context&, std::size_t)>& fn) {
  std::stop_source stop;
  const std::stop_callback forward(ctx.stop, [&stop] { stop.request_stop(); });
  Context inner = ctx;
  inner.stop = stop.get_token();
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;

  const auto work = [&] {
    for (std::size_t i = next++; i < count && !inner.stop.stop_requested(); i = next++) {
      try {
        fn(inner, i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        stop.request_stop();
      }
    }
  };

  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(width, count); ++i) threads.emplace_back(work);
    if (count > 0) work();
  }
  if (failure) std::rethrow_exception(failure);
  ctx.check_stop();
}

}  // namespace drover
