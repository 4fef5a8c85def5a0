// How a run's progress is shown: --progress tty, plain, json or none.
#pragma once

#include "base/clock.h"
#include "base/progress.h"
#include "cli/screen.h"
#include "cli/settings.h"
#include "cli/tasks.h"
#include "cli/transfers.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace drover::cli {

// Counts, and shows what its kind shows. on() only stores; tick() draws.
class ProgressDisplay : public Progress {
 public:
  ProgressDisplay(Screen& screen, const Clock& clock) : screen_(screen), clock_(clock) {}

  void on(const ProgressEvent& event) noexcept override;
  // What is being done to a service; its time is now. `none` and `json` show nothing of it: the steps are their events.
  void show(Task task) noexcept;
  // To be called at interval().
  void tick();
  virtual std::chrono::milliseconds interval() const = 0;
  // The last words, and a clean screen.
  virtual void end() {}

  // Of the fetched blobs, complete or not: what the next run will find.
  std::uint64_t kept_bytes() const;

 protected:
  // Under the lock.
  virtual void on_event(const ProgressEvent&, const std::optional<Transfer>& ended) = 0;
  virtual void on_task(const Task&) {}  // it is news
  virtual void on_tick() {}

  Screen& screen_;
  const Clock& clock_;
  Transfers transfers_;
  Tasks tasks_;

 private:
  mutable std::mutex mutex_;
};

std::unique_ptr<ProgressDisplay> make_progress(ProgressMode mode, Screen& screen, const Clock& clock);

// Calls tick() from a thread of its own until it is destroyed, then end().
class ProgressTicker {
 public:
  explicit ProgressTicker(ProgressDisplay& display);
  ~ProgressTicker();
  ProgressTicker(const ProgressTicker&) = delete;
  ProgressTicker& operator=(const ProgressTicker&) = delete;

 private:
  ProgressDisplay& display_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;
};

// The texts, pure.

struct Window {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
// A line a transfer, as many as fit, then a line a phase that is under way. No line is wider than the window.
std::vector<std::string> draw_frame(const Transfers& transfers, Window window);
// A line a task and how many are done; where that is too much, of those under way alone.
std::vector<std::string> draw_tasks(const Tasks& tasks, Tasks::Time now, Window window);
// "web: recreated, passed its gate in 2.0s", "web: failed: …", "web: stopping, 20.0s".
std::string plain_task_line(const Task& task, Tasks::Time now);
// "fetched docker.io/library/redis:7 sha256:9f2c… (12.3 MB in 1.2s)".
std::string plain_end_line(const Transfer& transfer, double seconds);
// "fetch: 123.4 MB of 329.4 MB, 45.1 MB/s, 5.0s left, 8 under way".
std::string plain_total_line(const std::string& phase, const PhaseTotal& total);
std::string json_event_line(const ProgressEvent& event);

}  // namespace drover::cli
