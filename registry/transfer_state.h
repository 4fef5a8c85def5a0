// What a transfer's threads share: the blobs, the buffers between receivers and hashers, the queues; all under one mutex.
// For the transfer's own source files only: transfer_receive.cc fills buffers, transfer_hash.cc writes and hashes them,
// transfer_commit.cc publishes.
#pragma once

#include "registry/chunk_scheduler.h"
#include "registry/rate_limiter.h"
#include "registry/transfer.h"
#include "store/part_file.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace drover::registry {

struct Transfer::Impl {
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t buffer_bytes = 256U << 10U;
  static constexpr std::size_t buffers_max = 64;  // 16 MiB: the memory of all transfers together

  struct Buffer {
    std::unique_ptr<std::byte[]> bytes = std::make_unique_for_overwrite<std::byte[]>(buffer_bytes);
  };

  struct Piece {
    std::uint64_t offset = 0;
    std::size_t size = 0;
    Buffer buffer;
  };

  struct Blob {
    enum class State { waiting, opening, foreign, active, committing, done };

    Descriptor descriptor;
    Reference repository;                 // that it is fetched from now
    std::vector<Reference> alternatives;  // others that name it too, should this one not have it
    std::string label;
    std::size_t shares = 1;               // images that wait for it
    State state = State::waiting;
    Clock::time_point look_again{};       // foreign: when
    ChunkScheduler::BlobId scheduled = 0;
    std::optional<store::PartFile> part;  // used by one hasher or committer at a time
    std::deque<Piece> pieces;             // received, not written
    bool in_hasher = false;
    bool was_restarted = false;           // the bytes were wrong once
    int attempt = 1;
    bool is_backing_off = false;
    std::uint64_t written = 0;
  };

  Impl(const Context& context, Client& c, store::BlobStore& s, const TransferOptions& o, Done d)
      : ctx(context), client(c), store(s), options(o), done(std::move(d)), limiter(o.rate_bytes_per_second) {}

  Context ctx;
  Client& client;
  store::BlobStore& store;
  TransferOptions options;
  Done done;
  RateLimiter limiter;

  std::mutex mutex;
  std::condition_variable work_ready;         // receivers, finish: something to open or fetch, or the end
  std::condition_variable buffer_freed;        // receivers: a buffer
  std::condition_variable piece_received;     // hashers: a piece, or no more receivers
  std::condition_variable blob_written;      // committers: a blob, or no more hashers
  std::deque<Blob> blobs;               // never shrinks: references stay good
  ChunkScheduler scheduler;
  std::unordered_map<ChunkScheduler::BlobId, Blob*> by_schedule;
  std::vector<Buffer> free_buffers;
  std::size_t buffers_made = 0;
  std::deque<Blob*> to_hash;
  std::deque<Blob*> to_commit;
  std::size_t receivers_left = 0;
  std::size_t hashers_left = 0;
  std::size_t unfinished = 0;
  bool is_closed = false;
  std::optional<Error> fatal;
  double rates = 0;                     // of all connections, bytes a second
  double round_trip = 0;                // the shortest seen, seconds
  std::uint64_t resumed = 0;

  std::stop_source stop;
  std::optional<std::stop_callback<std::function<void()>>> forward;  // the caller's stop is ours
  std::vector<std::jthread> threads;    // last: they end before the rest goes

  void wake_all();
  void request_stop();
  bool is_over() const { return fatal || stop.stop_requested() || (is_closed && unfinished == 0); }
  Context inner() const;
  void start();
  void fail_all(const Error& error);
  void finish_blob(std::unique_lock<std::mutex>& lock, Blob& blob, const std::optional<Error>& error);
  void report(ProgressEvent::Kind kind, const Blob& blob, std::uint64_t written, std::string_view text = {}) const;

  // Receivers: transfer_receive.cc, transfer_attempt.cc.
  void receive();
  Blob* find_to_open();
  void open(std::unique_lock<std::mutex>& lock, Blob& blob);
  struct Attempt;
  void fetch(std::unique_lock<std::mutex>& lock, const ChunkScheduler::Request& request, double& rate);
  std::optional<Buffer> take_buffer();
  void commit_if_complete(Blob& blob);
  void submit(Blob& blob, Piece piece);
  void after_failure(std::unique_lock<std::mutex>& lock, Blob& blob, const Error& error, std::uint64_t received);

  // Hashers and committers: transfer_hash.cc, transfer_commit.cc.
  void hash();
  void write_pieces(std::unique_lock<std::mutex>& lock, Blob& blob);
  void commit();
  void commit_blob(std::unique_lock<std::mutex>& lock, Blob& blob);
};

}  // namespace drover::registry
