// Hands indexes of images that are ready from the threads that fetch to the threads that load.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>

namespace drover::stack {

// Thread-safe.
class ReadyQueue {
 public:
  void push(std::size_t index) {
    {
      const std::lock_guard lock(mutex_);
      indexes_.push_back(index);
    }
    changed_.notify_one();
  }

  // No more will come; what is in it is still handed out.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
    }
    changed_.notify_all();
  }

  // Waits; nothing when the queue is closed and empty, or once a stop was asked for.
  std::optional<std::size_t> pop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return is_closed_ || !indexes_.empty(); });
    if (stop.stop_requested() || indexes_.empty()) return std::nullopt;
    const std::size_t index = indexes_.front();
    indexes_.pop_front();
    return index;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::size_t> indexes_;
  bool is_closed_ = false;
};

class CloseAtEnd {
 public:
  explicit CloseAtEnd(ReadyQueue& queue) : queue_(queue) {}
  ~CloseAtEnd() { queue_.close(); }
  CloseAtEnd(const CloseAtEnd&) = delete;
  CloseAtEnd& operator=(const CloseAtEnd&) = delete;

 private:
  ReadyQueue& queue_;
};

}  // namespace drover::stack
