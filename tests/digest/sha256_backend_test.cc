#include "digest/sha256_backend.h"

#include "base/error.h"
#include "base/text.h"
#include "tests/digest/sha256_reference.h"

#include <boost/test/data/test_case.hpp>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace drover {
namespace {

namespace utf = boost::unit_test;
using test::Bytes32;
using test::find_row;
using test::last_resort;
using test::hash;
using test::length_max;
using test::random_bytes;
using test::reference;
using test::RowRuns;

Bytes32 hash_in_pieces(const Sha256Backend& row, std::span<const std::byte> bytes, std::mt19937& random) {
  Sha256 sha256(row);
  while (!bytes.empty()) {
    const std::size_t n = std::min<std::size_t>(random() % (random() % 4 == 0 ? 700 : 70), bytes.size());
    sha256.update(bytes.first(n));
    bytes = bytes.subspan(n);
  }
  return sha256.finish();
}

// Every length up to the limit, at changing alignments: whole, in pieces, and cut at a midstate taken up again.
std::size_t count_wrong_in_one_stream(const Sha256Backend& row) {
  std::mt19937 random(42);
  std::size_t wrong = 0;
  for (std::size_t length = 0; length <= length_max; ++length) {
    const auto bytes = std::span(random_bytes()).subspan(length % 17, length);
    const Bytes32 expected = reference(bytes);
    wrong += hash(row, bytes) != expected;
    wrong += hash_in_pieces(row, bytes, random) != expected;

    const std::size_t cut = length == 0 ? 0 : random() % length;
    Sha256 first(row);
    first.update(bytes.first(cut));
    const Sha256::Midstate saved = first.midstate();
    wrong += saved.bytes != cut / 64 * 64;
    Sha256 second(saved, row);
    second.update(bytes.subspan(saved.bytes));
    wrong += second.finish() != expected;
    first.update(bytes.subspan(cut));
    wrong += first.finish() != expected;  // taking the midstate changed nothing
  }
  return wrong;
}

// The message with its padding (FIPS 180-4 section 5.1.1), written here once more so that a row is judged alone.
std::vector<std::uint8_t> pad(std::span<const std::byte> message) {
  std::vector<std::uint8_t> padded((message.size() + 9 + 63) / 64 * 64);
  std::transform(message.begin(), message.end(), padded.begin(), [](std::byte b) { return static_cast<std::uint8_t>(b); });
  padded[message.size()] = 0x80;
  for (unsigned i = 0; i < 8; ++i) padded[padded.size() - 1 - i] = static_cast<std::uint8_t>((message.size() * 8) >> (8 * i));
  return padded;
}

// One lane of a row under test: a message and its padded blocks at an odd address, hashed in two calls.
class TestedLane {
 public:
  explicit TestedLane(std::span<const std::byte> message) : message_(message), blocks_(pad(message)) {
    blocks_.insert(blocks_.begin(), 1 + message.size() % 63, 0xEE);
    offset_ = 1 + message.size() % 63;
  }

  Sha256Lane at(std::size_t block) { return {words_.data(), blocks_.data() + offset_ + 64 * block}; }

  bool is_right() const {
    Bytes32 digest{};
    for (unsigned i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::byte>(words_[i / 4] >> (24U - 8U * (i % 4)));
    return digest == reference(message_);
  }

 private:
  std::span<const std::byte> message_;
  std::vector<std::uint8_t> blocks_;
  std::size_t offset_ = 0;
  std::array<std::uint32_t, 8> words_ = Sha256().midstate().words;
};

// As many blocks in every lane: all lengths that need `blocks` blocks, a lane each, in as many calls as that takes.
std::size_t count_wrong_of_length(const Sha256Backend& row, std::size_t blocks, std::mt19937& random) {
  std::size_t wrong = 0;
  const std::size_t longest = 64 * blocks - 9;
  for (std::size_t back = 0; back < 64; back += row.lanes) {
    std::vector<TestedLane> lanes;
    for (std::size_t lane = 0; lane < row.lanes; ++lane) {
      const std::size_t shorter = (back + lane) % 64;
      const std::size_t length = longest > shorter ? longest - shorter : 0;
      if (pad(std::span(random_bytes()).first(length)).size() != 64 * blocks) continue;
      lanes.emplace_back(std::span(random_bytes()).subspan(lane % 7, length));
    }
    while (lanes.size() < row.lanes) lanes.push_back(lanes.front());
    const std::size_t cut = random() % (blocks + 1);
    for (const auto& [first, count] : {std::pair{std::size_t{0}, cut}, std::pair{cut, blocks - cut}}) {
      std::vector<Sha256Lane> calls;
      for (TestedLane& lane : lanes) calls.push_back(lane.at(first));
      row.compress(calls.data(), count);
    }
    for (const TestedLane& lane : lanes) wrong += !lane.is_right();
  }
  return wrong;
}

void check_row(std::string_view name, unsigned lanes) {
  const Sha256Backend& row = *find_row(name, lanes);
  std::mt19937 random(42);
  if (lanes == 1) BOOST_TEST(count_wrong_in_one_stream(row) == 0U);
  std::size_t wrong = 0;
  for (std::size_t blocks = 1; blocks <= length_max / 64; ++blocks) wrong += count_wrong_of_length(row, blocks, random);
  BOOST_TEST(wrong == 0U);
}

struct Vector {
  std::string name;
  std::string message;
  std::string hex;
};
std::ostream& operator<<(std::ostream& out, const Vector& v) { return out << v.name; }

// FIPS 180-4 examples of NIST's CSRC, and the padding's edges (checked with coreutils sha256sum).
const std::vector<Vector> vectors = {
    {"empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"one block", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"896 bits", "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"a million a", std::string(1000000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    {"55 a", std::string(55, 'a'), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
    {"56 a", std::string(56, 'a'), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
    {"64 a", std::string(64, 'a'), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
};

BOOST_AUTO_TEST_SUITE(sha256_rows)

BOOST_DATA_TEST_CASE(fips_vectors, vectors, vector) {
  for (const Sha256Backend& row : sha256_backends) {
    if (row.lanes != 1 || !is_runnable(row, cpu_features())) continue;
    BOOST_TEST(to_hex(hash(row, as_bytes(vector.message))) == vector.hex, row.name);
  }
  Sha256 chosen;
  chosen.update(as_bytes(vector.message));
  BOOST_TEST(to_hex(chosen.finish()) == vector.hex);
}

BOOST_AUTO_TEST_CASE(portable) { check_row("portable", 1); }
BOOST_AUTO_TEST_CASE(openssl, *utf::precondition(RowRuns{"openssl", 1})) { check_row("openssl", 1); }
BOOST_AUTO_TEST_CASE(shani, *utf::precondition(RowRuns{"shani", 1})) { check_row("shani", 1); }
BOOST_AUTO_TEST_CASE(shani_x2, *utf::precondition(RowRuns{"shani", 2})) { check_row("shani", 2); }
BOOST_AUTO_TEST_CASE(shani_x3, *utf::precondition(RowRuns{"shani", 3})) { check_row("shani", 3); }
BOOST_AUTO_TEST_CASE(shani_x4, *utf::precondition(RowRuns{"shani", 4})) { check_row("shani", 4); }
BOOST_AUTO_TEST_CASE(avx512_x16, *utf::precondition(RowRuns{"avx512", 16})) { check_row("avx512", 16); }
BOOST_AUTO_TEST_CASE(avx512_short_x16, *utf::precondition(RowRuns{"avx512-short", 16})) { check_row("avx512-short", 16); }
BOOST_AUTO_TEST_CASE(avx2_x8, *utf::precondition(RowRuns{"avx2", 8})) { check_row("avx2", 8); }
BOOST_AUTO_TEST_CASE(armv8, *utf::precondition(RowRuns{"armv8", 1})) { check_row("armv8", 1); }
BOOST_AUTO_TEST_CASE(armv8_x2, *utf::precondition(RowRuns{"armv8", 2})) { check_row("armv8", 2); }
BOOST_AUTO_TEST_CASE(armv8_x3, *utf::precondition(RowRuns{"armv8", 3})) { check_row("armv8", 3); }
BOOST_AUTO_TEST_CASE(neon_x4, *utf::precondition(RowRuns{"neon", 4})) { check_row("neon", 4); }

// A new row has to be named above, or nothing tests it.
BOOST_AUTO_TEST_CASE(every_row_of_the_table_has_its_test) {
  using Tested = std::pair<std::string_view, unsigned>;
  constexpr Tested tested[] = {{"portable", 1}, {"openssl", 1}, {"shani", 1},          {"shani", 2}, {"shani", 3}, {"shani", 4}, {"avx512", 16},
                               {"avx2", 8},     {"avx512-short", 16}, {"armv8", 1}, {"armv8", 2}, {"armv8", 3}, {"neon", 4}};
  for (const Sha256Backend& row : sha256_backends) {
    BOOST_TEST((std::find(std::begin(tested), std::end(tested), Tested(row.name, row.lanes)) != std::end(tested)),
               row.name << " x" << row.lanes);
    BOOST_TEST(row.lanes <= sha256_lanes_max);
  }
}

BOOST_AUTO_TEST_CASE(no_blocks_change_nothing) {
  for (const Sha256Backend& row : sha256_backends) {
    if (!is_runnable(row, cpu_features())) continue;
    std::array<std::uint32_t, 8> words{1, 2, 3, 4, 5, 6, 7, 8};
    const std::vector<Sha256Lane> lanes(row.lanes, Sha256Lane{words.data(), nullptr});
    row.compress(lanes.data(), 0);
    BOOST_TEST((words == std::array<std::uint32_t, 8>{1, 2, 3, 4, 5, 6, 7, 8}), row.name << " x" << row.lanes);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sha256_backend_choice)

bool is_usage(const Error& e) { return e.code() == ErrorCode::usage; }

std::string chosen(const char* wanted, CpuFeatures have) { return choose_sha256_backend(wanted, have).name; }

BOOST_AUTO_TEST_CASE(takes_the_best_row_that_the_cpu_can_run) {
  const CpuFeatures all = ~feature::none;
  BOOST_TEST(chosen(nullptr, all) == sha256_backends[0].name);
  BOOST_TEST(chosen("", all) == sha256_backends[0].name);
  BOOST_TEST(chosen(nullptr, feature::none) == last_resort);
}

BOOST_AUTO_TEST_CASE(a_wish_leaves_the_rows_of_its_name_and_the_last_resort) {
  for (const Sha256Backend& wished : sha256_backends) {
    for (const Sha256Backend& row : sha256_backends) {
      const bool is_one = row.name == std::string_view(wished.name) || (std::string_view(row.name) == last_resort && find_row(wished.name, 1) == nullptr);
      BOOST_TEST(is_permitted(row, wished.name, ~feature::none) == is_one);
      BOOST_TEST(is_permitted(row, nullptr, ~feature::none));
      const bool is_last = row.name == std::string_view(last_resort) && !(find_row(wished.name, 1) != nullptr && wished.needs == feature::none);
      BOOST_TEST(is_permitted(row, wished.name, feature::none) == (row.needs == feature::none && (row.name == std::string_view(wished.name) || is_last)));
    }
    BOOST_TEST(choose_sha256_backend(wished.name, ~feature::none).lanes == 1U);
  }
}

#if defined(__x86_64__)
// SHA-NI without AVX (as Goldmont has it) must not run code that was compiled with AVX.
BOOST_AUTO_TEST_CASE(a_row_needs_all_of_its_features) {
  BOOST_TEST(chosen(nullptr, feature::sha | feature::sse41) == last_resort);
  BOOST_TEST(chosen(nullptr, feature::sse41 | feature::avx) == last_resort);
  BOOST_TEST(chosen(nullptr, feature::sha | feature::sse41 | feature::avx) == "shani");
}

BOOST_AUTO_TEST_CASE(a_name_without_a_row_for_one_stream_gets_the_last_resort) {
  BOOST_TEST(chosen("avx2", ~feature::none) == last_resort);
  BOOST_TEST(chosen("avx512", ~feature::none) == last_resort);
}
#elif defined(__aarch64__)
// What a Cortex-A72 without the cryptography extension does.
BOOST_AUTO_TEST_CASE(a_cpu_without_the_extension_has_neon_and_portable) {
  BOOST_TEST(chosen(nullptr, feature::none) == last_resort);
  BOOST_TEST(chosen("neon", ~feature::none) == last_resort);
  BOOST_TEST(is_permitted(*find_row("neon", 4), nullptr, feature::none));
  BOOST_TEST(!is_permitted(*find_row("armv8", 1), nullptr, feature::none));
}
#endif

BOOST_AUTO_TEST_CASE(a_wish_is_honoured_or_refused_with_the_list_of_rows) {
  BOOST_TEST(chosen("portable", ~feature::none) == "portable");
  BOOST_CHECK_EXCEPTION(choose_sha256_backend("avx999", ~feature::none), Error, [](const Error& e) {
    return is_usage(e) && std::string(e.what()).find("portable") != std::string::npos;
  });
  BOOST_CHECK_EXCEPTION(choose_sha256_backend("Portable", ~feature::none), Error, is_usage);
  if (std::size(sha256_backends) > 1) {
    BOOST_CHECK_EXCEPTION(choose_sha256_backend(sha256_backends[0].name, feature::none), Error, [](const Error& e) {
      return is_usage(e) && std::string(e.what()).find("not on this CPU") != std::string::npos;
    });
  }
}

// ctest runs this executable without DROVER_SHA256 and with several.
BOOST_AUTO_TEST_CASE(the_environment_decides_for_the_process) {
  const char* wanted = std::getenv("DROVER_SHA256");
  BOOST_TEST_MESSAGE("row in use: " << sha256_backend_name());
  if (wanted == nullptr) BOOST_TEST(sha256_backend_name() == chosen(nullptr, cpu_features()));
  else BOOST_TEST(sha256_backend_name() == (find_row(wanted, 1) != nullptr ? wanted : last_resort));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace drover
