// What a transfer's threads share: the blobs, the buffers between receivers and writers, the queues; all under one mutex.
// For the transfer's own source files only: transfer_receive.cc fills buffers, transfer_write.cc puts them on disk, transfer_hash.cc hashes
// what lies there, transfer_commit.cc publishes; transfer_sources.cc is about blobs that several sources serve.
#pragma once

#include "registry/chunk_scheduler.h"
#include "registry/rate_limiter.h"
#include "registry/sent_ranges.h"
#include "registry/transfer.h"
#include "store/part_file.h"
#include "store/ranges.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
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
  // Blobs that are fetched or wait for the disk: up to three files each, of the 1024 that a process may have open by default.
  static constexpr std::size_t open_max = 128;

  struct Buffer {
    std::unique_ptr<std::byte[]> bytes = std::make_unique_for_overwrite<std::byte[]>(buffer_bytes);
  };

  struct Piece {
    std::uint64_t offset = 0;
    std::size_t size = 0;
    Buffer buffer;
    std::optional<std::size_t> origin = {};  // of Blob::origins
  };

  // One of several sources of a blob, while it is fetched from all of them.
  struct Origin {
    BlobSource source;
    ChunkScheduler::HostId host = 0;
    int failures = 0;        // in a row
    std::string host_name;   // in Impl::hosts
    bool is_left_out = false;
  };

  struct Blob {
    enum class State { waiting, opening, foreign, active, committing, done };

    Descriptor descriptor;
    Reference repository;                 // that it is fetched from now
    std::vector<Reference> alternatives;  // others that name it too, should this one not have it
    std::string label;
    std::size_t shares = 1;               // images that wait for it
    bool is_urgent = false;
    State state = State::waiting;
    Clock::time_point look_again{};       // foreign: when
    ChunkScheduler::BlobId scheduled = 0;
    std::optional<store::PartFile> part;  // used by one writer beside the hashing thread, or by one committer
    RangeSet landed;                      // written or being written; the same
    std::deque<Piece> pieces;             // received, not written
    bool in_writer = false;
    bool in_hasher = false;               // with the hashing thread, or waiting for it
    bool was_restarted = false;           // the bytes were wrong once
    bool was_pardoned = false;            // who had been suspected of that may be asked again
    std::vector<Origin> origins;          // where it was to be fetched from, if from several; stays
    bool is_side_by_side = false;         // it still is, if from one that is left; else from wherever `repository` leads to
    std::vector<RangeSet> brought;        // by origin, what of it lies on disk; the writer's, then the committer's
    std::vector<SentRange> suspected;     // of an attempt that came out wrong
    int attempt = 1;
    bool is_backing_off = false;
    std::uint64_t written = 0;
    std::uint64_t resumed = 0;            // of these, by an earlier run
  };

  // By the registry's name; what serves its blobs, often another host, is one party with it.
  struct Host {
    ChunkScheduler::HostId scheduled = 0;
    std::set<std::string> images;         // resolved there
    bool is_waited_for = false;           // it said when to ask again, and somebody sleeps until then
  };

  Impl(const Context& context, Client& c, store::BlobStore& s, const TransferOptions& o, Done d);

  Context ctx;
  Client& client;
  store::BlobStore& store;
  TransferOptions options;
  const std::size_t connections;
  Done done;
  RateLimiter own_limiter;
  RateLimiter& limiter;

  std::mutex mutex;
  std::condition_variable work_ready;      // receivers, finish: something to open or fetch, or the end
  std::condition_variable buffer_freed;    // receivers: a buffer
  std::condition_variable piece_received;  // writers: a piece, or no more receivers
  std::condition_variable bytes_written;   // the hashing thread: bytes at a frontier, or no more writers
  std::condition_variable blob_hashed;     // committers: a blob, or no more hashing
  std::deque<Blob> blobs;                  // never shrinks: references stay good
  std::map<std::string, Host> hosts;
  ChunkScheduler scheduler;
  std::unordered_map<ChunkScheduler::BlobId, Blob*> by_schedule;
  struct Attempt;
  std::vector<Attempt*> attempts;          // under way, each on its receiver's stack
  Clock::time_point watched{};             // when they were last looked at
  std::vector<Buffer> free_buffers;
  std::size_t buffers_made = 0;
  std::deque<Blob*> to_write;
  std::size_t pieces_waiting = 0;          // received, in no writer's hands
  std::deque<Blob*> to_hash;
  std::deque<Blob*> to_commit;
  std::size_t receivers_left = 0;
  std::size_t writers_left = 0;
  bool is_hashing = false;                 // its thread has not ended
  std::size_t unfinished = 0;
  bool is_closed = false;
  std::optional<Error> fatal;

  std::stop_source stop;
  std::optional<std::stop_callback<std::function<void()>>> forward;  // the caller's stop is ours
  std::vector<std::jthread> threads;       // last: they end before the rest goes

  void wake_all();
  void request_stop();
  bool is_over() const { return fatal || stop.stop_requested() || (is_closed && unfinished == 0); }
  Context inner() const;
  void start();
  void fail_all(const Error& error);
  void finish_blob(std::unique_lock<std::mutex>& lock, Blob& blob, const std::optional<Error>& error);
  void report(ProgressEvent::Kind kind, const Blob& blob, std::uint64_t written, std::string_view text = {}) const;
  Host& host_named(const std::string& name);
  Host& host_of(const Reference& repository) { return host_named(repository.registry()); }
  Host& host_of(const Blob& blob);
  void note_image(const Reference& image);
  void commit_if_complete(Blob& blob);
  void close_if_given_up(std::unique_lock<std::mutex>& lock, Blob& blob);

  // Receivers: transfer_receive.cc, transfer_failure.cc.
  void receive(ChunkScheduler::ConnectionId connection);
  Blob* find_to_open();
  void open(std::unique_lock<std::mutex>& lock, Blob& blob);
  void schedule(Blob& blob, std::optional<store::PartFile> part, const RangeSet& present);
  void fetch(std::unique_lock<std::mutex>& lock, const ChunkScheduler::Request& request);
  std::optional<Error> fetch_into(Attempt& attempt, const Reference& repository, const std::optional<BlobSource>& source);
  void break_off_superfluous(Clock::time_point now);
  void break_off(Attempt& attempt);
  static bool is_refusal(const Error& error, bool is_shared);
  static bool may_be_about_range(const Error& error);
  void after_failure(std::unique_lock<std::mutex>& lock, Blob& blob, const Error& error);
  void give_up_or_go_elsewhere(std::unique_lock<std::mutex>& lock, Blob& blob, const Error& error);

  // Several sources of one blob: transfer_sources.cc.
  void begin_side_by_side(Blob& blob);
  void end_side_by_side(Blob& blob);
  std::optional<std::size_t> find_origin(const Blob& blob, ChunkScheduler::HostId host) const;
  bool is_one_of_several(const Blob& blob, std::optional<std::size_t> origin) const;
  void judge_origin(std::unique_lock<std::mutex>& lock, Blob& blob, std::size_t origin, const std::optional<Error>& failure, bool is_unranged);
  void leave_out(Blob& blob, std::size_t origin, std::string_view why);
  void ask_in_turn_again(Blob& blob);
  bool is_still_asked(const Blob& blob, const Origin& origin) const;
  void leave_out_slow_mirrors(Clock::time_point now);
  void wait_for_origin(std::unique_lock<std::mutex>& lock, Origin& origin, const Error& failure);
  void suspect_origins(Blob& blob, int part) const;
  void judge_suspects(const Context& patient, Blob& blob) const;
  bool pardon_mirrors(Blob& blob) const;
  void report_sources() const;

  // Writers, the hashing thread, committers: transfer_write.cc, transfer_hash.cc, transfer_commit.cc.
  void write(bool is_helper);
  std::vector<Blob*> take_ready();
  bool is_writer_behind() const { return pieces_waiting > buffers_max / 2; }
  void write_pieces(std::unique_lock<std::mutex>& lock, Blob& blob);
  void hash();
  void hash_if_needed(Blob& blob);
  static std::uint64_t write_new(const Context& patient, Blob& blob, const Piece& piece);
  void commit();
  void commit_blob(std::unique_lock<std::mutex>& lock, Blob& blob);
};

}  // namespace drover::registry
