#include "base/error.h"
#include "manifest/manifest.h"
#include "tests/manifest/documents.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace drover {
BOOST_AUTO_TEST_SUITE(image_config)

namespace {

using std::string;

const string config_json = R"({"architecture":"arm64","variant":"v8","os":"linux","created":"2024-01-02T03:04:05Z","rootfs":{"type":"layers","diff_ids":[")" +
                           digest_a + "\",\"" + digest_b + R"("]},"config":{"Labels":{"a":"1","A":"2"},"Env":null},"history":[{"created":"x"}]})";

struct Refused {
  string name;
  string text;
  string piece;
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.name; }

const string rootfs_json = R"({"type":"layers","diff_ids":[")" + digest_a + "\",\"" + digest_b + R"("]})";

const std::vector<Refused> refused = {
    {"no rootfs", with(config_json, "\"rootfs\":" + rootfs_json + ",", ""), "image configuration.rootfs: missing"},
    {"rootfs null", with(config_json, rootfs_json, "null"), "rootfs: missing"},
    {"rootfs an array", with(config_json, rootfs_json, "[]"), "rootfs: not a JSON object"},
    {"an empty object, as artifacts have it", "{}", "not the configuration of an image"},
    {"no type", with(config_json, "\"type\":\"layers\",", ""), "rootfs.type: missing"},
    {"another type", with(config_json, "\"layers\"", "\"blocks\""), "not \"layers\""},
    {"no diff_ids", with(config_json, ",\"diff_ids\":[\"" + digest_a + "\",\"" + digest_b + "\"]", ""), "diff_ids: missing"},
    {"diff_ids an object", with(config_json, "[\"" + digest_a + "\",\"" + digest_b + "\"]", "{}"), "diff_ids: not an array"},
    {"a broken diff ID", with(config_json, digest_b, "sha256:b"), "image configuration.rootfs.diff_ids[1]: not a digest"},
    {"a diff ID null", with(config_json, "\"" + digest_b + "\"", "null"), "diff_ids[1]: not a string"},
    {"os a number", with(config_json, "\"linux\"", "1"), "image configuration.os: not a string"},
    {"created a number", with(config_json, "\"2024-01-02T03:04:05Z\"", "1"), "created: not a string"},
    {"rootfs twice", with(config_json, "\"rootfs\"", "\"rootfs\":null,\"rootfs\""), "is there twice"},
    {"rootfs and RootFS", with(config_json, "\"rootfs\"", "\"RootFS\":null,\"rootfs\""), "differ only in case"},
    {"os and OS", with(config_json, "\"os\"", "\"OS\":\"windows\",\"os\""), "differ only in case"},
    {"diff_ids and its long s", with(config_json, "\"diff_ids\"", "\"diff_id\xC5\xBF\":[],\"diff_ids\""), "differ only in case"},
    {"a label twice", with(config_json, "\"A\":\"2\"", "\"a\":\"2\""), "is there twice"},
    {"not JSON", "<html>", "image configuration: not JSON"},
};

BOOST_AUTO_TEST_CASE(reads_platform_diff_ids_and_date) {
  const ImageConfig config = parse_image_config(config_json);

  BOOST_TEST(config.platform.to_string() == "linux/arm64");
  BOOST_TEST(config.platform.variant == "");
  BOOST_TEST(config.created == "2024-01-02T03:04:05Z");
  BOOST_REQUIRE(config.diff_ids.size() == 2U);
  BOOST_TEST(config.diff_ids[1] == Digest::parse(digest_b));
}

BOOST_DATA_TEST_CASE(refuses_and_names_it, refused, row) {
  BOOST_CHECK_EXCEPTION(parse_image_config(row.text), Error, (Says{ErrorCode::invalid, row.piece}));
}

BOOST_AUTO_TEST_CASE(an_image_may_have_no_layers_and_no_date) {
  const ImageConfig config = parse_image_config(R"({"architecture":"amd64","os":"linux","created":null,"rootfs":{"type":"layers","diff_ids":null}})");

  BOOST_TEST(config.diff_ids.empty());
  BOOST_TEST(config.chain_ids().empty());
  BOOST_TEST(config.created == "");
}

BOOST_AUTO_TEST_CASE(old_docker_members_are_none_of_our_business) {
  BOOST_CHECK_NO_THROW(parse_image_config(with(config_json, "\"os\"", R"("container_config":{"Hostname":"x","hostname":"y"},"Size":1,"os")")));
}

BOOST_AUTO_TEST_CASE(the_number_of_diff_ids_is_bounded) {
  string ids = "\"" + digest_a + "\"";
  for (std::size_t i = 1; i < layers_max; ++i) ids += ",\"" + digest_a + "\"";
  const string before = R"({"rootfs":{"type":"layers","diff_ids":[)";

  BOOST_TEST(parse_image_config(before + ids + "]}}").diff_ids.size() == layers_max);
  BOOST_CHECK_THROW(parse_image_config(before + ids + ",\"" + digest_a + "\"]}}"), Error);
}

BOOST_AUTO_TEST_CASE(bytes_are_bounded) {
  const string padding(config_bytes_max - config_json.size(), ' ');

  BOOST_CHECK_NO_THROW(parse_image_config(config_json + padding));
  BOOST_CHECK_THROW(parse_image_config(config_json + padding + " "), Error);
}

BOOST_AUTO_TEST_CASE(every_cut_in_the_middle_is_refused) {
  for (std::size_t size = 0; size < config_json.size(); ++size) BOOST_CHECK_THROW(parse_image_config(config_json.substr(0, size)), Error);
}

// printf 'sha256:aa…a sha256:bb…b' | sha256sum, and so on: OCI image-spec v1.1 config.md section "layer chainid".
BOOST_AUTO_TEST_CASE(chain_ids_name_the_stack_of_layers) {
  ImageConfig config = parse_image_config(config_json);
  config.diff_ids.push_back(Digest::parse(digest_c));

  const std::vector<Digest> chain = config.chain_ids();

  BOOST_REQUIRE(chain.size() == 3U);
  BOOST_TEST(chain[0].to_string() == digest_a);
  BOOST_TEST(chain[1].to_string() == "sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c");
  BOOST_TEST(chain[2].to_string() == "sha256:c1377126441fb2f5ec2c21ae2a60255331d639e830f0ee1b40a36e52d4c40588");
}

BOOST_AUTO_TEST_CASE(layers_and_diff_ids_agree_in_number) {
  const ImageConfig config = parse_image_config(config_json);
  const Descriptor layer{.media_type = "a/b", .digest = Digest::parse(digest_a), .size = 1};
  Manifest manifest{.media_type = "a/b", .config = layer, .layers = {layer, layer}};

  BOOST_CHECK_NO_THROW(check_layers_match(manifest, config));
  manifest.layers.push_back(layer);
  BOOST_CHECK_EXCEPTION(check_layers_match(manifest, config), Error,
                        (Says{ErrorCode::invalid, "3 layers and the image configuration 2 diff IDs"}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
