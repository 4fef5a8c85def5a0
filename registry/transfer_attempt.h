// One request's receiving side: bytes into buffers, from the first wanted byte to the last. Belongs to one receiver.
#pragma once

#include "registry/transfer_state.h"

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>

namespace drover::registry {

struct Transfer::Impl::Attempt {
  Impl& transfer;
  Blob& blob;
  const ChunkScheduler::Request& request;
  std::stop_token token;
  std::uint64_t reached;               // the next byte that is wanted
  bool is_unranged = false;            // the server sent other bytes than those asked for
  Clock::time_point first_byte{};
  std::optional<Piece> piece;

  // As a BlobSink.
  bool take(std::uint64_t offset, std::span<const std::byte> bytes);
  bool begin_piece();
  void flush();
};

}  // namespace drover::registry
