// Ctrl-C and friends as a stop token: the first asks the run to end in order, the second ends it at once.
#pragma once

#include <stop_token>
#include <thread>

namespace drover::cli {

// One a process. SIGINT, SIGTERM and (unless it is ignored, as under nohup) SIGHUP; SIGPIPE is ignored from then on, because a closed
// connection or pipe is an error of a write, not the end of the program.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::jthread waiter_;
};

}  // namespace drover::cli
