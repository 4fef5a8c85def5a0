#include "store/ranges.h"

#include <boost/test/unit_test.hpp>

#include <random>
#include <vector>

using namespace drover;

BOOST_AUTO_TEST_SUITE(ranges)

BOOST_AUTO_TEST_CASE(touching_ranges_are_joined) {
  RangeSet set;
  set.add({10, 20});
  set.add({30, 40});
  BOOST_TEST(set.to_string() == "[10,20) [30,40)");
  set.add({20, 30});
  BOOST_TEST(set.to_string() == "[10,40)");
  set.add({0, 5});
  set.add({4, 11});
  BOOST_TEST(set.to_string() == "[0,40)");
  set.add({7, 7});
  BOOST_TEST(set.to_string() == "[0,40)");
}

BOOST_AUTO_TEST_CASE(removing_splits) {
  RangeSet set;
  set.add({0, 100});
  set.remove({40, 60});
  BOOST_TEST(set.to_string() == "[0,40) [60,100)");
  set.remove({0, 40});
  BOOST_TEST(set.to_string() == "[60,100)");
  set.remove({90, 200});
  BOOST_TEST(set.to_string() == "[60,90)");
}

BOOST_AUTO_TEST_CASE(questions) {
  RangeSet set;
  set.add({0, 10});
  set.add({20, 30});
  BOOST_TEST(set.prefix() == 10);
  BOOST_TEST(set.bytes() == 20);
  BOOST_TEST(set.contains({20, 30}));
  BOOST_TEST(!set.contains({9, 11}));
  BOOST_TEST((set.end_of(25) == std::optional<std::uint64_t>(30)));
  BOOST_TEST(!set.end_of(10).has_value());
  const std::vector<ByteRange> holes = set.missing(40);
  BOOST_REQUIRE(holes.size() == 2);
  BOOST_TEST((holes[0] == ByteRange{10, 20}));
  BOOST_TEST((holes[1] == ByteRange{30, 40}));
  BOOST_TEST(set.missing(25).size() == 1);
}

// The set against a plain bitmap, over random operations.
BOOST_AUTO_TEST_CASE(agrees_with_a_bitmap) {
  std::mt19937 random(7);  // NOLINT: the same every time
  for (int round = 0; round < 200; ++round) {
    RangeSet set;
    std::vector<bool> bitmap(64, false);
    for (int step = 0; step < 30; ++step) {
      const std::uint64_t a = random() % 64;
      const std::uint64_t b = random() % 65;
      const ByteRange range{std::min(a, b), std::max(a, b)};
      const bool adds = random() % 3 != 0;
      if (adds) set.add(range);
      else set.remove(range);
      for (std::uint64_t i = range.begin; i < range.end; ++i) bitmap[i] = adds;
    }
    for (std::uint64_t i = 0; i < 64; ++i) BOOST_REQUIRE(set.contains({i, i + 1}) == bitmap[i]);
    for (std::size_t i = 1; i < set.list().size(); ++i) BOOST_REQUIRE(set.list()[i - 1].end < set.list()[i].begin);
  }
}

BOOST_AUTO_TEST_SUITE_END()
