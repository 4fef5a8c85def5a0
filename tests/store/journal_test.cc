#include "store/journal.h"

#include <boost/test/unit_test.hpp>

#include "base/text.h"
#include "tests/support/temp_dir.h"

using namespace drover;
using namespace drover::store;

BOOST_AUTO_TEST_SUITE(journal)

namespace {

JournalHeader header() {
  JournalHeader h{.digest = Digest::of("blob"), .size = 1000, .inode = 42};
  h.boot.fill(std::byte{7});
  return h;
}

JournalRecord range(std::uint64_t begin, std::uint64_t end) {
  JournalRecord record{.crc = 99, .range = {begin, end}, .midstate = {}};
  record.midstate.bytes = 64;
  record.midstate.words[3] = 0xDEADBEEF;
  return record;
}

const JournalRecord synced{.kind = JournalRecord::Kind::synced, .range = {}, .midstate = {}};

}  // namespace

BOOST_AUTO_TEST_CASE(crc_is_castagnoli) {
  // RFC 3720 appendix B.4, and the check value of the CRC catalogue.
  BOOST_TEST(crc32c(as_bytes("123456789")) == 0xE3069283U);
  BOOST_TEST(crc32c(as_bytes(std::string(32, '\0'))) == 0x8A9136AAU);
}

BOOST_AUTO_TEST_CASE(encoding_round_trips) {
  const std::string bytes = encode_header(header()) + encode_record(range(0, 100)) + encode_record(synced);
  BOOST_TEST(bytes.size() == journal_header_bytes + 2 * journal_record_bytes);
  const auto decoded = decode_journal(bytes);
  BOOST_REQUIRE(decoded.has_value());
  BOOST_TEST((decoded->header.digest == header().digest));
  BOOST_TEST(decoded->header.inode == 42U);
  BOOST_REQUIRE(decoded->records.size() == 2U);
  BOOST_TEST((decoded->records[0] == range(0, 100)));
  BOOST_TEST((decoded->records[1] == synced));
}

BOOST_AUTO_TEST_CASE(every_single_bit_flip_is_noticed) {
  const std::string good = encode_header(header()) + encode_record(range(0, 100)) + encode_record(range(100, 200));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ static_cast<char>(1U << (bit % 8)));
    const auto decoded = decode_journal(bad);
    const std::size_t at = bit / 8;
    if (at < journal_header_bytes) BOOST_REQUIRE(!decoded);
    else if (at < journal_header_bytes + journal_record_bytes) BOOST_REQUIRE(decoded->records.empty());
    else BOOST_REQUIRE(decoded->records.size() == 1);
  }
}

BOOST_AUTO_TEST_CASE(a_torn_tail_ends_the_journal) {
  const std::string good = encode_header(header()) + encode_record(range(0, 100)) + encode_record(range(100, 200));
  for (std::size_t length = 0; length < good.size(); ++length) {
    const auto decoded = decode_journal(good.substr(0, length));
    BOOST_REQUIRE(decoded.has_value() == (length >= journal_header_bytes));
    if (decoded) BOOST_REQUIRE(decoded->records.size() == (length - journal_header_bytes) / journal_record_bytes);
  }
}

BOOST_AUTO_TEST_CASE(records_outside_the_blob_are_not_believed) {
  BOOST_TEST(decode_journal(encode_header(header()) + encode_record(range(900, 1001)))->records.empty());
  BOOST_TEST(decode_journal(encode_header(header()) + encode_record(range(20, 10)))->records.empty());
  JournalRecord odd = range(0, 100);
  odd.midstate.bytes = 65;
  BOOST_TEST(decode_journal(encode_header(header()) + encode_record(odd))->records.empty());
}

BOOST_AUTO_TEST_CASE(after_a_reboot_only_synced_records_count) {
  const Journal journal{.header = header(), .records = {range(0, 10), synced, range(10, 20)}};
  BootId other = header().boot;
  other[0] = std::byte{8};
  BOOST_TEST(credible_records(journal, header().boot).size() == 3U);
  BOOST_TEST(credible_records(journal, other).size() == 2U);
  BOOST_TEST(credible_records({.header = header(), .records = {range(0, 10)}}, other).empty());
}

// More than one piece of the reader's, with a torn record at the end.
BOOST_AUTO_TEST_CASE(a_long_journal_is_read_in_pieces) {
  const test::TempDir folder;
  std::string bytes = encode_header(header());
  for (int i = 0; i < 10'000; ++i) bytes += encode_record(range(0, 10));
  const std::filesystem::path file = folder.write("journal", bytes + "torn");

  BOOST_TEST(read_journal(file)->records.size() == 10'000U);
  BOOST_TEST((read_journal(file)->records == decode_journal(bytes)->records));
  bytes[journal_header_bytes + 5'000 * journal_record_bytes] = 'x';
  BOOST_TEST(read_journal(folder.write("bad", bytes))->records.size() == 5'000U);
  BOOST_TEST(!read_journal(folder / "missing"));
  BOOST_TEST(!read_journal(folder.write("empty", "")));
}

BOOST_AUTO_TEST_CASE(no_more_is_replayed_than_memory_is_meant_for) {
  const std::string record = encode_record(range(0, 10));
  Journal journal{.header = header(), .records = std::vector<JournalRecord>(journal_records_max - 1)};
  BOOST_TEST(append_records(record, journal));
  BOOST_TEST(!append_records(record, journal));
  BOOST_TEST(journal.records.size() == journal_records_max);
}

BOOST_AUTO_TEST_SUITE_END()
