#include "stack/outage.h"

#include "engine/system.h"

#include <algorithm>
#include <utility>

namespace drover::stack {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds pause_between_questions{100};
constexpr milliseconds short_answer_max{2000};  // of an engine that was waited for in vain

}  // namespace

Outages::Outages(const Context& ctx, engine::Client& client, OutageOptions options, std::function<void()> on_return, std::function<bool()> looks_like_shutdown)
    : ctx_(ctx.without_stop()),
      client_(client),
      options_(options),
      on_return_(std::move(on_return)),
      looks_like_shutdown_(std::move(looks_like_shutdown)),
      watcher_([this](const std::stop_token& stop) { watch(stop); }) {}

Outages::~Outages() {
  watcher_.request_stop();
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

Outages::Try::Try(Outages& outages) : outages_(outages), ctx_(outages.ctx_) {
  const std::lock_guard lock(outages_.mutex_);
  ++outages_.under_way_;
  ctx_.stop = outages_.calls_.get_token();
}

Outages::Try::~Try() {
  const std::lock_guard lock(outages_.mutex_);
  --outages_.under_way_;
}

// A refusal that comes with a status is an answer.
bool Outages::is_loss(const Error& error) const {
  return (error.code() == ErrorCode::network && !error.is_final) || error.code() == ErrorCode::interrupted;
}

// An engine that hangs keeps its connections open and says nothing: stopping a container may rightly take an hour, so only another
// question tells the two apart.
void Outages::watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, options_.pulse_every, [] { return false; });
      if (stop.stop_requested()) return;
      if (under_way_ == 0) continue;
    }
    if (answers(options_.answer_max)) continue;
    const std::lock_guard lock(mutex_);
    std::exchange(calls_, std::stop_source()).request_stop();
  }
}

bool Outages::answers(milliseconds longest) {
  Context ctx = ctx_.within(longest);
  ctx.stop = watcher_.get_stop_token();
  try {
    engine::ping(ctx, client_);
  } catch (const Error& error) {
    return error.code() != ErrorCode::network && error.code() != ErrorCode::interrupted;
  }
  return true;
}

bool Outages::wait_until_back() {
  const auto lost = steady_clock::now();
  const std::lock_guard lock(return_mutex_);
  if (returned_ > lost) return true;
  while (!answers(is_given_up_ ? short_answer_max : options_.answer_max)) {
    is_given_up_ = is_given_up_ || steady_clock::now() - lost >= options_.patience;
    if (is_given_up_) return false;
    ctx_.clock->sleep_for(pause_between_questions, {});
  }
  is_given_up_ = false;
  call_on_return();
  return true;
}

// One that does not answer loses the next call as well, and is waited for then.
void Outages::see_to_return(steady_clock::time_point since) {
  const std::lock_guard lock(return_mutex_);
  if (seen_to_ < since && answers(is_given_up_ ? short_answer_max : options_.answer_max)) call_on_return();
}

void Outages::call_on_return() {
  seen_to_ = steady_clock::now();
  if (on_return_) on_return_();
  returned_ = steady_clock::now();
}

}  // namespace drover::stack
