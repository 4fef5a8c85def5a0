#include "store/index_json.h"

#include "tests/store/small_image.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::store;
using test::has_code;

BOOST_AUTO_TEST_SUITE(index_json)

namespace {

const std::string digest_a = Digest::of("a").to_string();
const std::string digest_b = Digest::of("b").to_string();

std::string document(const std::string& manifests) { return R"({"schemaVersion":2,"manifests":[)" + manifests + "]}"; }

std::string entry(const std::string& digest, const std::string& annotations) {
  return R"({"mediaType":"application/vnd.oci.image.index.v1+json","digest":")" + digest + R"(","size":1,"annotations":{)" + annotations + "}}";
}

Tag tag(const std::string& name, std::string_view bytes) {
  return {.name = name, .descriptor = test::describe(bytes, media_type::oci_manifest)};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_new_document_has_no_tags_and_takes_some) {
  const std::string json = with_tags(empty_index_json(), {tag("docker.io/library/b:1", "b"), tag("docker.io/library/a:1", "a")});

  const std::vector<Tag> tags = parse_index_tags(json);
  BOOST_TEST(parse_index_tags(empty_index_json()).empty());
  BOOST_TEST_REQUIRE(tags.size() == 2U);
  BOOST_TEST(tags[0].name == "docker.io/library/a:1");
  BOOST_TEST((tags[0].descriptor == tag("", "a").descriptor));
  BOOST_TEST(tags[1].name == "docker.io/library/b:1");
  BOOST_TEST(json.find(R"("org.opencontainers.image.ref.name":"docker.io/library/a:1")") != std::string::npos);
  BOOST_TEST(json.find(R"("io.containerd.image.name":"docker.io/library/a:1")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(platform_and_annotations_of_a_tag_come_back) {
  Tag full = tag("x:1", "a");
  full.descriptor.platform = Platform{.os = "linux", .architecture = "arm", .variant = "v7", .os_version = "1.2", .os_features = {"f"}};
  full.descriptor.annotations = {{"org.example.note", "kept"}};

  const std::vector<Tag> tags = parse_index_tags(with_tags(empty_index_json(), {full}));

  BOOST_TEST_REQUIRE(tags.size() == 1U);
  BOOST_TEST((tags[0].descriptor == full.descriptor));
}

BOOST_AUTO_TEST_CASE(what_other_tools_wrote_stays_byte_for_byte) {
  const std::string nameless = R"({"mediaType":"application/x","digest":"blake3:00","size":7,"x-other":[1,{"z":null,"a":1.5}]})";
  const std::string other = R"({"mediaType":"m","size":1,"digest":")" + digest_a + R"(","annotations":{"org.opencontainers.image.ref.name":"7","z":"1"},"data":"YQ=="})";
  const std::string before = R"({"x-vendor":{"b":1,"a":2},"schemaVersion":2,"manifests":[)" + nameless + "," + other + R"(],"annotations":{"k":"v"}})";

  const std::string after = with_tags(before, {tag("x:1", "b")});

  BOOST_TEST(after.starts_with(R"({"x-vendor":{"b":1,"a":2},"schemaVersion":2,"manifests":[)" + nameless + "," + other + ","));
  BOOST_TEST(after.ends_with(R"(],"annotations":{"k":"v"}})"));
  BOOST_TEST(*without_tag(after, "x:1") == before);
}

BOOST_AUTO_TEST_CASE(a_tag_is_replaced_where_it_stands_and_its_doubles_go) {
  const std::string name = R"("org.opencontainers.image.ref.name":"x:1")";
  const std::string before = document(entry(digest_a, name) + "," + entry(digest_b, R"("org.opencontainers.image.ref.name":"y:1")") + "," + entry(digest_b, name));
  BOOST_TEST(parse_index_tags(before)[0].descriptor.digest.to_string() == digest_a);

  const std::vector<IndexEntry> entries = parse_index_entries(with_tags(before, {tag("x:1", "new")}));

  BOOST_TEST_REQUIRE(entries.size() == 2U);
  BOOST_TEST(*entries[0].name == "x:1");
  BOOST_TEST(entries[0].digest_text == Digest::of("new").to_string());
  BOOST_TEST(*entries[1].name == "y:1");
}

BOOST_AUTO_TEST_CASE(the_full_name_of_containerd_goes_before_a_bare_tag) {
  const std::string json = document(
      entry(digest_a, R"("org.opencontainers.image.ref.name":"7","io.containerd.image.name":"docker.io/library/redis:7")"));

  BOOST_TEST(parse_index_tags(json)[0].name == "docker.io/library/redis:7");
  BOOST_TEST(parse_index_entries(with_tags(json, {tag("docker.io/library/redis:7", "b")})).size() == 1U);
}

BOOST_AUTO_TEST_CASE(removing_says_whether_there_was_one) {
  const std::string json = with_tags(empty_index_json(), {tag("x:1", "a")});

  BOOST_TEST(!without_tag(json, "x:2"));
  BOOST_TEST(*without_tag(json, "x:1") == empty_index_json());
}

BOOST_AUTO_TEST_CASE(null_manifests_of_a_go_tool_is_none) {
  BOOST_TEST(parse_index_tags(R"({"schemaVersion":2,"manifests":null})").empty());
}

BOOST_AUTO_TEST_CASE(an_unknown_algorithm_is_an_entry_but_no_tag) {
  const std::string json = document(R"({"digest":"blake3:0011","size":1,"annotations":{"org.opencontainers.image.ref.name":"x"}})");

  BOOST_TEST(parse_index_tags(json).empty());
  BOOST_TEST(parse_index_entries(json)[0].digest_text == "blake3:0011");
}

const std::string bad_documents[] = {
    "",
    "{",
    "[]",
    "null",
    "{}",
    R"({"schemaVersion":1,"manifests":[]})",
    R"({"schemaVersion":2,"manifests":{}})",
    document("") + "x",
    document("") + std::string(1, '\0'),
    R"({"schemaVersion":2,"manifests":[],"x":)" + std::string(100, '[') + std::string(100, ']') + "}",
    "{\"schemaVersion\":2,\"manifests\":[],\"x\":\"\xff\"}",
};

const std::string bad_entries[] = {
    document("1"),
    document("{}"),
    document(R"({"digest":7,"size":1})"),
    document(R"({"digest":"sha256:00","size":1})"),
    document(R"({"digest":"nonsense","size":1})"),
    document(R"({"digest":")" + digest_a + R"("})"),
    document(R"({"digest":")" + digest_a + R"(","size":-1})"),
    document(R"({"digest":")" + digest_a + R"(","size":1.5})"),
    document(R"({"digest":")" + digest_a + R"(","size":"1"})"),
    document(R"({"digest":")" + digest_a + R"(","size":9223372036854775808})"),
};

BOOST_DATA_TEST_CASE(malformed_entries_are_refused_and_can_be_replaced, boost::unit_test::data::make(bad_entries), json) {
  BOOST_CHECK_EXCEPTION(parse_index_entries(json), Error, has_code(ErrorCode::invalid));
  BOOST_CHECK_EXCEPTION(parse_index_tags(json), Error, has_code(ErrorCode::invalid));
  BOOST_TEST(!without_tag(json, "x:1"));
}

BOOST_AUTO_TEST_CASE(a_broken_tag_is_healed_by_setting_it) {
  const std::string json = document(R"({"digest":"sha256:00","size":1,"annotations":{"org.opencontainers.image.ref.name":"x:1"}})");
  BOOST_TEST(parse_index_tags(with_tags(json, {tag("x:1", "a")})).size() == 1U);
  BOOST_TEST(parse_index_tags(*without_tag(json, "x:1")).empty());
}

BOOST_DATA_TEST_CASE(damaged_documents_are_refused, boost::unit_test::data::make(bad_documents), json) {
  BOOST_CHECK_EXCEPTION(parse_index_entries(json), Error, has_code(ErrorCode::invalid));
  BOOST_CHECK_EXCEPTION(with_tags(json, {tag("x:1", "a")}), Error, has_code(ErrorCode::invalid));
}

BOOST_AUTO_TEST_CASE(any_flipped_bit_is_read_or_refused_and_nothing_else) {
  Tag full = tag("x:1", "a");
  full.descriptor.platform = Platform{.os = "linux", .architecture = "arm", .variant = "v7", .os_version = "1.2", .os_features = {"f"}};
  const std::string good = with_tags(empty_index_json(), {full, tag("y:1", "b")});
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1U << (bit % 8)));
    try {
      BOOST_TEST(parse_index_tags(bad).size() <= 2U);
      with_tags(bad, {full});
    } catch (const Error& e) {
      BOOST_TEST((e.code() == ErrorCode::invalid), "bit " << bit << ": " << e.what());
    }
  }
}

const std::string bad_names[] = {"", "a b", "a\nb", std::string("a\0b", 3), "caf\xc3\xa9", std::string(5000, 'x')};

BOOST_DATA_TEST_CASE(odd_names_are_refused, boost::unit_test::data::make(bad_names), name) {
  BOOST_CHECK_EXCEPTION(with_tags(empty_index_json(), {tag(name, "a")}), Error, has_code(ErrorCode::usage));
}

BOOST_AUTO_TEST_SUITE_END()
