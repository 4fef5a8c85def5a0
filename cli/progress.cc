#include "cli/progress.h"

#include "base/text.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace drover::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds draw_interval{100};
constexpr milliseconds json_interval{100};  // between two `advanced` of one transfer
constexpr std::chrono::seconds plain_interval{10};

Window read_window() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return {.columns = size.ws_col, .rows = size.ws_row == 0 ? std::size_t{24} : size.ws_row};
}

class TtyProgress : public ProgressDisplay {
 public:
  using ProgressDisplay::ProgressDisplay;
  milliseconds interval() const override { return draw_interval; }
  void end() override { screen_.clear(); }

 protected:
  void on_event(const ProgressEvent& event, const std::optional<Transfer>&) override {
    if (event.kind == ProgressEvent::Kind::message) screen_.write_line(printable(event.text));
  }
  void on_tick() override {
    Window window = read_window();
    std::vector<std::string> lines = draw_frame(transfers_, window);
    window.rows -= std::min(window.rows, lines.size());
    const std::vector<std::string> tasks = draw_tasks(tasks_, clock_.now(), window);
    lines.insert(lines.end(), tasks.begin(), tasks.end());
    screen_.draw(lines);
  }
};

class PlainProgress : public ProgressDisplay {
 public:
  using ProgressDisplay::ProgressDisplay;
  milliseconds interval() const override { return plain_interval; }

 protected:
  void on_event(const ProgressEvent& event, const std::optional<Transfer>& ended) override {
    if (event.kind == ProgressEvent::Kind::message) screen_.write_line(printable(event.text));
    if (!ended) return;
    if (event.kind == ProgressEvent::Kind::failed) {
      screen_.write_line(ended->label + " failed: " + printable(event.text));
    } else {
      screen_.write_line(plain_end_line(*ended, std::chrono::duration<double>(clock_.now() - ended->begin).count()));
    }
  }

  void on_task(const Task& task) override {
    if (task.state == Task::State::done || task.state == Task::State::failed) screen_.write_line(plain_task_line(task, clock_.now()));
  }

  void on_tick() override {
    for (const Task& task : tasks_.list()) {
      const bool is_slow = task.state == Task::State::under_way && clock_.now() - task.since >= plain_interval / 2;
      if (is_slow) screen_.write_line(plain_task_line(task, clock_.now()));
    }
    for (const std::string& phase : transfers_.phases()) {
      const PhaseTotal total = transfers_.total(phase);
      if (total.active > 0) screen_.write_line(plain_total_line(phase, total));
    }
  }
};

class JsonProgress : public ProgressDisplay {
 public:
  using ProgressDisplay::ProgressDisplay;
  milliseconds interval() const override { return std::chrono::hours(1); }

 protected:
  void on_event(const ProgressEvent& event, const std::optional<Transfer>&) override {
    if (event.kind == ProgressEvent::Kind::advanced) {
      auto& last = last_[std::string(event.phase) + " " + std::string(event.id)];
      const auto now = clock_.now();
      if (last != std::chrono::steady_clock::time_point{} && now - last < json_interval) return;
      last = now;
    }
    screen_.write_line(json_event_line(event));
  }

 private:
  std::map<std::string, std::chrono::steady_clock::time_point> last_;
};

class NoProgress : public ProgressDisplay {
 public:
  using ProgressDisplay::ProgressDisplay;
  milliseconds interval() const override { return std::chrono::hours(1); }

 protected:
  void on_event(const ProgressEvent&, const std::optional<Transfer>&) override {}
};

}  // namespace

void ProgressDisplay::on(const ProgressEvent& event) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    on_event(event, transfers_.apply(event, clock_.now()));
  } catch (...) {
    return;  // a display that cannot show something must not stop the work
  }
}

void ProgressDisplay::show(Task task) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    task.since = clock_.now();
    if (tasks_.set(task)) on_task(task);
  } catch (...) {
    return;
  }
}

void ProgressDisplay::tick() {
  const std::lock_guard lock(mutex_);
  transfers_.tick(clock_.now());
  on_tick();
}

std::uint64_t ProgressDisplay::kept_bytes() const {
  const std::lock_guard lock(mutex_);
  return transfers_.total("fetch").done;
}

std::unique_ptr<ProgressDisplay> make_progress(ProgressMode mode, Screen& screen, const Clock& clock) {
  switch (mode) {
    case ProgressMode::tty: return std::make_unique<TtyProgress>(screen, clock);
    case ProgressMode::plain: return std::make_unique<PlainProgress>(screen, clock);
    case ProgressMode::json: return std::make_unique<JsonProgress>(screen, clock);
    case ProgressMode::none: return std::make_unique<NoProgress>(screen, clock);
  }
  return std::make_unique<NoProgress>(screen, clock);
}

ProgressTicker::ProgressTicker(ProgressDisplay& display)
    : display_(display), thread_([this](const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested()) {
          ended_.wait_for(lock, stop, display_.interval(), [] { return false; });
          if (!stop.stop_requested()) display_.tick();
        }
      }) {}

ProgressTicker::~ProgressTicker() {
  thread_.request_stop();
  thread_.join();
  display_.end();
}

}  // namespace drover::cli
