// The journal beside a part file: which ranges were written, with their CRC, and how far they were hashed (docs/formats.md).
//
// Encoding and replay are pure, but for reading the file; PartFile does the rest. A record counts when its own CRC is right and all records before it counted;
// the first bad one ends the journal, so a torn tail is harmless.
#pragma once

#include "digest/digest.h"
#include "digest/sha256.h"
#include "store/ranges.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::store {

inline constexpr std::size_t journal_header_bytes = 128;
inline constexpr std::size_t journal_record_bytes = 72;
// So many records are replayed, at 64 bytes of memory each; what a longer journal has behind them is fetched again. A record stands for a
// written buffer, 256 KiB: this is enough for 250 GB, and a blob of 100 GiB takes 25 MiB. Connections so slow that theirs takes longer than a
// second write less, 16 KiB at least: then it is for 16 GB.
inline constexpr std::size_t journal_records_max = 1'000'000;

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
// The records that follow in `bytes`, which begin and end at a record's border unless the file ends. False once the journal has ended: no
// more are to be added.
bool append_records(std::string_view bytes, Journal& journal);
// A journal from its file, a piece at a time; nothing when there is none or its header is not sound. Throws io.
std::optional<Journal> read_journal(const std::filesystem::path& path);

// The records that may be believed in the boot `now`: all of them in the boot that wrote them, otherwise those before the last `synced`.
std::vector<JournalRecord> credible_records(Journal journal, const BootId& now);

std::uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace drover::store
