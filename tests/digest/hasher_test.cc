#include "digest/hasher.h"

#include "base/error.h"
#include "base/text.h"
#include "digest/sha256_lanes.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace drover {
BOOST_AUTO_TEST_SUITE(hasher)

namespace {

constexpr auto sha256 = Digest::Algorithm::sha256;
constexpr auto sha512 = Digest::Algorithm::sha512;

BOOST_AUTO_TEST_CASE(hashes_sha256_in_pieces) {
  Hasher hasher(sha256);
  hasher.update(as_bytes("ab"));
  hasher.update({});
  hasher.update(as_bytes("c"));

  BOOST_TEST(hasher.bytes() == 3U);
  BOOST_TEST(hasher.finish() == Digest::of("abc"));
}

BOOST_AUTO_TEST_CASE(continues_a_sha256_from_a_midstate) {
  const std::string text(1000, 'x');
  Hasher first(sha256);
  first.update(as_bytes(text).first(700));

  Hasher second(first.midstate().value());
  BOOST_TEST(second.bytes() == 640U);
  second.update(as_bytes(text).subspan(second.bytes()));

  BOOST_TEST(second.finish() == Digest::of(text));
}

BOOST_AUTO_TEST_CASE(moves) {
  Hasher first(sha256);
  first.update(as_bytes("ab"));
  Hasher second = std::move(first);
  second.update(as_bytes("c"));

  BOOST_TEST(second.finish() == Digest::of("abc"));
}

BOOST_AUTO_TEST_CASE(hashes_several_together) {
  const Sha256Lanes lanes;
  const std::string text(1000, 'x');
  std::vector<Hasher> hashers;
  for (int i = 0; i < 3; ++i) hashers.emplace_back(sha256);
  hashers[1].update(as_bytes("a"));

  Hasher::update(lanes, std::vector<HashPiece>{{&hashers[0], as_bytes(text)}, {&hashers[1], as_bytes("bc")}, {&hashers[2], {}}});
  Hasher::update(lanes, std::vector<HashPiece>{{&hashers[0], as_bytes("y")}});

  BOOST_TEST(hashers[0].bytes() == 1001U);
  BOOST_TEST(hashers[0].finish() == Digest::of(text + "y"));
  BOOST_TEST(hashers[1].finish() == Digest::of("abc"));
  BOOST_TEST(hashers[2].finish() == Digest::of(""));
}

#if DROVER_OPENSSL

BOOST_AUTO_TEST_CASE(hashes_both_algorithms_together) {
  Hasher one(sha256);
  Hasher two(sha512);

  Hasher::update(Sha256Lanes(), std::vector<HashPiece>{{&one, as_bytes("abc")}, {&two, as_bytes("abc")}});

  BOOST_TEST(one.finish() == Digest::of("abc"));
  BOOST_TEST(two.finish() == Digest::of("abc", sha512));
}

// FIPS 180-4 examples of NIST's CSRC.
BOOST_AUTO_TEST_CASE(hashes_sha512) {
  Hasher hasher(sha512);
  hasher.update(as_bytes("a"));
  hasher.update(as_bytes("bc"));

  BOOST_TEST(hasher.bytes() == 3U);
  BOOST_TEST(!hasher.midstate().has_value());
  BOOST_TEST(hasher.finish().to_string() ==
             "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
             "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  BOOST_TEST(Digest::of("", sha512).to_string() ==
             "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
             "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
}

#else

BOOST_AUTO_TEST_CASE(a_build_without_openssl_refuses_sha512) {
  BOOST_CHECK_EXCEPTION(Hasher{sha512}, Error, [](const Error& e) { return e.code() == ErrorCode::unsupported; });
  BOOST_CHECK_THROW(Digest::of("abc", sha512), Error);
}

#endif

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
