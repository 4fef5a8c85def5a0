#include "digest/sha256.h"

#include "base/error.h"
#include "base/text.h"
#include "digest/sha256_backend.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#if DROVER_TEST_OPENSSL
#include <openssl/evp.h>
#endif

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace drover {
namespace {

namespace utf = boost::unit_test;

constexpr std::size_t length_max = 4096;

const std::vector<std::byte>& random_bytes() {
  static const std::vector<std::byte> bytes = [] {
    std::mt19937 random(20240601);
    std::vector<std::byte> made(length_max + 64);
    for (std::byte& b : made) b = static_cast<std::byte>(random());
    return made;
  }();
  return bytes;
}

const Sha256Backend* find_row(std::string_view name) {
  for (const Sha256Backend& row : sha256_backends) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

// A row that is not of this architecture or this CPU is reported and skipped, never passed.
struct RowRuns {
  std::string name;
  boost::test_tools::assertion_result operator()(utf::test_unit_id) const {
    const Sha256Backend* row = find_row(name);
    if (row != nullptr && is_runnable(*row, cpu_features())) return true;
    const std::string reason = row == nullptr ? "not of this architecture" : "this CPU lacks it";
    BOOST_TEST_MESSAGE("row " << name << ": skipped, " << reason);
    boost::test_tools::assertion_result result(false);
    result.message() << reason;
    return result;
  }
};

using Bytes32 = std::array<std::byte, 32>;

Bytes32 hash(const Sha256Backend& row, std::span<const std::byte> bytes) {
  Sha256 sha256(row);
  sha256.update(bytes);
  return sha256.finish();
}

Bytes32 hash_in_pieces(const Sha256Backend& row, std::span<const std::byte> bytes, std::mt19937& random) {
  Sha256 sha256(row);
  while (!bytes.empty()) {
    const std::size_t n = std::min<std::size_t>(random() % (random() % 4 == 0 ? 700 : 70), bytes.size());
    sha256.update(bytes.first(n));
    bytes = bytes.subspan(n);
  }
  return sha256.finish();
}

#if DROVER_TEST_OPENSSL
Bytes32 openssl(std::span<const std::byte> bytes) {
  Bytes32 result{};
  unsigned size = 0;
  BOOST_REQUIRE(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(result.data()), &size, EVP_sha256(), nullptr) == 1);
  BOOST_REQUIRE(size == 32U);
  return result;
}
#endif

// Every length up to the limit, at changing alignments: whole, in pieces, and cut at a midstate taken up again.
void check_row(std::string_view name) {
  const Sha256Backend& row = *find_row(name);
  const Sha256Backend& portable = *find_row("portable");
  std::mt19937 random(42);
  std::size_t wrong = 0;
  for (std::size_t length = 0; length <= length_max; ++length) {
    const auto bytes = std::span(random_bytes()).subspan(length % 17, length);
    const Bytes32 expected = hash(portable, bytes);
#if DROVER_TEST_OPENSSL
    wrong += openssl(bytes) != expected;
#endif
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

BOOST_AUTO_TEST_SUITE(sha256)

BOOST_DATA_TEST_CASE(fips_vectors, vectors, vector) {
  for (const Sha256Backend& row : sha256_backends) {
    if (!is_runnable(row, cpu_features())) continue;
    BOOST_TEST(to_hex(hash(row, as_bytes(vector.message))) == vector.hex, row.name);
  }
  Sha256 chosen;
  chosen.update(as_bytes(vector.message));
  BOOST_TEST(to_hex(chosen.finish()) == vector.hex);
}

BOOST_AUTO_TEST_CASE(row_portable) { check_row("portable"); }
BOOST_AUTO_TEST_CASE(row_shani, *utf::precondition(RowRuns{"shani"})) { check_row("shani"); }
BOOST_AUTO_TEST_CASE(row_armv8, *utf::precondition(RowRuns{"armv8"})) { check_row("armv8"); }

// A new row has to be named above, or nothing tests it.
BOOST_AUTO_TEST_CASE(every_row_of_the_table_has_its_test) {
  for (const Sha256Backend& row : sha256_backends) {
    const std::string name = row.name;
    BOOST_TEST((name == "portable" || name == "shani" || name == "armv8"), name);
  }
}

BOOST_AUTO_TEST_CASE(counts_bytes_and_keeps_the_midstate_at_a_block) {
  Sha256 sha256;
  BOOST_TEST(sha256.bytes() == 0U);
  BOOST_TEST((sha256.midstate() == Sha256().midstate()));

  sha256.update(std::span(random_bytes()).first(63));
  BOOST_TEST(sha256.midstate().bytes == 0U);
  sha256.update(std::span(random_bytes()).subspan(63, 1));
  BOOST_TEST(sha256.midstate().bytes == 64U);
  sha256.update({});
  sha256.update(std::span(random_bytes()).subspan(64, 100));
  BOOST_TEST(sha256.midstate().bytes == 128U);
  BOOST_TEST(sha256.bytes() == 164U);
}

// The state of one row is taken up by another: a journal outlives the machine that wrote it.
BOOST_AUTO_TEST_CASE(midstate_passes_between_rows) {
  const auto bytes = std::span(random_bytes()).first(1000);
  const Sha256Backend& best = sha256_backend();
  const Sha256Backend& portable = *find_row("portable");
  for (const auto& [from, to] : {std::pair{&best, &portable}, std::pair{&portable, &best}}) {
    Sha256 first(*from);
    first.update(bytes.first(640));

    Sha256 second(first.midstate(), *to);
    second.update(bytes.subspan(640));

    BOOST_TEST((second.finish() == hash(portable, bytes)));
  }
}

BOOST_AUTO_TEST_CASE(refuses_a_midstate_within_a_block) {
  for (const std::uint64_t bytes : {1U, 63U, 65U, 100U}) {
    BOOST_CHECK_EXCEPTION(Sha256(Sha256::Midstate{.bytes = bytes}), Error, [](const Error& e) { return e.code() == ErrorCode::invalid; });
  }
}

BOOST_AUTO_TEST_CASE(a_copy_continues_on_its_own) {
  Sha256 one;
  one.update(as_bytes("a"));
  Sha256 two = one;
  one.update(as_bytes("bc"));
  two.update(as_bytes("a"));

  BOOST_TEST(to_hex(one.finish()) == vectors[1].hex);
  BOOST_TEST(to_hex(two.finish()) == "961b6dd3ede3cb8ecbaacbd68de040cd78eb2ed5889130cceb4c49268ea4d506");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sha256_backend_choice)

bool is_usage(const Error& e) { return e.code() == ErrorCode::usage; }

BOOST_AUTO_TEST_CASE(takes_the_best_row_that_the_cpu_can_run) {
  const CpuFeatures all = ~feature::none;
  BOOST_TEST(choose_sha256_backend(nullptr, all).name == sha256_backends[0].name);
  BOOST_TEST(choose_sha256_backend("", all).name == sha256_backends[0].name);
  BOOST_TEST(std::string(choose_sha256_backend(nullptr, feature::none).name) == "portable");
}

#if defined(__x86_64__)
// SHA-NI without AVX (as Goldmont has it) must not run code that was compiled with AVX.
BOOST_AUTO_TEST_CASE(a_row_needs_all_of_its_features) {
  BOOST_TEST(std::string(choose_sha256_backend(nullptr, feature::sha | feature::sse41).name) == "portable");
  BOOST_TEST(std::string(choose_sha256_backend(nullptr, feature::sse41 | feature::avx).name) == "portable");
  BOOST_TEST(std::string(choose_sha256_backend(nullptr, feature::sha | feature::sse41 | feature::avx).name) == "shani");
}
#endif

BOOST_AUTO_TEST_CASE(a_wish_is_honoured_or_refused_with_the_list_of_rows) {
  BOOST_TEST(std::string(choose_sha256_backend("portable", ~feature::none).name) == "portable");
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

// ctest runs this executable once without and once with DROVER_SHA256=portable.
BOOST_AUTO_TEST_CASE(the_environment_decides_for_the_process) {
  const char* wanted = std::getenv("DROVER_SHA256");
  BOOST_TEST_MESSAGE("row in use: " << sha256_backend_name());
  if (wanted != nullptr) BOOST_TEST(sha256_backend_name() == wanted);
  else BOOST_TEST(sha256_backend_name() == choose_sha256_backend(nullptr, cpu_features()).name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace drover
