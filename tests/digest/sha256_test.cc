#include "digest/sha256.h"

#include "base/error.h"
#include "base/text.h"
#include "tests/digest/sha256_reference.h"

#include <boost/test/unit_test.hpp>

#include <utility>

namespace drover {
BOOST_AUTO_TEST_SUITE(sha256)

namespace {

using test::find_row;
using test::random_bytes;
using test::reference;

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
  const Sha256Backend& portable = *find_row("portable", 1);
  for (const auto& [from, to] : {std::pair{&best, &portable}, std::pair{&portable, &best}}) {
    Sha256 first(*from);
    first.update(bytes.first(640));

    Sha256 second(first.midstate(), *to);
    second.update(bytes.subspan(640));

    BOOST_TEST((second.finish() == reference(bytes)));
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

  BOOST_TEST(to_hex(one.finish()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(to_hex(two.finish()) == "961b6dd3ede3cb8ecbaacbd68de040cd78eb2ed5889130cceb4c49268ea4d506");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
