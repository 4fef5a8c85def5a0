#include "engine/query.h"

#include "base/error.h"
#include "engine/json_fields.h"
#include "engine/registry_login.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

using namespace drover;
using engine::image_path;
using engine::object_path;
using engine::Query;

BOOST_AUTO_TEST_SUITE(query)

BOOST_AUTO_TEST_CASE(values_are_escaped_and_defaults_left_out) {
  Query query("/containers/json");
  query.flag("all", true).flag("size", false).text("name", "").text("since", "a b&c=d/ä").number("limit", -1).set("empty", "");
  query.texts("names", {"x", "y+z"});
  BOOST_TEST(query.path() == "/containers/json?all=1&since=a%20b%26c%3Dd%2F%C3%A4&limit=-1&empty=&names=x&names=y%2Bz");
  BOOST_TEST(Query("/info").path() == "/info");
  BOOST_TEST(Query("/info").filters({}).path() == "/info");
}

BOOST_AUTO_TEST_CASE(filters_are_a_map_of_maps) {
  BOOST_TEST(engine::to_json_text(engine::Filters{}) == "{}");
  BOOST_TEST(engine::to_json_text(engine::Filters{{"label", {"b=\"2\"", "a=1"}}, {"status", {"exited"}}}) ==
             R"({"label":{"a=1":true,"b=\"2\"":true},"status":{"exited":true}})");
  BOOST_TEST(Query("/v").filters({{"name", {"x"}}}).path() == "/v?filters=%7B%22name%22%3A%7B%22x%22%3Atrue%7D%7D");
}

// They come from command lines, folders and compose files; a library's text for them would be no help, and may quote a secret.
BOOST_AUTO_TEST_CASE(what_is_no_utf8_is_not_sent) {
  const auto is_told = [](const Error& error) {
    return error.code() == ErrorCode::invalid && std::string_view(error.what()).find("is not UTF-8") != std::string_view::npos &&
           std::string_view(error.what()).find("secret") == std::string_view::npos;
  };
  BOOST_CHECK_EXCEPTION(Query("/x").filters({{"name", {"a\xff"}}}), Error, is_told);
  BOOST_CHECK_EXCEPTION(engine::to_registry_auth({.username = "me", .password = "secret\xff"}), Error, is_told);
  BOOST_CHECK_EXCEPTION(engine::to_request_text({{"\xff", 1}}), Error, is_told);
  BOOST_TEST(engine::to_request_text({{"\xc3\xa9", 1}}) == "{\"\xc3\xa9\":1}");
}

BOOST_AUTO_TEST_CASE(names_stay_inside_their_place_in_the_path) {
  BOOST_TEST(object_path("containers", "web", "json") == "/containers/web/json");
  BOOST_TEST(object_path("networks", "my net/../x?y#z") == "/networks/my%20net%2F..%2Fx%3Fy%23z");
  BOOST_TEST(image_path("ghcr.io/acme/api:1", "json") == "/images/ghcr.io/acme/api:1/json");
  BOOST_TEST(image_path("redis@sha256:ab") == "/images/redis@sha256:ab");
  BOOST_TEST(image_path("a b?c") == "/images/a%20b%3Fc");
  for (const char* bad : {"", ".", ".."}) {
    BOOST_CHECK_THROW(object_path("containers", bad, "json"), Error);
    BOOST_CHECK_THROW(image_path(bad), Error);
  }
  for (const char* bad : {"a/../b", "/a", "a/", "a//b", "./a"}) BOOST_CHECK_THROW(image_path(bad), Error);
}

BOOST_AUTO_TEST_SUITE_END()
