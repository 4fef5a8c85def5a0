#include "manifest/media_type.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace drover {
BOOST_AUTO_TEST_SUITE(media_types)

namespace {

struct Row {
  std::string text;
  std::string expected;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << '"' << row.text << '"'; }

const std::vector<Row> rows = {
    {"application/json", "application/json"},
    {"Application/JSON; charset=utf-8", "application/json"},
    {" text/plain ;x=y;z", "text/plain"},
    {"application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.index.v1+json"},
    {std::string(127, 'a') + "/" + std::string(127, 'b'), std::string(127, 'a') + "/" + std::string(127, 'b')},
    {std::string(128, 'a') + "/b", ""},
    {"a/" + std::string(128, 'b'), ""},
    {"", ""},
    {"json", ""},
    {"/json", ""},
    {"application/", ""},
    {"a/b/c", ""},
    {"application/js on", ""},
    {"application/\x1b[2J", ""},
    {"application/+json", ""},
    {"*/*", ""},
    {";application/json", ""},
};

BOOST_DATA_TEST_CASE(parses, rows, row) { BOOST_TEST(parse_media_type(row.text) == row.expected); }

BOOST_AUTO_TEST_CASE(every_type_has_one_meaning) {
  using namespace media_type;
  struct Meaning {
    std::string_view type;
    bool index, manifest, schema1, layer, foreign;
  };
  for (const Meaning& m : {Meaning{oci_index, true, false, false, false, false},
                           {docker_manifest_list, true, false, false, false, false},
                           {oci_manifest, false, true, false, false, false},
                           {docker_manifest, false, true, false, false, false},
                           {docker_schema1, false, false, true, false, false},
                           {docker_schema1_signed, false, false, true, false, false},
                           {oci_layer, false, false, false, true, false},
                           {oci_layer_gzip, false, false, false, true, false},
                           {oci_layer_zstd, false, false, false, true, false},
                           {docker_layer, false, false, false, true, false},
                           {docker_layer_gzip, false, false, false, true, false},
                           {docker_layer_zstd, false, false, false, true, false},
                           {oci_foreign_layer, false, false, false, true, true},
                           {oci_foreign_layer_gzip, false, false, false, true, true},
                           {oci_foreign_layer_zstd, false, false, false, true, true},
                           {docker_foreign_layer, false, false, false, true, true},
                           {docker_foreign_layer_gzip, false, false, false, true, true},
                           {oci_config, false, false, false, false, false},
                           {docker_config, false, false, false, false, false},
                           {"application/vnd.in-toto+json", false, false, false, false, false},
                           {"", false, false, false, false, false}}) {
    BOOST_TEST(is_index_media_type(m.type) == m.index, m.type);
    BOOST_TEST(is_manifest_media_type(m.type) == m.manifest, m.type);
    BOOST_TEST(is_schema1_media_type(m.type) == m.schema1, m.type);
    BOOST_TEST(is_layer_media_type(m.type) == m.layer, m.type);
    BOOST_TEST(is_foreign_layer_media_type(m.type) == m.foreign, m.type);
  }
}

BOOST_AUTO_TEST_CASE(generic_types_say_nothing) {
  for (const char* type : {"", "application/json", "text/plain", "application/octet-stream", "binary/octet-stream"}) {
    BOOST_TEST(is_generic_media_type(type), type);
  }
  BOOST_TEST(!is_generic_media_type("text/html"));
  BOOST_TEST(!is_generic_media_type(media_type::oci_index));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
