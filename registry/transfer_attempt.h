// One request's receiving side: bytes into buffers, from the first wanted byte to the last. Belongs to one receiver.
#pragma once

#include "registry/transfer_state.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>

namespace drover::registry {

struct Transfer::Impl::Attempt {
  Attempt(Impl& impl, Blob& of, const ChunkScheduler::Request& asked, std::optional<std::size_t> from)
      : transfer(impl),
        blob(of),
        request(asked),
        origin(from),
        reached(asked.range.begin),
        forward(impl.stop.get_token(), [this] { stop.request_stop(); }) {}

  // As a BlobSink.
  bool take(std::uint64_t offset, std::span<const std::byte> bytes);
  void flush();

  Impl& transfer;
  Blob& blob;
  ChunkScheduler::Request request;      // its end moves when a whole answer is taken whole
  const std::optional<std::size_t> origin;  // of the blob's, when it is fetched from several
  std::atomic<std::uint64_t> reached;   // the next byte that is wanted; read by others
  bool is_unranged = false;             // the server sent other bytes than those asked for
  bool is_ended_early = false;          // others have the rest
  bool is_broken_off = false;           // as superfluous; under the transfer's lock
  std::optional<Piece> piece;
  std::uint64_t piece_end = 0;
  Clock::time_point piece_begun{};
  std::stop_source stop;                // of this attempt alone
  std::stop_callback<std::function<void()>> forward;

 private:
  bool begin_piece();
  std::size_t await_grant(std::size_t bytes);
  bool is_worth_flushing() const;
  std::uint64_t reserve(std::unique_lock<std::mutex>& lock);
  std::optional<Buffer> take_buffer(std::unique_lock<std::mutex>& lock);
};

}  // namespace drover::registry
