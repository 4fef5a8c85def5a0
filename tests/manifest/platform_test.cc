#include "manifest/platform.h"

#include "base/error.h"
#include "base/text.h"
#include "tests/manifest/documents.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace drover {
BOOST_AUTO_TEST_SUITE(platform)

namespace {

struct Row {
  std::string text;
  std::string expected;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << '"' << row.text << '"'; }

// Inputs and results of containerd's table of normalisations.
const std::vector<Row> parsed = {
    {"linux/amd64", "linux/amd64"},
    {"LINUX/AMD64", "linux/amd64"},
    {"linux/x86_64", "linux/amd64"},
    {"linux/x86-64", "linux/amd64"},
    {"linux/amd64/v1", "linux/amd64"},
    {"linux/amd64/v2", "linux/amd64/v2"},
    {"linux/amd64/V3", "linux/amd64/v3"},
    {"linux/i386", "linux/386"},
    {"linux/i386/v7", "linux/386"},
    {"linux/386", "linux/386"},
    {"linux/arm64", "linux/arm64"},
    {"linux/aarch64", "linux/arm64"},
    {"linux/arm64/8", "linux/arm64"},
    {"linux/arm64/v8", "linux/arm64"},
    {"linux/arm64/v8.0", "linux/arm64"},
    {"linux/arm64/v8.2", "linux/arm64/v8.2"},
    {"linux/arm64/9", "linux/arm64/v9"},
    {"linux/arm64/9.0", "linux/arm64/v9"},
    {"linux/arm64/v9.0", "linux/arm64/v9"},
    {"linux/armhf", "linux/arm/v7"},
    {"linux/armhf/v6", "linux/arm/v7"},
    {"linux/armel", "linux/arm/v6"},
    {"linux/arm", "linux/arm/v7"},
    {"linux/arm/7", "linux/arm/v7"},
    {"linux/arm/v7", "linux/arm/v7"},
    {"linux/arm/5", "linux/arm/v5"},
    {"linux/arm/6", "linux/arm/v6"},
    {"linux/arm/8", "linux/arm/v8"},
    {"linux/arm/v9", "linux/arm/v9"},
    {"linux/armv7l", "linux/armv7l"},
    {"linux/riscv64", "linux/riscv64"},
    {"linux/s390x", "linux/s390x"},
    {"macos/arm64", "darwin/arm64"},
    {"unknown/unknown", "unknown/unknown"},
    {"unikernel/amd64", "unikernel/amd64"},  // an OS that nobody knows is the caller's business
    {"amd64", "linux/amd64"},
    {"x86_64", "linux/amd64"},
    {"aarch64", "linux/arm64"},
    {"arm", "linux/arm/v7"},
    {"armhf", "linux/arm/v7"},
    {"windows(10.0.17763.1)/amd64", "windows(10.0.17763.1)/amd64"},
    {"windows(10.0.17763+win32k)/amd64", "windows(10.0.17763+win32k)/amd64"},
    {"linux(+b+a+b)/amd64", "linux(+a+b)/amd64"},
    {"windows()/amd64", "windows/amd64"},
};

const std::vector<Row> refused = {
    {"", "empty"},
    {"arm64/v8", "did you mean linux/arm64/v8?"},
    {"amd64/v2", "did you mean linux/amd64/v2?"},
    {"x86_64/linux", "names no OS"},
    {"*", "wildcards"},
    {"linux/*", "wildcards"},
    {"linux/arm64/v8/x", "more than"},
    {"linux/", "architecture"},
    {"/arm64", "an OS is"},
    {"linux//v8", "architecture"},
    {"linux/arm64/", "architecture"},
    {"linux/arm 64", "architecture"},
    {"linux /arm64", "an OS is"},
    {"amd6", "did you mean amd64?"},
    {"linx", "did you mean linux?"},
    {"quantum", "write os/arch"},
    {"windows(10.0/amd64", "end with"},
    {"windows(10.0)x/amd64", "end with"},
    {"windows(10.0++a)/amd64", "feature"},
    {"windows(10;0)/amd64", "options"},
    {"(10.0)/amd64", "an OS is"},
    {"linux/arm64\n", "architecture"},
    {std::string("linux/arm64\0", 12), "architecture"},
};

std::string names(const std::vector<Platform>& platforms) {
  std::vector<std::string> words;
  for (const Platform& p : platforms) words.push_back(p.to_string());
  return join(words, " ");
}

BOOST_DATA_TEST_CASE(parses_and_normalises, parsed, row) {
  const Platform platform = Platform::parse(row.text);

  BOOST_TEST(platform.to_string() == row.expected);
  BOOST_TEST(normalise(platform) == platform);
  BOOST_TEST(Platform::parse(row.expected) == platform);  // the printed form is an input
}

BOOST_DATA_TEST_CASE(refuses_with_a_hint, refused, row) {
  BOOST_CHECK_EXCEPTION(Platform::parse(row.text), Error, (Says{ErrorCode::usage, row.expected}));
}

BOOST_AUTO_TEST_CASE(a_lone_os_means_this_architecture) {
  BOOST_TEST(Platform::parse("linux") == Platform::host());
  BOOST_TEST(Platform::parse("windows").architecture == Platform::host().architecture);
}

BOOST_AUTO_TEST_CASE(the_host_is_normalised_and_known) {
  const Platform host = Platform::host();

  BOOST_TEST(host == normalise(host));
  BOOST_TEST(host.os == "linux");
#if defined(__x86_64__)
  BOOST_TEST(host.to_string() == "linux/amd64");
#elif defined(__aarch64__)
  BOOST_TEST(host.to_string() == "linux/arm64");
#endif
}

BOOST_AUTO_TEST_CASE(an_empty_os_becomes_the_hosts) { BOOST_TEST(normalise({.architecture = "amd64"}).to_string() == "linux/amd64"); }

BOOST_AUTO_TEST_CASE(attestations_are_unknown) {
  BOOST_TEST((Platform{.os = "unknown", .architecture = "unknown"}).is_unknown());
  BOOST_TEST(!Platform::parse("linux/amd64").is_unknown());
}

const std::vector<Row> fallback_rows = {
    {"linux/amd64", "linux/amd64 linux/386"},
    {"linux/amd64/v2", "linux/amd64/v2 linux/amd64 linux/386"},
    {"linux/amd64/v3", "linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386"},
    {"linux/amd64/strange", "linux/amd64/strange linux/386"},
    {"linux/amd64/v0", "linux/amd64/v0 linux/386"},
    {"linux/386", "linux/386"},
    {"linux/arm", "linux/arm/v7 linux/arm/v6 linux/arm/v5"},
    {"linux/arm/v8", "linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5"},
    {"linux/arm/v6", "linux/arm/v6 linux/arm/v5"},
    {"linux/arm/v5", "linux/arm/v5"},
    {"linux/arm/v4", "linux/arm/v4"},
    {"linux/arm/v0", "linux/arm/v0"},
    {"linux/arm/vv", "linux/arm/vv"},
    {"linux/arm64", "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5"},
    {"linux/arm64/v8.2", "linux/arm64/v8.2 linux/arm64/v8.1 linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5"},
    {"linux/arm64/v9",
     "linux/arm64/v9 linux/arm64/v8.5 linux/arm64/v8.4 linux/arm64/v8.3 linux/arm64/v8.2 linux/arm64/v8.1 linux/arm64 linux/arm/v8 "
     "linux/arm/v7 linux/arm/v6 linux/arm/v5"},
    {"linux/arm64/v9.5",  // the eighth ends at 8.9
     "linux/arm64/v9.5 linux/arm64/v9.4 linux/arm64/v9.3 linux/arm64/v9.2 linux/arm64/v9.1 linux/arm64/v9 linux/arm64/v8.9 linux/arm64/v8.8 "
     "linux/arm64/v8.7 linux/arm64/v8.6 linux/arm64/v8.5 linux/arm64/v8.4 linux/arm64/v8.3 linux/arm64/v8.2 linux/arm64/v8.1 linux/arm64 "
     "linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5"},
    {"linux/arm64/v10", ""},
    {"linux/arm64/v8.10", ""},
    {"linux/arm64/fast", ""},
    {"linux/s390x", "linux/s390x"},
    {"darwin/arm64", "darwin/arm64 darwin/arm/v8 darwin/arm/v7 darwin/arm/v6 darwin/arm/v5"},
};

BOOST_DATA_TEST_CASE(falls_back_in_order, fallback_rows, row) { BOOST_TEST(names(fallbacks(Platform::parse(row.text))) == row.expected); }

struct Match {
  std::string wanted;
  std::string candidate;
  int rank;  // -1: does not run
};
std::ostream& operator<<(std::ostream& out, const Match& m) { return out << m.candidate << " on " << m.wanted; }

const std::vector<Match> matches = {
    {"linux/amd64", "linux/amd64", 0},
    {"linux/amd64", "linux/x86_64/v1", 0},
    {"linux/amd64", "linux/386", 1},
    {"linux/amd64", "linux/amd64/v2", -1},  // never up
    {"linux/amd64/v3", "linux/amd64", 2},
    {"linux/amd64", "windows/amd64", -1},
    {"linux/amd64", "linux/arm64", -1},
    {"linux/arm64", "linux/arm64/v8", 0},
    {"linux/arm64", "linux/arm/v7", 2},
    {"linux/arm64/v8", "linux/arm64", 0},
    {"linux/arm64", "linux/arm64/v8.1", -1},
    {"linux/arm64", "linux/arm64/v9", -1},
    {"linux/arm64/v10", "linux/arm64/v10", -1},
    {"linux/arm/v7", "linux/arm", 0},
    {"linux/arm/v7", "linux/arm/v5", 2},
    {"linux/arm/v6", "linux/arm/v7", -1},
    {"linux/arm/v7", "linux/arm64", -1},
    {"windows(10.0.17763.1)/amd64", "windows(10.0.17763.4131)/amd64", 0},
    {"windows(10.0.17763.1)/amd64", "windows(10.0.20348.1)/amd64", -1},
    {"windows(10.0.1776)/amd64", "windows(10.0.17763)/amd64", -1},  // a build, not its first digits
    {"windows(10.0.17763)/amd64", "windows/amd64", 0},
    {"windows/amd64", "windows(10.0.20348.1)/amd64", 0},
    {"linux(5.0)/amd64", "linux(6.0)/amd64", 0},  // only Windows has builds
    {"linux/amd64", "linux(+sse4)/amd64", -1},
    {"linux(+sse4+aes)/amd64", "linux(+aes)/amd64", 0},
    {"linux(+sse4+aes)/amd64", "linux/amd64", 0},
    {"linux(+sse4)/amd64", "linux(+sse4+aes)/amd64", -1},
    {"windows/amd64", "windows(+win32k)/amd64", 0},
};

BOOST_DATA_TEST_CASE(ranks, matches, row) {
  const auto rank = match_rank(Platform::parse(row.wanted), Platform::parse(row.candidate));
  BOOST_TEST((rank ? static_cast<int>(*rank) : -1) == row.rank);
}

// Index entries come as written, not parsed.
BOOST_AUTO_TEST_CASE(ranks_what_is_not_normalised) {
  const auto rank = match_rank({.os = "Linux", .architecture = "aarch64"}, {.os = "linux", .architecture = "arm64", .variant = "v8"});
  BOOST_TEST(rank.has_value());
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
