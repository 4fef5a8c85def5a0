// SHA-256 (FIPS 180-4) of one stream, by the fastest row that this CPU has; its state can be saved and taken up again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace drover {

struct Sha256Backend;

// Not thread-safe; copyable (a copy continues on its own).
class Sha256 {
 public:
  // The state after a whole number of 64-byte blocks.
  struct Midstate {
    std::array<std::uint32_t, 8> words{};
    std::uint64_t bytes = 0;  // hashed so far, a multiple of 64

    friend bool operator==(const Midstate&, const Midstate&) = default;
  };

  Sha256();
  // Continues after `midstate.bytes` bytes. Throws invalid when that is not a multiple of 64.
  explicit Sha256(const Midstate& midstate);
  // On a row of choice with one lane (digest/sha256_backend.h), which this CPU must be able to run: for tests and benches.
  explicit Sha256(const Sha256Backend& row);
  Sha256(const Midstate& midstate, const Sha256Backend& row);

  void update(std::span<const std::byte> bytes);
  // The digest; the object must not be used afterwards.
  std::array<std::byte, 32> finish();

  // The state at the last whole block at or before what was fed in; bytes after it have to be fed again.
  Midstate midstate() const;
  std::uint64_t bytes() const { return bytes_; }

 private:
  friend class Sha256Lanes;  // several at once: digest/sha256_lanes.h

  // The two ends of an update. Bytes that complete the unfinished block are hashed; gives back those that begin at a block. Neither
  // counts bytes.
  std::span<const std::byte> fill_block(std::span<const std::byte> bytes);
  // Fewer than 64, which wait for more. None: the block stays as it is.
  void begin_block(std::span<const std::byte> rest);

  const Sha256Backend* row_;  // lives as long as the program
  std::array<std::uint32_t, 8> words_;
  std::array<std::byte, 64> block_{};  // the unfinished block: bytes_ % 64 of it are used
  std::uint64_t bytes_ = 0;
};

// The name of the row in use for one stream: "shani", "armv8" or "portable". DROVER_SHA256 in the environment overrides it; a
// name that this CPU cannot run, or that is unknown, throws usage and lists the rows.
std::string_view sha256_backend_name();

}  // namespace drover
