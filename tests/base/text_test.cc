#include "base/text.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace drover;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(splitting_keeps_empty_parts) {
  BOOST_TEST(split("a,,b", ',').size() == 3U);
  BOOST_TEST(split("", ',').size() == 1U);
  BOOST_TEST(split("a,", ',').back() == "");
}

BOOST_AUTO_TEST_CASE(numbers_are_digits_and_nothing_else) {
  BOOST_TEST((parse_uint("18446744073709551615") == std::optional<std::uint64_t>(18446744073709551615ULL)));
  for (const char* const bad : {"", "18446744073709551616", "+1", "-1", " 1", "1 ", "1e3", "0x1"}) BOOST_TEST(!parse_uint(bad).has_value());
  BOOST_TEST((parse_decimal("1.5") == std::optional<double>(1.5)));
  for (const char* const bad : {"", ".", "1.", ".5", "1.2.3", "1e3", "-1", "nan", "inf"}) BOOST_TEST(!parse_decimal(bad).has_value());
}

struct Size {
  const char* text;
  std::uint64_t bytes;
};

std::ostream& operator<<(std::ostream& out, const Size& row) { return out << row.text; }

const Size sizes[] = {{"0", 0}, {"100", 100}, {"1k", 1024}, {"1K", 1024}, {"1.5M", 1572864}, {"2g", 2ULL << 30U}, {"1GiB", 1ULL << 30U}, {"3tb", 3ULL << 40U}, {"7b", 7}};

BOOST_DATA_TEST_CASE(sizes_have_binary_units, data::make(sizes), row) { BOOST_TEST((parse_size(row.text) == std::optional<std::uint64_t>(row.bytes))); }

BOOST_AUTO_TEST_CASE(other_sizes_are_refused) {
  for (const char* const bad : {"", "k", "1kk", "1x", "-1", "1e9", "99999999999t", "1 5"}) BOOST_TEST(!parse_size(bad).has_value());
}

BOOST_AUTO_TEST_CASE(hex_round_trips_and_is_lower_case_only) {
  const auto bytes = parse_hex("00ff7f");
  BOOST_REQUIRE(bytes.has_value());
  BOOST_TEST(to_hex(*bytes) == "00ff7f");
  for (const char* const bad : {"0", "0G", "FF"}) BOOST_TEST(!parse_hex(bad).has_value());
}

struct Pair {
  const char* plain;
  const char* encoded;
};

std::ostream& operator<<(std::ostream& out, const Pair& row) { return out << row.encoded; }

// RFC 4648 section 10.
const Pair base64[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

BOOST_DATA_TEST_CASE(base64_as_in_the_rfc, data::make(base64), row) {
  BOOST_TEST(encode_base64(row.plain, Base64::standard) == row.encoded);
  BOOST_TEST((decode_base64(row.encoded) == std::optional<std::string>(row.plain)));
}

BOOST_AUTO_TEST_CASE(base64_alphabets) {
  BOOST_TEST(encode_base64("\xfb\xff", Base64::url) == "-_8=");
  BOOST_TEST((decode_base64("-_8") == std::optional<std::string>("\xfb\xff")));
  for (const char* const bad : {"Z", "Zg=a", "Z g=", "Zm9vY"}) BOOST_TEST(!decode_base64(bad).has_value());
}

BOOST_AUTO_TEST_CASE(percent_encoding_leaves_only_unreserved) { BOOST_TEST(percent_encode("a-b_c.~/&=%\xc3\xa4") == "a-b_c.~%2F%26%3D%25%C3%A4"); }

BOOST_AUTO_TEST_CASE(bytes_and_seconds_for_people) {
  BOOST_TEST(format_bytes(0) == "0 B");
  BOOST_TEST(format_bytes(999) == "999 B");
  BOOST_TEST(format_bytes(329'400'000) == "329.4 MB");
  BOOST_TEST(format_bytes(999'960) == "1.0 MB");
  BOOST_TEST(format_seconds(1.24) == "1.2s");
  BOOST_TEST(format_seconds(59.97) == "1m00s");
  BOOST_TEST(format_seconds(7500) == "2h05m");
}

BOOST_AUTO_TEST_CASE(nothing_from_outside_steers_a_terminal) {
  BOOST_TEST(printable("a\x1b[31mb\x07") == "a?[31mb?");
  BOOST_TEST(printable("line\nline") == "line line");
  BOOST_TEST(printable("\xc2\x9b" "31m") == "\xEF\xBF\xBD" "31m");
  BOOST_TEST(printable("\xff\xc0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  BOOST_TEST(printable("\xc3\xa4") == "\xc3\xa4");
  BOOST_TEST(printable("\xc3") == "\xEF\xBF\xBD");
  BOOST_TEST(printable(std::string(1000, 'x'), 10) == "xxxxxxxxxx…");
}

BOOST_AUTO_TEST_CASE(slips_of_the_finger) {
  const std::vector<std::string> words = {"prefetch", "pull", "load"};
  BOOST_TEST((did_you_mean("prefecth", words) == std::optional<std::string>("prefetch")));
  BOOST_TEST((did_you_mean("pul", words) == std::optional<std::string>("pull")));
  BOOST_TEST(!did_you_mean("zebra", words).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
