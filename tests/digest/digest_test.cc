#include "digest/digest.h"

#include "base/error.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <unordered_set>
#include <vector>

namespace drover {
BOOST_AUTO_TEST_SUITE(digest)

namespace {

const std::string a64(64, 'a');
const std::string b128(128, 'b');

struct Refused {
  std::string why;
  std::string text;
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.why; }

const std::vector<Refused> refused = {
    {"empty", ""},
    {"no colon", a64},
    {"no hex", "sha256:"},
    {"63 digits", "sha256:" + a64.substr(1)},
    {"65 digits", "sha256:" + a64 + "a"},
    {"upper-case hex", "sha256:" + std::string(64, 'A')},
    {"one upper-case digit", "sha256:" + a64.substr(1) + "A"},
    {"not hex", "sha256:" + a64.substr(1) + "g"},
    {"upper-case algorithm", "SHA256:" + a64},
    {"unknown algorithm", "sha384:" + std::string(96, 'a')},
    {"md5", "md5:" + std::string(32, 'a')},
    {"algorithm twice", "sha256:sha256:" + a64},
    {"path traversal", "sha256:../../../../../../../../../../../../../../../../../../../../etc/pa"},
    {"algorithm with a path", "../sha256:" + a64},
    {"percent", "sha256:" + a64.substr(3) + "%2e"},
    {"NUL in the middle", "sha256:" + a64.substr(1) + std::string(1, '\0')},
    {"NUL after", "sha256:" + a64 + std::string(1, '\0')},
    {"newline after", "sha256:" + a64 + "\n"},
    {"space before", " sha256:" + a64},
    {"space after the colon", "sha256: " + a64.substr(1)},
    {"other separator", "sha256-" + a64},
    {"sha512 with the length of sha256", "sha512:" + a64},
    {"sha256 with the length of sha512", "sha256:" + b128},
    {"compound algorithm", "sha256+b64u:" + a64},
    {"full-width digit", "sha256:" + a64.substr(3) + "\xEF\xBC\x91"},
};

BOOST_DATA_TEST_CASE(refuses, refused, row) {
  BOOST_TEST(!Digest::try_parse(row.text).has_value());
  BOOST_CHECK_EXCEPTION(Digest::parse(row.text), Error, [](const Error& e) { return e.code() == ErrorCode::invalid; });
}

BOOST_AUTO_TEST_CASE(error_shows_the_text_without_control_characters) {
  BOOST_CHECK_EXCEPTION(Digest::parse("sha256:\x1b[2J"), Error, [](const Error& e) {
    const std::string text = e.what();
    return text.find("sha256:?[2J") != std::string::npos && text.find('\x1b') == std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(parses_and_prints_both_algorithms) {
  const Digest one = Digest::parse("sha256:" + a64);
  const Digest two = Digest::parse("sha512:" + b128);

  BOOST_TEST(one.to_string() == "sha256:" + a64);
  BOOST_TEST(one.algorithm_name() == "sha256");
  BOOST_TEST(one.hex() == a64);
  BOOST_TEST(one.short_hex() == "aaaaaaaaaaaa");
  BOOST_TEST(one.bytes().size() == 32U);
  BOOST_TEST(two.to_string() == "sha512:" + b128);
  BOOST_TEST(two.bytes().size() == 64U);
}

BOOST_AUTO_TEST_CASE(from_bytes_wants_the_exact_length) {
  const std::vector<std::byte> bytes(64, std::byte{0xbb});

  BOOST_TEST(Digest::from_bytes(Digest::Algorithm::sha512, bytes) == Digest::parse("sha512:" + b128));
  BOOST_CHECK_THROW(Digest::from_bytes(Digest::Algorithm::sha256, bytes), Error);
  BOOST_CHECK_THROW(Digest::from_bytes(Digest::Algorithm::sha256, std::span(bytes).first(31)), Error);
  BOOST_CHECK_THROW(Digest::from_bytes(Digest::Algorithm::sha512, std::span(bytes).first(63)), Error);
}

BOOST_AUTO_TEST_CASE(orders_and_hashes_as_a_value) {
  const Digest low = Digest::parse("sha256:" + std::string(64, '0'));
  const Digest high = Digest::parse("sha256:" + std::string(63, '0') + "1");
  const Digest wide = Digest::parse("sha512:" + std::string(128, '0'));

  BOOST_TEST((low < high));
  BOOST_TEST((high < wide));  // by algorithm first
  BOOST_TEST((low != wide));
  const std::unordered_set<Digest> set{low, high, wide, low};
  BOOST_TEST(set.size() == 3U);
  BOOST_TEST(std::hash<Digest>{}(low) != std::hash<Digest>{}(high));  // digests alike but for the last bit
}

BOOST_AUTO_TEST_CASE(of_hashes_bytes_at_hand) {
  BOOST_TEST(Digest::of("abc").to_string() == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(Digest::of("").to_string() == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
