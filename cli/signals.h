// Ctrl-C and friends as a stop token: the first asks the run to end in order, a later one ends it at once.
#pragma once

#include <chrono>
#include <stop_token>
#include <thread>

namespace drover::cli {

// Whether signal `number`, which came `since_first` after the first one, is a wish to end at once. One event is often told twice: a dropped
// terminal sends SIGHUP to the session and to its group, timeout(1) sends SIGTERM to its child and to the group of both. So only what comes a
// second or more after the first counts, and never SIGHUP, behind which is nobody who waits. Safe in a signal handler.
bool ends_at_once(int number, std::chrono::nanoseconds since_first) noexcept;

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
