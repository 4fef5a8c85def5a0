#include "registry/hedge.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace drover::registry {
namespace {

using Known = std::optional<std::chrono::milliseconds>;

struct PatienceRow {
  const char* name;
  Known own;
  Known other;
  std::chrono::milliseconds expected;

  friend std::ostream& operator<<(std::ostream& out, const PatienceRow& row) { return out << row.name; }
};

const PatienceRow patience_rows[] = {
    {"nothing_is_known", {}, {}, 2000ms},
    {"a_near_mirror", 20ms, {}, 1000ms},
    {"a_far_mirror", 500ms, {}, 2000ms},
    {"a_very_slow_mirror", 3000ms, {}, 5000ms},
    {"a_registry_that_is_known_to_be_near", {}, 50ms, 1000ms},
    {"a_far_registry", {}, 700ms, 2800ms},
    {"a_mirror_much_slower_than_the_registry", 3000ms, 100ms, 1000ms},
    {"a_mirror_much_faster_than_the_registry", 20ms, 3000ms, 1000ms},
};

// What happens at which second: "asked 0", "failed 0", "answered 1"; asked are those that next() names.
struct Play {
  Hedge hedge;
  std::string text;

  static Hedge::TimePoint at(double seconds) {
    return Hedge::TimePoint(std::chrono::hours(1)) + std::chrono::milliseconds(static_cast<int>(seconds * 1000));
  }
  void look(double seconds) {
    while (const auto source = hedge.next(at(seconds))) text += "asked " + std::to_string(*source) + " ";
  }
};

const std::vector<std::optional<std::chrono::milliseconds>> mirror_and_registry = {2000ms, std::nullopt};

}  // namespace

BOOST_AUTO_TEST_SUITE(hedge)

BOOST_DATA_TEST_CASE(patience_follows_what_was_measured, boost::unit_test::data::make(patience_rows), row) {
  BOOST_TEST(patience_with({}, row.own, row.other).count() == row.expected.count());
}

BOOST_AUTO_TEST_CASE(a_mirror_that_answers_in_time_is_asked_alone) {
  Play play{Hedge(mirror_and_registry), {}};
  play.look(0);
  play.look(1.9);
  BOOST_TEST((play.hedge.wake_at() == Play::at(2)));
  play.hedge.answered(0);
  play.look(9);
  BOOST_TEST(play.text == "asked 0 ");
  BOOST_TEST(play.hedge.is_over());
  BOOST_TEST(play.hedge.overtaken().empty());
}

BOOST_AUTO_TEST_CASE(the_registry_is_asked_as_well_when_the_mirror_is_late) {
  Play play{Hedge(mirror_and_registry), {}};
  play.look(0);
  play.look(2);
  play.look(60);
  BOOST_TEST(play.text == "asked 0 asked 1 ");
  BOOST_TEST(!play.hedge.wake_at().has_value());
  BOOST_TEST(!play.hedge.is_over());
  play.hedge.answered(1);
  BOOST_TEST(play.hedge.is_over());
  BOOST_TEST((play.hedge.overtaken() == std::vector<std::size_t>{0}));
}

// Late, and nevertheless before the registry.
BOOST_AUTO_TEST_CASE(a_mirror_that_is_a_bit_slow_keeps_its_place) {
  Play play{Hedge(mirror_and_registry), {}};
  play.look(0);
  play.look(2);
  play.hedge.answered(0);
  play.hedge.answered(1);
  BOOST_TEST(*play.hedge.winner() == 0U);
  BOOST_TEST(play.hedge.overtaken().empty());
}

BOOST_AUTO_TEST_CASE(who_fails_is_followed_at_once_and_was_not_slow) {
  Play play{Hedge(mirror_and_registry), {}};
  play.look(0);
  play.hedge.failed(0);
  play.look(0.1);
  BOOST_TEST(play.text == "asked 0 asked 1 ");
  play.hedge.answered(1);
  BOOST_TEST(play.hedge.overtaken().empty());
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_registry_leaves_it_to_the_mirror) {
  Play play{Hedge(mirror_and_registry), {}};
  play.look(0);
  play.look(2);
  play.hedge.failed(1);
  BOOST_TEST(!play.hedge.is_over());
  play.hedge.answered(0);
  BOOST_TEST(*play.hedge.winner() == 0U);
}

BOOST_AUTO_TEST_CASE(it_is_over_when_all_have_failed) {
  Play play{Hedge(mirror_and_registry), {}};
  play.look(0);
  play.look(2);
  play.hedge.failed(1);
  play.hedge.failed(0);
  BOOST_TEST(play.hedge.is_over());
  BOOST_TEST(!play.hedge.winner().has_value());
}

BOOST_AUTO_TEST_CASE(each_of_several_mirrors_has_its_own_time) {
  Play play{Hedge({1000ms, 3000ms, std::nullopt}), {}};
  play.look(0);
  play.look(1.5);
  play.look(4);
  BOOST_TEST(play.text == "asked 0 asked 1 ");
  play.look(4.5);
  BOOST_TEST(play.text == "asked 0 asked 1 asked 2 ");
  play.hedge.answered(2);
  BOOST_TEST((play.hedge.overtaken() == std::vector<std::size_t>{0, 1}));
}

// The registry first, because the mirror is asked last: nobody hurries it.
BOOST_AUTO_TEST_CASE(without_a_limit_nobody_else_is_asked) {
  Play play{Hedge({std::nullopt, std::nullopt}), {}};
  play.look(0);
  play.look(100);
  BOOST_TEST(play.text == "asked 0 ");
  BOOST_TEST(!play.hedge.wake_at().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::registry
