#include "engine/turns.h"

namespace drover::engine {

Turns::Turn Turns::take(const Context& ctx, Urgency urgency) {
  std::unique_lock lock(mutex_);
  const auto me = waiting_.insert({.urgency = urgency, .number = arrivals_++}).first;
  changed_.wait(lock, ctx.stop, [&] { return free_ > 0 && waiting_.begin() == me; });
  const bool is_mine = free_ > 0 && waiting_.begin() == me && !ctx.stop.stop_requested();
  waiting_.erase(me);
  if (is_mine) --free_;
  lock.unlock();
  changed_.notify_all();  // the next one may go too, or has become the first
  if (!is_mine) ctx.check_stop();
  return Turn(*this);
}

std::size_t Turns::waiting() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.size();
}

void Turns::Turn::end() {
  Turns* const turns = std::exchange(turns_, nullptr);
  if (turns == nullptr) return;
  {
    const std::scoped_lock lock(turns->mutex_);
    ++turns->free_;
  }
  turns->changed_.notify_all();
}

}  // namespace drover::engine
