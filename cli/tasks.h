// Work that no bytes are counted of: what is being done to each service, network and volume of a stack. Rows that stay until the
// run is over.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace drover::cli {

struct Task {
  enum class State { waiting, under_way, done, failed };

  std::string name;  // "web", "network shop_default"
  State state = State::waiting;
  std::string text;                                 // "stopping"; done: what became of it, "recreated"; failed: why
  std::chrono::steady_clock::time_point since = {};  // the text is this one
};

// Not thread-safe.
class Tasks {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // A new one, or news of the one of that name, also when that was over: a way back. False when it is no news.
  bool set(Task task);

  const std::vector<Task>& list() const { return tasks_; } // in order of appearance

 private:
  std::vector<Task> tasks_;
};

}  // namespace drover::cli
