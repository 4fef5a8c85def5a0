#include "stack/platforms.h"

#include "stack/ready_queue.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <thread>

using namespace drover;
using namespace drover::stack;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(platforms)

namespace {

registry::PlatformChoice asked(const std::vector<std::string>& names) {
  registry::PlatformChoice choice;
  for (const std::string& name : names) {
    if (name == "all") choice.all = true;
    else choice.wanted.push_back(Platform::parse(name));
  }
  return choice;
}

std::string text(const registry::PlatformChoice& choice) {
  std::string names = choice.all ? "all" : "";
  for (const Platform& platform : choice.wanted) names += (names.empty() ? "" : " ") + platform.to_string();
  return names;
}

std::optional<Platform> platform(const char* name) { return *name == '\0' ? std::nullopt : std::optional(Platform::parse(name)); }

}  // namespace

struct Row {
  const char* own;
  const char* engine;
  std::vector<std::string> asked;
  const char* loaded;
  bool is_for_engine;
  const char* pulled;
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.own << "|" << row.engine << "|" << text(asked(row.asked)); }

const Row rows[] = {
    // A service's own platform is the only one, whatever was asked, unless that was all.
    {"linux/arm64", "linux/amd64", {}, "linux/arm64", true, "linux/arm64"},
    {"linux/arm64", "linux/amd64", {"linux/amd64"}, "linux/arm64", true, "linux/arm64"},
    {"linux/arm64", "linux/amd64", {"linux/amd64", "linux/riscv64"}, "linux/arm64", true, "linux/arm64"},
    {"linux/arm64", "linux/amd64", {"all"}, "linux/arm64", true, "all"},
    // Nothing asked, or all: the engine's.
    {"", "linux/arm64", {}, "linux/arm64", true, "linux/arm64"},
    {"", "linux/arm64", {"all"}, "linux/arm64", true, "all"},
    // Several: what runs there best.
    {"", "linux/arm64", {"linux/amd64", "linux/arm64"}, "linux/arm64", true, "linux/amd64 linux/arm64"},
    {"", "linux/arm64", {"linux/arm/v6", "linux/arm/v7"}, "linux/arm/v7", true, "linux/arm/v6 linux/arm/v7"},
    // One that does not run there is loaded all the same, emulation may run it; of several none is.
    {"", "linux/amd64", {"linux/arm64"}, "linux/arm64", true, "linux/arm64"},
    {"", "linux/amd64", {"linux/arm64", "linux/s390x"}, "linux/arm64", false, "linux/arm64 linux/s390x"},
    // No engine.
    {"", "", {"linux/s390x", "linux/arm64"}, "linux/s390x", true, "linux/s390x linux/arm64"},
};

BOOST_DATA_TEST_CASE(a_platform_is_chosen_for_the_engine_and_for_the_store, data::make(rows), row) {
  const LoadTarget target = choose_load_target(platform(row.own), platform(row.engine), asked(row.asked));

  BOOST_TEST(target.platform.to_string() == row.loaded);
  BOOST_TEST(target.is_for_engine == row.is_for_engine);
  BOOST_TEST(text(choose_pulled(target, asked(row.asked))) == row.pulled);
}

BOOST_AUTO_TEST_CASE(without_an_engine_and_a_wish_it_is_this_machine_s) {
  BOOST_TEST(choose_load_target({}, {}, {}).platform == Platform::host());
}

BOOST_AUTO_TEST_CASE(images_with_the_same_platforms_share_a_pull) {
  const LoadTarget amd{.platform = Platform::parse("linux/amd64")};
  const LoadTarget arm{.platform = Platform::parse("linux/arm64")};

  const std::vector<PullGroup> groups = group_by_platforms({amd, arm, amd}, {});
  BOOST_TEST_REQUIRE(groups.size() == 2U);
  BOOST_TEST(groups[0].images == (std::vector<std::size_t>{0, 2}), boost::test_tools::per_element());
  BOOST_TEST(groups[1].images == (std::vector<std::size_t>{1}), boost::test_tools::per_element());
  BOOST_TEST(group_by_platforms({amd, arm, amd}, asked({"all"})).size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_smallest_goes_first_and_then_the_largest) {
  ReadyQueue queue;
  queue.push({{.index = 3, .bytes = 30}, {.index = 1, .bytes = 10}, {.index = 5, .bytes = 50}});
  queue.push({{.index = 4, .bytes = 40}});
  queue.close();

  for (const std::size_t index : {1U, 5U, 4U, 3U}) BOOST_TEST(queue.pop({}).value() == index);
  BOOST_TEST(!queue.pop({}).has_value());
}

BOOST_AUTO_TEST_CASE(a_stop_ends_waiting_at_once) {
  ReadyQueue queue;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  BOOST_TEST(!queue.pop(stop.get_token()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
