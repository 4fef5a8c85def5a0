#include "engine/odd_layer.h"

#include "manifest/media_type.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>

using namespace drover;
using store::Compression;
namespace data = boost::unit_test::data;

namespace {

struct Row {
  std::string_view media_type;
  Compression found;
  const char* said;  // null: nothing
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.media_type << " " << static_cast<int>(row.found); }

const Row rows[] = {
    {media_type::oci_layer, Compression::none, nullptr},
    {media_type::oci_layer_gzip, Compression::gzip, nullptr},
    {media_type::oci_layer_zstd, Compression::zstd, nullptr},
    {media_type::docker_layer, Compression::none, nullptr},
    {media_type::docker_layer_gzip, Compression::gzip, nullptr},
    {media_type::docker_layer_zstd, Compression::zstd, nullptr},
    {media_type::docker_foreign_layer, Compression::none, nullptr},
    {media_type::docker_foreign_layer_gzip, Compression::gzip, nullptr},
    {media_type::oci_foreign_layer_zstd, Compression::zstd, nullptr},
    {media_type::oci_layer_gzip, Compression::none, "is named application/vnd.oci.image.layer.v1.tar+gzip and is plain tar"},
    {media_type::oci_layer, Compression::gzip, "is named application/vnd.oci.image.layer.v1.tar and is gzip"},
    {media_type::oci_layer_gzip, Compression::zstd, "is named application/vnd.oci.image.layer.v1.tar+gzip and is zstd"},
    {media_type::oci_layer, Compression::unknown, "is named application/vnd.oci.image.layer.v1.tar and is neither tar nor gzip nor zstd"},
    {"application/vnd.example.thing.v1+xz", Compression::unknown,
     "is named application/vnd.example.thing.v1+xz, which is no layer's media type, and is neither tar nor gzip nor zstd"},
    {"application/vnd.example.thing.v1+gzip", Compression::gzip,
     "is named application/vnd.example.thing.v1+gzip, which is no layer's media type, and is gzip"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(odd_layer)

BOOST_DATA_TEST_CASE(a_layer_is_what_its_name_says_or_is_told_of, data::make(rows), row) {
  const auto said = engine::describe_odd_layer(row.media_type, row.found);
  BOOST_TEST(said.value_or("") == (row.said == nullptr ? "" : row.said));
}

BOOST_AUTO_TEST_SUITE_END()
