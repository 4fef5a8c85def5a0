#include "registry/transfer.h"

#include "registry/transfer_state.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace drover::registry {
namespace {

constexpr std::size_t connections_max = 32;  // each may hold one unfinished buffer; enough must be left to go round
constexpr std::size_t writers = 2;           // one, and a helper for when it falls behind
constexpr std::size_t committers = 2;

}  // namespace

Transfer::Impl::Impl(const Context& context, Client& c, store::BlobStore& s, const TransferOptions& o, Done d)
    : ctx(context),
      client(c),
      store(s),
      options(o),
      connections(std::clamp<std::size_t>(2 * o.jobs, 1, connections_max)),
      done(std::move(d)),
      own_limiter(o.rate_bytes_per_second),
      limiter(o.limiter != nullptr ? *o.limiter : own_limiter),
      scheduler({.connections_each_host = connections, .patience = c.patience()}) {}

// What the threads work with: it also stops when the transfer does.
Context Transfer::Impl::inner() const {
  Context context = ctx;
  context.stop = stop.get_token();
  return context;
}

void Transfer::Impl::report(ProgressEvent::Kind kind, const Blob& blob, std::uint64_t written, std::string_view text) const {
  const std::string id = blob.descriptor.digest.to_string();
  ctx.progress->on({.kind = kind,
                    .phase = "fetch",
                    .id = id,
                    .label = blob.label,
                    .done = written,
                    .total = blob.descriptor.size,
                    .text = text});
}

void Transfer::Impl::wake_all() {
  const std::lock_guard lock(mutex);  // so that nobody is between looking and sleeping
  work_ready.notify_all();
  buffer_freed.notify_all();
  piece_received.notify_all();
  bytes_written.notify_all();
  blob_hashed.notify_all();
}

void Transfer::Impl::request_stop() {
  stop.request_stop();
  wake_all();
}

void Transfer::Impl::start() {
  forward.emplace(ctx.stop, [this] { request_stop(); });
  receivers_left = connections;
  writers_left = writers;
  is_hashing = true;
  const auto guarded = [this](const auto& loop) {
    try {
      loop();
    } catch (const Error& e) {
      fail_all(e);
    } catch (const std::exception& e) {
      fail_all(Error(ErrorCode::failed, e.what()));
    }
  };
  for (std::size_t i = 0; i < connections; ++i) {
    threads.emplace_back([this, guarded, i] {
      guarded([&] { receive(i); });
      const std::lock_guard lock(mutex);
      --receivers_left;
      piece_received.notify_all();
    });
  }
  for (std::size_t i = 0; i < writers; ++i) {
    threads.emplace_back([this, guarded, i] {
      guarded([&] { write(i > 0); });
      const std::lock_guard lock(mutex);
      --writers_left;
      bytes_written.notify_all();
    });
  }
  threads.emplace_back([this, guarded] {
    guarded([&] { hash(); });
    const std::lock_guard lock(mutex);
    is_hashing = false;
    blob_hashed.notify_all();
  });
  for (std::size_t i = 0; i < committers; ++i) {
    threads.emplace_back([this, guarded] { guarded([&] { commit(); }); });
  }
}

// The disk or the store is at fault: nothing else can succeed either.
void Transfer::Impl::fail_all(const Error& error) {
  {
    const std::lock_guard lock(mutex);
    if (!fatal && error.code() != ErrorCode::interrupted) fatal = error;
  }
  request_stop();
}

void Transfer::Impl::finish_blob(std::unique_lock<std::mutex>& lock, Blob& blob, const std::optional<Error>& error) {
  if (blob.state == Blob::State::done) return;
  blob.state = Blob::State::done;
  close_if_given_up(lock, blob);  // first, because it may be asked for anew at once
  const std::uint64_t written = blob.written;
  lock.unlock();
  // Without the lock: whoever hears of a failure may stop the run at once, and our answer to that takes it.
  report(error ? ProgressEvent::Kind::failed : ProgressEvent::Kind::finished, blob, written, error ? error->what() : "");
  done(blob.descriptor.digest, error);
  lock.lock();
  --unfinished;
  work_ready.notify_all();
}

Transfer::Impl::Host& Transfer::Impl::host_named(const std::string& name) {
  const auto [entry, is_new] = hosts.try_emplace(name);
  if (is_new) entry->second.scheduled = scheduler.add_host();
  return entry->second;
}

// Where it is fetched from, if from one.
Transfer::Impl::Host& Transfer::Impl::host_of(const Blob& blob) {
  if (blob.is_side_by_side) {
    for (const Origin& origin : blob.origins) {
      if (!origin.is_left_out) return host_named(origin.host_name);
    }
  }
  return host_of(blob.repository);
}

// Each image was resolved over a connection of its own, and those stand: no need to begin with fewer.
void Transfer::Impl::note_image(const Reference& image) {
  Host& host = host_of(image);
  host.images.insert(image.to_string());
  scheduler.begin_with(host.scheduled, host.images.size());
}

// All bytes are there, written and hashed: on to the committers.
void Transfer::Impl::commit_if_complete(Blob& blob) {
  if (blob.state != Blob::State::active || blob.in_writer || blob.in_hasher || !blob.pieces.empty()) return;
  if (!scheduler.is_settled(blob.scheduled)) return;
  blob.state = Blob::State::committing;
  to_commit.push_back(&blob);
  blob_hashed.notify_one();
}

// Nobody uses its part any more; what is there stays for the next run.
void Transfer::Impl::close_if_given_up(std::unique_lock<std::mutex>& lock, Blob& blob) {
  if (blob.state != Blob::State::done || !blob.part || blob.in_writer || blob.in_hasher || !blob.pieces.empty()) return;
  std::optional<store::PartFile> part = std::exchange(blob.part, std::nullopt);
  lock.unlock();
  part.reset();  // syncs
  lock.lock();
}

Transfer::Transfer(const Context& ctx, Client& client, store::BlobStore& store, const TransferOptions& options, Done done)
    : impl_(std::make_unique<Impl>(ctx, client, store, options, std::move(done))) {
  try {
    impl_->start();
  } catch (const std::system_error& e) {  // those threads that run wait for all of them
    const Error error(ErrorCode::failed, std::string("cannot start the threads of a transfer: ") + e.what());
    impl_->fail_all(error);
    impl_->threads.clear();
    throw error;
  }
}

Transfer::~Transfer() {
  impl_->request_stop();
  impl_->threads.clear();
}

void Transfer::add(const Descriptor& descriptor, const Reference& repository, std::string label) {
  const std::lock_guard lock(impl_->mutex);
  impl_->blobs.push_back(
      {.descriptor = descriptor, .repository = repository, .alternatives = {}, .label = std::move(label), .part = {},
       .landed = {}, .pieces = {}, .origins = {}, .brought = {}, .suspected = {}});
  ++impl_->unfinished;
  impl_->note_image(repository);
  impl_->work_ready.notify_all();
}

bool Transfer::add_source(const Digest& digest, const Reference& repository) {
  const std::lock_guard lock(impl_->mutex);
  impl_->note_image(repository);
  for (Impl::Blob& blob : impl_->blobs) {
    if (blob.descriptor.digest != digest || blob.state == Impl::Blob::State::done) continue;
    ++blob.shares;
    if (blob.repository.name() != repository.name()) blob.alternatives.push_back(repository);
    if (blob.state == Impl::Blob::State::active) impl_->scheduler.set_shares(blob.scheduled, blob.shares);
    return true;
  }
  return false;
}

void Transfer::hurry(const Digest& digest) {
  const std::lock_guard lock(impl_->mutex);
  for (Impl::Blob& blob : impl_->blobs) {
    if (blob.descriptor.digest != digest || blob.state == Impl::Blob::State::done) continue;
    blob.is_urgent = true;
    if (blob.state == Impl::Blob::State::active) impl_->scheduler.set_urgent(blob.scheduled);
  }
}

void Transfer::finish() {
  {
    std::unique_lock lock(impl_->mutex);
    impl_->is_closed = true;
    impl_->work_ready.notify_all();
    impl_->work_ready.wait(lock, [this] { return impl_->is_over(); });
  }
  impl_->request_stop();
  impl_->threads.clear();
  for (Impl::Blob& blob : impl_->blobs) blob.part.reset();  // flushes the journals
  impl_->report_sources();
  if (impl_->fatal) throw Error(*impl_->fatal);
  impl_->ctx.check_stop();
}

Transfer::Brought Transfer::brought() const {
  const std::lock_guard lock(impl_->mutex);
  Brought sum;
  for (const Impl::Blob& blob : impl_->blobs) {
    sum.fetched_bytes += blob.written - blob.resumed;
    sum.resumed_bytes += blob.resumed;
  }
  return sum;
}

}  // namespace drover::registry
