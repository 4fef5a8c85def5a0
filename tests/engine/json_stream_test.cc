#include "engine/json_stream.h"

#include "base/error.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace drover;
using engine::JsonStream;

BOOST_AUTO_TEST_SUITE(json_stream)

namespace {

struct Heard {
  std::vector<std::string> objects;
  std::vector<std::string> junk;
};

Heard hear(std::string_view text, std::size_t piece_bytes) {
  Heard heard;
  JsonStream stream([&](const nlohmann::json& object) { heard.objects.push_back(object.dump()); },
                    [&](std::string_view line) { heard.junk.emplace_back(line); });
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) stream.feed(as_bytes(text.substr(at, piece_bytes)));
  stream.finish();
  return heard;
}

}  // namespace

BOOST_AUTO_TEST_CASE(objects_are_the_same_however_the_input_is_cut) {
  const std::string text = "{\"a\":1}\r\n{\"b\":\"x\\ny\"}\n\x1e{\"c\":{}}\n\r\n{\"d\":[1,2]}";
  const std::vector<std::string> expected{R"({"a":1})", R"({"b":"x\ny"})", R"({"c":{}})", R"({"d":[1,2]})"};

  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    BOOST_TEST(hear(text, piece).objects == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_line_that_is_no_object_is_junk_and_the_next_counts) {
  const Heard heard = hear("WARNING: low disk\r\n[1]\r\n{\"cut\":\r\n{\"ok\":true}\r\n", 5);

  BOOST_TEST(heard.objects == std::vector<std::string>{R"({"ok":true})"}, boost::test_tools::per_element());
  BOOST_TEST(heard.junk == (std::vector<std::string>{"WARNING: low disk", "[1]", "{\"cut\":"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_answer_cut_in_an_object_leaves_junk) {
  const Heard heard = hear("{\"a\":1}\n{\"b\"", 3);
  BOOST_TEST(heard.objects.size() == 1U);
  BOOST_TEST(heard.junk.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_line_is_bounded_and_the_bound_itself_is_fine) {
  const std::string frame = R"({"a":""})";
  std::string longest = R"({"a":")" + std::string(engine::stream_object_bytes_max - frame.size(), 'x') + "\"}";
  BOOST_TEST(hear(longest + "\n", 4096).objects.size() == 1U);

  longest.insert(6, "y");
  BOOST_CHECK_THROW(hear(longest + "\n", 4096), Error);
  BOOST_CHECK_THROW(hear(longest + "\n", longest.size() + 1), Error);
  BOOST_CHECK_THROW(hear(std::string(3U << 20U, 'z'), 100'000), Error);
}

BOOST_AUTO_TEST_CASE(errors_are_found_in_either_member) {
  const auto find = [](std::string_view text) { return engine::find_stream_error(nlohmann::json::parse(text)); };
  BOOST_TEST(find(R"({"errorDetail":{"message":"no space"},"error":"old"})") == "no space");
  BOOST_TEST(find(R"({"error":"old"})") == "old");
  BOOST_TEST(find(R"({"errorDetail":{"code":5}})") == "an error without a message");
  BOOST_TEST(find(R"({"errorDetail":null,"error":null,"status":"fine"})") == "");
  BOOST_TEST(find(R"({"stream":"Loaded image: x"})") == "");
}

BOOST_AUTO_TEST_SUITE_END()
