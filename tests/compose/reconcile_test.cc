// Plans of up as transcripts: what is made, what is replaced, in which order, and why.
#include "tests/compose/reconcile_case.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace drover;
using namespace drover::compose;

BOOST_AUTO_TEST_SUITE(reconcile_plans)

BOOST_AUTO_TEST_CASE(a_new_project_is_created_whole_and_then_started) {
  Shop shop;

  BOOST_TEST(shop.text("services: {web: {image: app:1, depends_on: [db]}, db: {image: db:1, volumes: [data:/data]}}\nvolumes: {data: }") ==
             "");
}

BOOST_AUTO_TEST_CASE(an_image_that_changed_swaps_its_service_alone) {
  Shop shop;
  shop.up("services: {web: {image: app:1, depends_on: [db]}, db: {image: db:1}}");

  BOOST_TEST(shop.text("services: {web: {image: app:2, depends_on: [db]}, db: {image: db:1}}") == "");
}

BOOST_AUTO_TEST_CASE(nothing_is_done_when_nothing_changed) {
  Shop shop;
  shop.up("services: {web: {image: app:1, depends_on: [db]}, db: {image: db:1}}");

  BOOST_TEST(shop.text("services: {web: {image: app:1, depends_on: [db]}, db: {image: db:1}}") == "");
}

BOOST_AUTO_TEST_SUITE_END()
