// Which images `drover up` fetches first, and which it refuses to do without.
#include "base/error.h"
#include "stack/up_images.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using namespace drover;
using namespace drover::stack;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(up_images)

namespace {

const auto now = std::chrono::system_clock::time_point(1'700'000'000s);

compose::Project load(const std::string& services) {
  compose::LoadOptions options;
  options.files = {"-"};
  options.working_directory = "/srv/shop";
  options.standard_input = "services: {" + services + "}";
  return compose::load_project(options);
}

std::string plan(const std::string& services, const std::vector<std::string>& local, const TagTimes& tagged = {},
                 const std::optional<PullPolicy>& override_policy = {}) {
  std::map<std::string, compose::ImageFacts> facts;
  for (const std::string& name : local) facts[name] = {.id = "sha256:1", .platform = "linux/amd64"};
  std::string text;
  try {
    for (const ImageNeed& need : plan_images(load(services), facts, tagged, override_policy, now)) text += to_text(need) + "\n";
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::refused));
    return error.what();
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_there_is_not_fetched) {
  BOOST_TEST(plan("web: {image: app}, db: {image: sql, pull_policy: never}, job: {build: .}", {"app", "sql", "shop-job"}) == "");
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_fetched_once_for_all) {
  BOOST_TEST(plan("web: {image: app}, api: {image: app}, db: {image: 'sql:2'}", {}) ==
             "image app:latest of api, web: not in the engine, fetched first\n"
             "image sql:2 of db: not in the engine, fetched first\n");
}

BOOST_AUTO_TEST_CASE(policies_ask_again) {
  const TagTimes tagged{{"day", now - 25h}, {"young", now - 23h}, {"week", now - 24h * 6}, {"twelve", now - 13h}, {"unknown", std::nullopt}};
  BOOST_TEST(plan("a: {image: always, pull_policy: always}, b: {image: day, pull_policy: daily}, c: {image: young, pull_policy: daily},"
                  "d: {image: week, pull_policy: weekly}, e: {image: twelve, pull_policy: every_12h}, f: {image: unknown, pull_policy: daily}",
                  {"always", "day", "young", "week", "twelve", "unknown"}, tagged) ==
             "image always:latest of a: its pull policy is always, fetched first\n"
             "image day:latest of b: older than its pull policy allows, fetched first\n"
             "image twelve:latest of e: older than its pull policy allows, fetched first\n"
             "image unknown:latest of f: older than its pull policy allows, fetched first\n");
}

BOOST_AUTO_TEST_CASE(one_policy_for_all_wins) {
  BOOST_TEST(plan("a: {image: app}", {"app"}, {}, PullPolicy::parse("always")) == "image app:latest of a: its pull policy is always, fetched first\n");
  BOOST_TEST(plan("a: {image: app, pull_policy: always}", {"app"}, {}, PullPolicy::parse("never")) == "");
}

BOOST_AUTO_TEST_CASE(what_may_not_be_fetched_is_refused_with_what_to_do) {
  BOOST_TEST(plan("a: {image: app, pull_policy: never}", {}) ==
             "service a: image app is not in the engine and its pull policy is never; bring it there with drover prefetch app");
  BOOST_TEST(plan("a: {build: .}", {}) ==
             "service a: image shop-a is not in the engine, and drover does not build; build it with docker compose build a");
  BOOST_TEST(plan("a: {build: ., image: app, pull_policy: build}", {}) ==
             "service a: image app is not in the engine, and drover does not build; build it with docker compose build a");
}

BOOST_AUTO_TEST_CASE(an_image_of_another_platform_is_missing) {
  BOOST_TEST(plan("a: {image: app, platform: linux/arm64}", {"app"}) == "image app:latest of a: not in the engine, fetched first\n");
  BOOST_TEST(plan("a: {image: app, platform: linux/amd64}", {"app"}) == "");
}

BOOST_AUTO_TEST_CASE(the_registry_is_asked_when_one_user_of_an_image_wants_it) {
  const auto needs = plan_images(load("a: {image: app}, b: {image: app, pull_policy: always}"), {}, {}, {}, now);
  BOOST_REQUIRE_EQUAL(needs.size(), 1U);
  BOOST_TEST(needs[0].image.services.size() == 2U);
  BOOST_TEST(needs[0].may_come_from_store());  // both are missing; always asks again only for what is there

  const auto again = plan_images(load("a: {image: app, platform: linux/arm64}, b: {image: app, pull_policy: always}"),
                                 {{"app", {.id = "sha256:1", .platform = "linux/amd64"}}}, {}, {}, now);
  BOOST_REQUIRE_EQUAL(again.size(), 2U);
}

BOOST_AUTO_TEST_CASE(policies_are_words) {
  BOOST_TEST((PullPolicy::parse("every_1w2d3h4m5s").age == 24h * 9 + 3h + 4min + 5s));
  for (const char* const word : {"often", "every_", "every_5", "every_x", "every_5y", "Always"}) {
    BOOST_TEST_CONTEXT(word) { BOOST_CHECK_THROW(PullPolicy::parse(word), Error); }
  }
}

BOOST_AUTO_TEST_CASE(only_refreshed_names_are_dated) {
  BOOST_TEST(names_to_date(load("a: {image: x, pull_policy: daily}, b: {image: y}, c: {image: x, pull_policy: weekly}"), {}) == std::vector<std::string>{"x"},
             boost::test_tools::per_element());
  BOOST_TEST(names_to_date(load("a: {image: x, pull_policy: daily}"), PullPolicy::parse("never")).empty());
}

BOOST_AUTO_TEST_SUITE_END()
