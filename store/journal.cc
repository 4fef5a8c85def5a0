#include "store/journal.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <isa-l/crc.h>

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace drover::store {
namespace {

constexpr std::string_view magic = "drvpart1";

template <typename Int>
void put(std::string& out, Int value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFFU);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename Int>
  Int get() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Int); ++i) value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[at_ + i])) << (8 * i);
    at_ += sizeof(Int);
    return static_cast<Int>(value);
  }

  std::string_view take(std::size_t count) {
    const std::string_view part = bytes_.substr(at_, count);
    at_ += count;
    return part;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

bool is_sealed(std::string_view bytes) {
  Reader tail(bytes.substr(bytes.size() - 4));
  return tail.get<std::uint32_t>() == crc32c(as_bytes(bytes.substr(0, bytes.size() - 4)));
}

void seal(std::string& bytes) { put(bytes, crc32c(as_bytes(bytes))); }

std::optional<JournalHeader> decode_header(std::string_view bytes) {
  if (bytes.size() < journal_header_bytes || !bytes.starts_with(magic) || !is_sealed(bytes.substr(0, journal_header_bytes))) return std::nullopt;
  Reader in(bytes);
  in.take(magic.size());
  const auto algorithm = in.get<std::uint32_t>() == 1 ? Digest::Algorithm::sha256 : Digest::Algorithm::sha512;
  const std::string_view digest = in.take(64);
  JournalHeader header{.digest = Digest::from_bytes(algorithm, as_bytes(digest.substr(0, algorithm == Digest::Algorithm::sha256 ? 32 : 64)))};
  header.size = in.get<std::uint64_t>();
  header.inode = in.get<std::uint64_t>();
  std::memcpy(header.boot.data(), in.take(header.boot.size()).data(), header.boot.size());
  return header;
}

std::optional<JournalRecord> decode_record(std::string_view bytes, std::uint64_t blob_size) {
  if (!is_sealed(bytes)) return std::nullopt;
  Reader in(bytes);
  JournalRecord record;
  const auto kind = in.get<std::uint32_t>();
  if (kind != 1 && kind != 2) return std::nullopt;
  record.kind = static_cast<JournalRecord::Kind>(kind);
  record.crc = in.get<std::uint32_t>();
  record.range.begin = in.get<std::uint64_t>();
  record.range.end = in.get<std::uint64_t>();
  record.midstate.bytes = in.get<std::uint64_t>();
  for (std::uint32_t& word : record.midstate.words) word = in.get<std::uint32_t>();
  if (record.range.begin > record.range.end || record.range.end > blob_size) return std::nullopt;
  if (record.midstate.bytes > blob_size || record.midstate.bytes % 64 != 0) return std::nullopt;
  return record;
}

}  // namespace

std::string encode_header(const JournalHeader& header) {
  std::string out(magic);
  put(out, std::uint32_t{header.digest.algorithm() == Digest::Algorithm::sha256 ? 1U : 2U});
  std::string digest(as_text(header.digest.bytes()));
  digest.resize(64);
  out += digest;
  put(out, header.size);
  put(out, header.inode);
  out += as_text(header.boot);
  out.resize(journal_header_bytes - 4);
  seal(out);
  return out;
}

std::string encode_record(const JournalRecord& record) {
  std::string out;
  out.reserve(journal_record_bytes);
  put(out, static_cast<std::uint32_t>(record.kind));
  put(out, record.crc);
  put(out, record.range.begin);
  put(out, record.range.end);
  put(out, record.midstate.bytes);
  for (const std::uint32_t word : record.midstate.words) put(out, word);
  out.resize(journal_record_bytes - 4);
  seal(out);
  return out;
}

std::optional<Journal> decode_journal(std::string_view bytes) {
  const std::optional<JournalHeader> header = decode_header(bytes);
  if (!header) return std::nullopt;
  Journal journal{.header = *header, .records = {}};
  append_records(bytes.substr(journal_header_bytes), journal);
  return journal;
}

bool append_records(std::string_view bytes, Journal& journal) {
  for (; bytes.size() >= journal_record_bytes; bytes.remove_prefix(journal_record_bytes)) {
    if (journal.records.size() == journal_records_max) return false;
    const std::optional<JournalRecord> record = decode_record(bytes.substr(0, journal_record_bytes), journal.header.size);
    if (!record) return false;
    journal.records.push_back(*record);
  }
  return bytes.empty();
}

std::optional<Journal> read_journal(const std::filesystem::path& path) {
  constexpr std::size_t piece_bytes = 4096 * journal_record_bytes;
  UniqueFd fd;
  try {
    fd = open_file(path, O_RDONLY);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) return std::nullopt;
    throw;
  }
  std::vector<std::byte> memory(piece_bytes);
  const auto read_piece = [&](std::uint64_t offset, std::size_t size) {
    return as_text(std::span(memory).first(read_at(fd.get(), std::span(memory).first(size), offset, path.string())));
  };
  std::optional<Journal> journal = decode_journal(read_piece(0, journal_header_bytes));
  if (!journal) return std::nullopt;
  std::uint64_t offset = journal_header_bytes;
  for (std::string_view piece = read_piece(offset, piece_bytes); append_records(piece, *journal) && !piece.empty();) {
    offset += piece.size();
    piece = read_piece(offset, piece_bytes);
  }
  return journal;
}

std::vector<JournalRecord> credible_records(Journal journal, const BootId& now) {
  std::vector<JournalRecord> records = std::move(journal.records);
  if (journal.header.boot == now) return records;
  const auto last = std::find_if(records.rbegin(), records.rend(), [](const JournalRecord& r) { return r.kind == JournalRecord::Kind::synced; });
  records.erase(last.base(), records.end());
  return records;
}

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  std::uint32_t crc = ~0U;
  while (!bytes.empty()) {
    const std::size_t step = std::min<std::size_t>(bytes.size(), std::numeric_limits<int>::max());
    // The library takes a pointer to non-const and does not write through it.
    auto* const data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
    crc = crc32_iscsi(data, static_cast<int>(step), crc);
    bytes = bytes.subspan(step);
  }
  return ~crc;
}

}  // namespace drover::store
