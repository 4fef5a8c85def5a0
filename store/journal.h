// The journal beside a part file: which ranges were written, with their CRC, and how far they were hashed (docs/formats.md).
//
// Encoding and replay are pure; PartFile does the I/O. A record counts when its own CRC is right and all records before it counted;
// the first bad one ends the journal, so a torn tail is harmless.
#pragma once

#include "digest/digest.h"
#include "digest/sha256.h"
#include "store/ranges.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::store {

inline constexpr std::size_t journal_header_bytes = 128;
inline constexpr std::size_t journal_record_bytes = 72;
// A record a written buffer: 64 KiB buffers of a 1 TiB blob would fill this; beyond it the tail is not replayed, only fetched again.
inline constexpr std::uint64_t journal_bytes_max = 1280ULL << 20U;

using BootId = std::array<std::byte, 16>;

struct JournalHeader {
  Digest digest;
  std::uint64_t size = 0;   // of the blob, bytes
  std::uint64_t inode = 0;  // of the part file
  BootId boot{};            // the boot in which unsynced records were written
};

struct JournalRecord {
  enum class Kind : std::uint32_t {
    range = 1,  // `range` was written and has `crc`; `midstate` is the hash state at the frontier afterwards
    synced = 2, // everything recorded before is on the disk itself
  };
  Kind kind = Kind::range;
  std::uint32_t crc = 0;  // CRC-32C of the range's bytes
  ByteRange range;
  Sha256::Midstate midstate;  // bytes == 0: none

  friend bool operator==(const JournalRecord&, const JournalRecord&) = default;
};

std::string encode_header(const JournalHeader& header);
std::string encode_record(const JournalRecord& record);

struct Journal {
  JournalHeader header;
  std::vector<JournalRecord> records;  // the sound ones, in order
};
// Nothing when even the header is not sound.
std::optional<Journal> decode_journal(std::string_view bytes);

// The records that may be believed in the boot `now`: all of them in the boot that wrote them, otherwise those before the last `synced`.
std::vector<JournalRecord> credible_records(const Journal& journal, const BootId& now);

std::uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace drover::store
