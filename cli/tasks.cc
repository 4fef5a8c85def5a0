#include "cli/tasks.h"

#include <algorithm>
#include <utility>

namespace drover::cli {

bool Tasks::set(Task task) {
  const auto found = std::find_if(tasks_.begin(), tasks_.end(), [&](const Task& known) { return known.name == task.name; });
  if (found == tasks_.end()) {
    tasks_.push_back(std::move(task));
    return true;
  }
  if (found->state == task.state && found->text == task.text) return false;
  *found = std::move(task);
  return true;
}

}  // namespace drover::cli
