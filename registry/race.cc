#include "registry/race.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace drover::registry {
namespace {

using Clock = std::chrono::steady_clock;  // the real one: it is real silence that is measured

struct End {
  std::size_t source = 0;
  std::optional<Error> error;  // nothing: a good answer
  std::chrono::milliseconds took{0};
};

// What its threads tell, in the order in which they ended.
class Ends {
 public:
  void push(End end) {
    const std::lock_guard lock(mutex_);
    ends_.push_back(std::move(end));
    changed_.notify_all();
  }

  // Waits for one; nothing at `until` or when a stop is asked for.
  std::optional<End> pop(const std::stop_token& stop, const std::optional<Clock::time_point>& until) {
    std::unique_lock lock(mutex_);
    const auto is_there = [this] { return !ends_.empty(); };
    if (until) {
      changed_.wait_until(lock, stop, *until, is_there);
    } else {
      changed_.wait(lock, stop, is_there);
    }
    if (ends_.empty()) return std::nullopt;
    End end = std::move(ends_.front());
    ends_.pop_front();
    return end;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<End> ends_;
};

// However it ends, nobody is waited for longer than an answer takes to be broken off.
struct EndOfRace {
  std::stop_source& over;

  ~EndOfRace() { over.request_stop(); }
};

std::optional<Error> run(const Context& ctx, const Racers& racers, std::size_t source) {
  try {
    racers.ask(ctx, source);
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return Error(ErrorCode::failed, error.what());
  }
}

}  // namespace

Hedge race(const Context& ctx, Hedge hedge, const Racers& racers) {
  Ends ends;
  std::stop_source over;
  const std::stop_callback forward(ctx.stop, [&over] { over.request_stop(); });
  Context inner = ctx;
  inner.stop = over.get_token();
  std::vector<std::jthread> threads;  // behind what they use: joined before it goes
  const EndOfRace end_of_race{over};
  while (!hedge.is_over() && !ctx.stop.stop_requested()) {
    while (const std::optional<std::size_t> source = hedge.next(Clock::now())) {
      threads.emplace_back([&, source] {
        const Clock::time_point begun = Clock::now();
        std::optional<Error> error = run(inner, racers, *source);
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
        ends.push({.source = *source, .error = std::move(error), .took = took});
      });
    }
    const std::optional<End> end = ends.pop(ctx.stop, hedge.wake_at());
    if (!end) continue;
    if (!end->error) {
      hedge.answered(end->source);
      racers.answered(end->source, end->took);
    } else if (end->error->code() != ErrorCode::interrupted) {
      hedge.failed(end->source);
      racers.failed(end->source, *end->error);
    } else {
      break;
    }
  }
  over.request_stop();
  threads.clear();
  if (!hedge.is_over()) {
    ctx.check_stop();
    throw Error(ErrorCode::interrupted, "stopped");
  }
  return hedge;
}

}  // namespace drover::registry
