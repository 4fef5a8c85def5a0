#include "registry/blob_routes.h"

#include "registry/signed_url.h"

namespace drover::registry {

bool BlobRoutes::is_usable(const Context& ctx, const Entry& entry) {
  if (!entry.target) return false;
  if (entry.expires) return ctx.clock->system_now() + signed_url_margin < *entry.expires;
  return ctx.clock->now() - entry.used < signed_url_idle_max;
}

BlobRoutes::Route BlobRoutes::find(const Context& ctx, const std::string& blob) {
  std::unique_lock lock(mutex_);
  Entry& entry = entries_[blob];
  changed_.wait(lock, ctx.stop, [&] { return !entry.is_asking; });
  if (entry.is_asking) {
    lock.unlock();
    ctx.check_stop();
    return {};
  }
  if (entry.is_home) return {Way::home, {}};
  if (is_usable(ctx, entry)) {
    entry.used = ctx.clock->now();
    return {Way::target, *entry.target};
  }
  entry.target.reset();
  entry.is_asking = true;
  return {Way::ask, {}};
}

void BlobRoutes::found(const Context& ctx, const std::string& blob, const net::Url& url, const std::string& home) {
  const std::string origin = url.origin();
  const bool is_home = origin == home;
  const auto expires = parse_signed_url_expiry(url.target);
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[blob];
    entry.is_asking = false;
    entry.is_home = is_home;
    entry.target = is_home ? std::nullopt : std::optional(url);
    // A clock that runs ahead would expire every URL on arrival: then it is as if it did not say.
    entry.expires = expires && *expires > ctx.clock->system_now() + signed_url_margin ? expires : std::nullopt;
    entry.used = ctx.clock->now();
    last_origin_[home] = origin;
  }
  changed_.notify_all();
}

void BlobRoutes::give_up(const std::string& blob) {
  {
    const std::lock_guard lock(mutex_);
    entries_[blob].is_asking = false;
  }
  changed_.notify_all();
}

void BlobRoutes::forget(const std::string& blob, const net::Url& target) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[blob];
  if (entry.target == target) entry.target.reset();
}

std::string BlobRoutes::origin(const std::string& blob, const std::string& home) const {
  const std::lock_guard lock(mutex_);
  if (const auto entry = entries_.find(blob); entry != entries_.end()) {
    if (entry->second.is_home) return home;
    if (entry->second.target) return entry->second.target->origin();
  }
  const auto last = last_origin_.find(home);
  return last == last_origin_.end() ? home : last->second;
}

void BlobRoutes::note_no_ranges(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  no_ranges_.insert(origin);
}

bool BlobRoutes::has_ranges(const std::string& origin) const {
  const std::lock_guard lock(mutex_);
  return !no_ranges_.contains(origin);
}

}  // namespace drover::registry
