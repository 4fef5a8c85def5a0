// Small things that come while others are at work go together: whoever gets a place takes along what waits (group commit).
#pragma once

#include "base/context.h"
#include "base/error.h"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

namespace drover::engine {

// Thread-safe. Items are borrowed until their send() returns.
template <typename Item>
class Batches {
 public:
  // So many batches at once.
  explicit Batches(std::size_t width) : width_(width) {}

  // Returns once `item` was sent, by `send_all` in this thread or in another one. False: it went in a batch of several that failed, and
  // nothing is known of it; the caller sends it alone. Throws interrupted, and what `send_all` throws of a batch of one.
  template <typename SendAll>
  bool send(const Context& ctx, Item& item, SendAll&& send_all) {
    Entry me{&item};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&me);
    changed_.wait(lock, ctx.stop, [&] { return me.state != State::waiting || working_ < width_; });
    if (me.state == State::waiting && (working_ >= width_ || ctx.stop.stop_requested())) {
      std::erase(waiting_, &me);
      ctx.check_stop();
    }
    if (me.state != State::waiting) {  // whoever took it along ends soon, also after a stop
      changed_.wait(lock, [&] { return me.state == State::sent || me.state == State::failed; });
      return me.state == State::sent;
    }
    const std::vector<Entry*> batch = take_share(me);
    ++working_;
    lock.unlock();
    std::vector<Item*> items;
    for (Entry* const entry : batch) items.push_back(entry->item);
    try {
      send_all(items);
    } catch (const Error&) {
      finish(batch, State::failed);
      if (batch.size() == 1) throw;
      return false;
    } catch (...) {
      finish(batch, State::failed);
      throw;
    }
    finish(batch, State::sent);
    return true;
  }

  // How many wait now.
  std::size_t waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_.size();
  }

 private:
  enum class State { waiting, taken, sent, failed };
  struct Entry {
    Item* item = nullptr;
    State state = State::waiting;
  };

  // This one and its part of those that wait: one of `width` parts, so that the other places get theirs.
  std::vector<Entry*> take_share(Entry& me) {
    std::erase(waiting_, &me);
    std::vector<Entry*> batch{&me};
    const std::size_t others = std::min(waiting_.size(), waiting_.size() / width_ + 1);
    batch.insert(batch.end(), waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(others));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(others));
    for (Entry* const entry : batch) entry->state = State::taken;
    return batch;
  }

  void finish(const std::vector<Entry*>& batch, State state) {
    {
      const std::scoped_lock lock(mutex_);
      --working_;
      for (Entry* const entry : batch) entry->state = state;
    }
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t width_;
  std::size_t working_ = 0;
  std::deque<Entry*> waiting_;
};

}  // namespace drover::engine
