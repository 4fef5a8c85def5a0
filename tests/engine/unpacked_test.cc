#include "engine/unpacked.h"

#include "engine/load.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

using namespace drover;
using engine::Unpacked;

namespace {

// As 28.5 answers, shortened.
engine::ImageDetails inspected(const char* manifests) {
  const std::string id = Digest::of("index").to_string();
  return *engine::parse_image_details(nlohmann::json::parse(R"({"Id":")" + id + R"(","RepoDigests":["app@)" + id +
                                                            R"("],"Os":"linux","Architecture":"amd64","Manifests":)" + manifests + "}"));
}

std::string manifest_json(const char* name, const char* architecture, int packed, const char* unpacked) {
  return R"({"ID":")" + Digest::of(name).to_string() + R"(","Available":true,"Kind":"image","Size":{"Content":)" + std::to_string(packed) +
         R"(},"ImageData":{"Platform":{"os":"linux","architecture":")" + architecture + R"("},"Size":{)" + unpacked + "}}}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(unpacked)

BOOST_AUTO_TEST_CASE(nothing_unpacked_of_much_packed_is_a_load_that_failed) {
  BOOST_TEST((engine::judge_unpacked({.platform = {}, .packed_bytes = 5'000'000, .unpacked_bytes = 5'005'312}) == Unpacked::yes));
  BOOST_TEST((engine::judge_unpacked({.platform = {}, .packed_bytes = 5'000'000, .unpacked_bytes = 0}) == Unpacked::no));
  BOOST_TEST((engine::judge_unpacked({.platform = {}, .packed_bytes = 648, .unpacked_bytes = 0}) == Unpacked::unsure));
  BOOST_TEST((engine::judge_unpacked({.platform = {}, .packed_bytes = 5'000'000, .unpacked_bytes = {}}) == Unpacked::yes));
}

BOOST_AUTO_TEST_CASE(sizes_are_read_of_each_platform) {
  const std::string list = "[" + manifest_json("amd", "amd64", 5'000'000, R"("Unpacked":0)") + "," +
                           manifest_json("arm", "arm64", 5'000'000, R"("Unpacked":7)") + "]";
  const engine::ImageDetails details = inspected(list.c_str());

  const engine::HeldManifests& held = *details.available_manifests;
  BOOST_TEST((engine::judge_unpacked(held.at(Digest::of("amd"))) == Unpacked::no));
  BOOST_TEST((engine::judge_unpacked(held.at(Digest::of("arm"))) == Unpacked::yes));
  BOOST_TEST(held.at(Digest::of("arm")).platform.to_string() == "linux/arm64");
}

BOOST_AUTO_TEST_SUITE_END()
