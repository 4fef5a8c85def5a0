// The committers: whole blobs are compared, synced and published; one that came out wrong is fetched once more.
#include "base/file.h"
#include "registry/transfer_state.h"

#include <fcntl.h>

namespace drover::registry {

void Transfer::Impl::commit() {
  std::unique_lock lock(mutex);
  for (;;) {
    blob_hashed.wait(lock, [this] { return !to_commit.empty() || !is_hashing || fatal; });
    if (fatal || to_commit.empty()) return;
    Blob& blob = *to_commit.front();
    to_commit.pop_front();
    commit_blob(lock, blob);
  }
}

void Transfer::Impl::commit_blob(std::unique_lock<std::mutex>& lock, Blob& blob) {
  lock.unlock();
  const Context patient = ctx.without_stop();
  std::optional<Error> failure;
  std::optional<store::PartFile> fresh;
  // Stays readable when the part is dropped.
  const UniqueFd bytes = blob.origins.empty() ? UniqueFd() : open_file(store.ingest_path(blob.descriptor.digest, ".part"), O_RDONLY);
  try {
    blob.part->commit(patient, store);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::digest_mismatch) throw;
    failure = e;
    blob.part.reset();
    if (bytes && !blob.was_restarted) suspect_origins(blob, bytes.get());
    const bool has_other_source = client.reject_blob(patient, blob.repository, blob.descriptor);
    if (has_other_source || !blob.was_restarted || pardon_mirrors(blob)) fresh = store::PartFile::try_open(patient, store, blob.descriptor);
  }
  if (!failure) {
    blob.part.reset();
    judge_suspects(patient, blob);
  }
  lock.lock();
  if (!fresh) {
    finish_blob(lock, blob, failure);
    return;
  }
  // Once more in one piece: a proxy that mangles ranges often serves whole blobs rightly.
  ctx.warn(std::string(failure->what()) + "; fetching it once more");
  blob.part = std::move(fresh);
  blob.was_restarted = true;
  blob.landed = {};
  blob.written = 0;
  blob.resumed = 0;
  for (RangeSet& brought : blob.brought) brought = {};
  end_side_by_side(blob);
  scheduler.restart(blob.scheduled);
  blob.state = Blob::State::active;
  commit_if_complete(blob);  // of no bytes: no request will
  work_ready.notify_all();
}

}  // namespace drover::registry
