#include "store/verify_layers.h"

#include "store/tar_writer.h"
#include "tests/store/small_image.h"
#include "tests/support/layer_bytes.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using store::BlobStore;

namespace {

std::string tar_of(std::string_view content) {
  std::string tar;
  store::TarWriter writer([&](std::span<const std::byte> bytes) { tar.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); });
  writer.add("file", content);
  writer.finish();
  return tar;
}

struct VerifyLayersFixture {
  // An image of one layer whose configuration says `diff_id`.
  void put(const std::string& name, const std::string& blob, const Digest& diff_id, std::string_view config_type = media_type::oci_config) {
    const Descriptor layer = test::put(store, blob, media_type::oci_layer_gzip);
    const Descriptor config = test::put(store, R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[")" + diff_id.to_string() + "\"]}}", config_type);
    store.set_tags({{.name = name, .descriptor = test::put(store, test::manifest_json(config, {layer}), media_type::oci_manifest)}});
  }
  std::string verify() {
    std::string text;
    for (const store::TagFault& fault : store::verify_layers(Context{}, store, 2)) text += fault.name + ": " + fault.why + "\n";
    return text;
  }

  test::TempDir dir;
  BlobStore store = BlobStore::open(dir.path() / "store", BlobStore::Access::write);
  const std::string tar = tar_of("hello");
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(verify_layers, VerifyLayersFixture)

BOOST_AUTO_TEST_CASE(layers_that_unpack_to_what_is_said_are_no_news) {
  put("a:1", test::gzip(tar), Digest::of(tar));
  put("b:1", tar, Digest::of(tar));
  BOOST_TEST(verify() == "");
}

BOOST_AUTO_TEST_CASE(another_content_than_said_is_a_fault_of_the_image_alone) {
  const std::string blob = test::gzip(tar);
  put("good:1", blob, Digest::of(tar));
  put("bad:1", blob, Digest::of("another"));
  BOOST_TEST(verify() == "bad:1 linux/amd64: layer " + Digest::of(blob).to_string() + " unpacks to " + Digest::of(tar).to_string() +
                             ", its configuration says " + Digest::of("another").to_string() + "\n");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_unpacked_says_why) {
  const std::string cut = test::gzip(tar).substr(0, 60);
  put("cut:1", cut, Digest::of(tar));
  put("odd:1", "neither tar nor gzip", Digest::of(tar));
  const std::string text = verify();
  BOOST_TEST(text.find("cut:1 linux/amd64: layer " + Digest::of(cut).to_string() + " cannot be unpacked: ") != std::string::npos);
  BOOST_TEST(text.find("is neither tar nor gzip nor zstd") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(artifacts_are_no_images) {
  put("chart:1", "anything", Digest::of("x"), "application/vnd.cncf.helm.config.v1+json");
  BOOST_TEST(verify() == "");
}

BOOST_AUTO_TEST_SUITE_END()
