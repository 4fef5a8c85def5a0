// Calls functions one after the other on a thread of its own, so that a listener who is slow (a terminal that is held) keeps nobody waiting.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace drover::stack {

// Thread-safe. The destructor returns when all have been called. What one throws is told to `on_failure`, and keeps no other from being called.
class Teller {
 public:
  explicit Teller(std::function<void(const std::string& why)> on_failure) : on_failure_(std::move(on_failure)), thread_([this] { call_all(); }) {}
  ~Teller() {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    changed_.notify_all();
  }
  Teller(const Teller&) = delete;
  Teller& operator=(const Teller&) = delete;

  void tell(std::function<void()> call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
    changed_.notify_all();
  }

 private:
  void call_all() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return is_over_ || !calls_.empty(); });
      if (calls_.empty()) return;
      const std::function<void()> call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      try {
        call();
      } catch (const std::exception& error) {
        on_failure_(error.what());
      } catch (...) {
        on_failure_("unknown reason");
      }
      lock.lock();
    }
  }

  const std::function<void(const std::string&)> on_failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> calls_;
  bool is_over_ = false;
  std::jthread thread_;  // last: begins when all the others are there, and ends first
};

}  // namespace drover::stack
