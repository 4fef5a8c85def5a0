// What a receiver does after a request that failed: wait, ask elsewhere, or give the blob up.
#include "registry/transfer_state.h"

#include <utility>

namespace drover::registry {

// Too many requests, overloaded, or no answer at all: what a host does to one connection too many. Some forbid it instead (403);
// that is meant only where another request of the same blob shows that it is allowed.
bool Transfer::Impl::is_refusal(const Error& error, bool is_shared) {
  if (error.code() == ErrorCode::interrupted) return false;
  if (error.http_status == 429 || error.http_status == 503) return true;
  return error.http_status == 403 ? is_shared : error.code() == ErrorCode::network && error.http_status == 0;
}

// Whether a refusal may be about the Range header alone, which some servers and proxies in front of them do not let pass. 400 and 416 are so
// to the client already.
bool Transfer::Impl::may_be_about_range(const Error& error) {
  return error.http_status == 403 || error.http_status == 405 || error.http_status == 501;
}

// Waits as the failure asks for, so that the same range can be tried again; gives the blob up when it is final.
void Transfer::Impl::after_failure(std::unique_lock<std::mutex>& lock, Blob& blob, const Error& error) {
  if (error.code() == ErrorCode::interrupted) return;
  const bool is_extra = is_refusal(error, true) && scheduler.in_flight(blob.scheduled) > 0;
  if (is_extra && error.http_status == 403) {
    scheduler.set_sequential(blob.scheduled);
    return;
  }
  if (blob.is_backing_off && !is_extra) return;  // several connections failed at once: that counts once
  Host& host = host_of(blob);
  const ChunkScheduler::HostId host_id = host.scheduled;
  if (error.retry_at && host.is_waited_for) return;
  // Told when to ask again, nobody asks that host; else this blob waits, or, where others are at work on it, only this receiver.
  const bool is_host_waiting = error.retry_at.has_value();
  const bool is_blob_waiting = !is_host_waiting && !is_extra;
  if (is_host_waiting) {
    host.is_waited_for = true;
    scheduler.set_host_paused(host_id, true);
  }
  if (is_blob_waiting) {
    blob.is_backing_off = true;
    scheduler.set_paused(blob.scheduled, true);
  }
  const int attempt = is_extra ? 2 : ++blob.attempt;
  lock.unlock();
  std::optional<Error> final;
  try {
    client.wait_before_retry(inner(), error, attempt);
  } catch (const Error& e) {
    final = e;
  }
  lock.lock();
  if (is_host_waiting) {
    host.is_waited_for = false;
    scheduler.set_host_paused(host_id, false);
  }
  if (is_blob_waiting) {
    blob.is_backing_off = false;
    scheduler.set_paused(blob.scheduled, false);
  }
  work_ready.notify_all();
  const bool is_final = final && final->code() != ErrorCode::interrupted;
  if (is_final && blob.state == Blob::State::active) give_up_or_go_elsewhere(lock, blob, *final);
}

void Transfer::Impl::give_up_or_go_elsewhere(std::unique_lock<std::mutex>& lock, Blob& blob, const Error& error) {
  if (blob.is_side_by_side) {
    ctx.debug(std::string(error.what()) + "; asking its sources in turn");
    return ask_in_turn_again(blob);
  }
  if (!blob.alternatives.empty()) {
    ctx.warn(std::string(error.what()) + "; trying " + blob.alternatives.back().name());
    blob.repository = blob.alternatives.back();
    blob.alternatives.pop_back();
    blob.attempt = 1;
    scheduler.set_host(blob.scheduled, host_of(blob.repository).scheduled);
    return;
  }
  scheduler.drop(blob.scheduled);
  finish_blob(lock, blob, error);
}

}  // namespace drover::registry
