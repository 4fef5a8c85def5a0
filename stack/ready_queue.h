// Hands images that are ready from the threads that fetch to the threads that load, in the order that ends soonest: the smallest first,
// since it brings the layers that the others share and wait for, then the largest, so that none of them is left alone at the end.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

namespace drover::stack {

// Thread-safe.
class ReadyQueue {
 public:
  struct Entry {
    std::size_t index = 0;
    std::uint64_t bytes = 0;  // of the image's layers
  };

  // What became ready together is seen together.
  void push(const std::vector<Entry>& entries) {
    {
      const std::lock_guard lock(mutex_);
      entries_.insert(entries_.end(), entries.begin(), entries.end());
    }
    changed_.notify_all();
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
    changed_.wait(lock, stop, [this] { return is_closed_ || !entries_.empty(); });
    if (stop.stop_requested() || entries_.empty()) return std::nullopt;
    const auto by_size = [](const Entry& a, const Entry& b) { return a.bytes < b.bytes; };
    const auto chosen = is_first_ ? std::min_element(entries_.begin(), entries_.end(), by_size) : std::max_element(entries_.begin(), entries_.end(), by_size);
    is_first_ = false;
    const std::size_t index = chosen->index;
    entries_.erase(chosen);
    return index;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Entry> entries_;
  bool is_first_ = true;
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
