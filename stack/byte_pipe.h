// Turns a call that hands bytes out into one that is asked for them: the first runs in a thread of its own, a socket pair holds back
// whichever is ahead.
#pragma once

#include "base/context.h"
#include "base/file.h"

#include <cstddef>
#include <exception>
#include <functional>
#include <span>
#include <stop_token>
#include <thread>

namespace drover::stack {

// Not thread-safe. Ends its thread when it goes; whoever does not read to the end stops the call.
class BytePipe {
 public:
  // False: nobody wants more.
  using Push = std::function<bool(std::span<const std::byte>)>;

  // `call` gets a Context that also stops with this object.
  BytePipe(const Context& ctx, std::function<void(const Context&, const Push&)> call);
  ~BytePipe();
  BytePipe(const BytePipe&) = delete;
  BytePipe& operator=(const BytePipe&) = delete;

  // Fills as much as there is; 0 is the end. What the call threw comes out here once its bytes are read.
  std::size_t read(std::span<std::byte> out);

 private:
  UniqueFd reader_;
  UniqueFd writer_;
  std::exception_ptr failure_;  // set before the writer's end is closed
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_;
  std::jthread thread_;
};

}  // namespace drover::stack
