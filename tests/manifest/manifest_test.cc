#include "manifest/manifest.h"

#include "base/error.h"
#include "manifest/media_type.h"
#include "tests/manifest/documents.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <random>
#include <string>
#include <vector>

namespace drover {
BOOST_AUTO_TEST_SUITE(documents)

namespace {

using std::string;

const string oci_manifest(media_type::oci_manifest);
const string oci_index(media_type::oci_index);
const string docker_manifest(media_type::docker_manifest);
const string docker_list(media_type::docker_manifest_list);

const string manifest_json =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" + oci_config_json + R"(,"layers":[)" + oci_layer_json + "]}";
const string index_json =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" + oci_child_json + "]}";

string without_type(const string& text) {
  const std::size_t from = text.find("\"mediaType\":");
  return string(text).erase(from, text.find(',', from) + 1 - from);
}

struct Accepted {
  string name;
  string text;
  string served_as;
  string media_type;
};
std::ostream& operator<<(std::ostream& out, const Accepted& row) { return out << row.name; }

const std::vector<Accepted> accepted = {
    {"manifest", manifest_json, oci_manifest, oci_manifest},
    {"manifest, nothing said", manifest_json, "", oci_manifest},
    {"manifest, generic", manifest_json, "application/json", oci_manifest},
    {"manifest, generic with parameters", manifest_json, "Text/Plain; charset=utf-8", oci_manifest},
    {"manifest, octets", manifest_json, "application/octet-stream", oci_manifest},
    {"manifest, upper case", manifest_json, "Application/Vnd.OCI.Image.Manifest.v1+JSON;x=y", oci_manifest},
    {"manifest without mediaType", without_type(manifest_json), oci_manifest, oci_manifest},
    {"manifest without mediaType, nothing said", without_type(manifest_json), "", oci_manifest},
    {"mediaType null", with(manifest_json, "\"application/vnd.oci.image.manifest.v1+json\"", "null"), oci_manifest, oci_manifest},
    {"docker manifest", with(manifest_json, oci_manifest, docker_manifest), docker_manifest, docker_manifest},
    {"docker manifest by its config",
     with(without_type(manifest_json), "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"), "",
     docker_manifest},
    {"no layers", with(manifest_json, oci_layer_json, ""), oci_manifest, oci_manifest},
    {"layers null", with(manifest_json, "[" + oci_layer_json + "]", "null"), oci_manifest, oci_manifest},
    {"manifests null beside layers", with(manifest_json, "\"layers\"", "\"manifests\":null,\"layers\""), oci_manifest, oci_manifest},
    {"unknown members", with(manifest_json, "\"layers\"", R"("subject":{"x":1},"foo":[{"Bar":1,"baz":2}],"layers")"), oci_manifest, oci_manifest},
    {"unknown media type of a layer", with(manifest_json, "application/vnd.oci.image.layer.v1.tar+gzip", "application/x-helm"), oci_manifest,
     oci_manifest},
    {"labels that differ in case", with(manifest_json, "\"layers\"", R"("annotations":{"a":"1","A":"2"},"layers")"), oci_manifest, oci_manifest},
    {"descriptor labels that differ in case", with(manifest_json, "\"size\":7", R"("size":7,"annotations":{"size":"1","Size":"2"})"), oci_manifest,
     oci_manifest},
    {"nulls in a descriptor", with(manifest_json, "\"size\":7", R"("size":7,"annotations":null,"urls":null,"platform":null,"artifactType":null)"),
     oci_manifest, oci_manifest},
    {"largest size", with(manifest_json, "\"size\":7", "\"size\":9223372036854775800"), oci_manifest, oci_manifest},
    {"index", index_json, oci_index, oci_index},
    {"index, nothing said", index_json, "", oci_index},
    {"index without mediaType, nothing said", without_type(index_json), "", oci_index},
    {"docker list", with(index_json, oci_index, docker_list), docker_list, docker_list},
    {"empty index", with(index_json, oci_child_json, ""), oci_index, oci_index},
    {"index with manifests null", with(index_json, "[" + oci_child_json + "]", "null"), oci_index, oci_index},
};

struct Refused {
  string name;
  string text;
  string served_as;
  string piece;
  ErrorCode code = ErrorCode::invalid;
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.name; }

const string both = with(manifest_json, "\"layers\"", R"("manifests":[)" + oci_child_json + R"(],"layers")");
const string schema1 = R"({"schemaVersion":1,"name":"x","tag":"y","architecture":"amd64","fsLayers":[{"blobSum":"z"}],"history":[]})";

const std::vector<Refused> refused = {
    {"served as the other format", manifest_json, docker_manifest, "its mediaType is " + oci_manifest + ", but it was served as " + docker_manifest},
    {"served as an index", manifest_json, oci_index, "but it was served as"},
    {"index served as a manifest", index_json, oci_manifest, "but it was served as"},
    {"index without mediaType served as a manifest", without_type(index_json), oci_manifest, "manifests of an index"},
    {"manifest without mediaType served as an index", without_type(manifest_json), oci_index, "config or layers of a manifest"},
    {"both, as a manifest", both, oci_manifest, "manifests of an index"},
    {"both, nothing said", both, "", "manifests of an index"},
    {"both, generic", both, "application/json", "manifests of an index"},
    {"both, as an index", with(both, oci_manifest, oci_index), oci_index, "config or layers"},
    {"both without mediaType, as a manifest", without_type(both), oci_manifest, "manifests of an index"},
    {"both without mediaType, as an index", without_type(both), oci_index, "config or layers"},
    {"both without mediaType, nothing said", without_type(both), "", "config or layers"},
    {"both, as a docker manifest", without_type(both), docker_manifest, "manifests of an index"},
    {"both, as a docker list", without_type(both), docker_list, "config or layers"},
    {"empty manifests beside layers", with(manifest_json, "\"layers\"", R"("manifests":[],"layers")"), oci_manifest, "manifests of an index"},
    {"empty layers beside manifests", with(index_json, "\"manifests\"", R"("layers":[],"manifests")"), oci_index, "config or layers"},
    {"config beside manifests", with(index_json, "\"manifests\"", R"("config":{},"manifests")"), oci_index, "config or layers"},
    {"schema 1", schema1, "", "schema 1", ErrorCode::unsupported},
    {"schema 1 by its type", schema1, "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1", ErrorCode::unsupported},
    {"schema 1 by its number", with(manifest_json, "\"schemaVersion\":2", "\"schemaVersion\":1"), oci_manifest, "schema 1", ErrorCode::unsupported},
    {"manifest served as schema 1", manifest_json, "application/vnd.docker.distribution.manifest.v1+json", "schema 1", ErrorCode::unsupported},
    {"fsLayers in a manifest", with(manifest_json, "\"layers\"", R"("fsLayers":[],"layers")"), oci_manifest, "schema 1", ErrorCode::unsupported},
    {"a web page by its type", manifest_json, "text/html", "its mediaType is"},
    {"a web page", "<html>", "text/html", "not JSON"},
    {"unknown type", without_type(manifest_json), "application/vnd.acme+json", "application/vnd.acme+json", ErrorCode::unsupported},
    {"unknown own type", with(manifest_json, oci_manifest, "application/vnd.acme+json"), "", "application/vnd.acme+json", ErrorCode::unsupported},
    {"a layer's type", without_type(manifest_json), "application/vnd.oci.image.layer.v1.tar", "neither", ErrorCode::unsupported},
    {"no media type", manifest_json, "not a type", "not a media type"},
    {"own type broken", with(manifest_json, oci_manifest, "x"), oci_manifest, "manifest.mediaType: not a media type"},
    {"own type no string", with(manifest_json, "\"" + oci_manifest + "\"", "7"), oci_manifest, "manifest.mediaType: not a string"},
    {"an empty object", "{}", "", "neither an index"},
    {"an array", "[]", oci_manifest, "not a JSON object"},
    {"no schemaVersion", with(manifest_json, "\"schemaVersion\":2,", ""), oci_manifest, "manifest.schemaVersion: missing"},
    {"docker without schemaVersion", with(with(manifest_json, "\"schemaVersion\":2,", ""), oci_manifest, docker_manifest), docker_manifest,
     "manifest.schemaVersion: missing"},
    {"schemaVersion 3", with(manifest_json, "\"schemaVersion\":2", "\"schemaVersion\":3"), oci_manifest, "3 instead of 2"},
    {"schemaVersion text", with(manifest_json, "\"schemaVersion\":2", "\"schemaVersion\":\"2\""), oci_manifest, "plain integer"},
    {"schemaVersion 2.0", with(manifest_json, "\"schemaVersion\":2", "\"schemaVersion\":2.0"), oci_manifest, "plain integer"},
    {"index without schemaVersion", with(index_json, "\"schemaVersion\":2,", ""), oci_index, "manifest.schemaVersion: missing"},
    {"no config", with(manifest_json, "\"config\":" + oci_config_json + ",", ""), oci_manifest, "manifest.config: missing"},
    {"config null", with(manifest_json, oci_config_json, "null"), oci_manifest, "manifest.config: missing"},
    {"config an array", with(manifest_json, oci_config_json, "[]"), oci_manifest, "manifest.config: not a JSON object"},
    {"no layers", with(manifest_json, ",\"layers\":[" + oci_layer_json + "]", ""), oci_manifest, "manifest.layers: missing"},
    {"layers an object", with(manifest_json, "[" + oci_layer_json + "]", "{}"), oci_manifest, "manifest.layers: not an array"},
    {"a layer null", with(manifest_json, oci_layer_json, "null"), oci_manifest, "manifest.layers[0]: not a JSON object"},
    {"second layer broken", with(manifest_json, oci_layer_json, oci_layer_json + ",{}"), oci_manifest, "manifest.layers[1].mediaType: missing"},
    {"no manifests", with(index_json, ",\"manifests\":[" + oci_child_json + "]", ""), oci_index, "manifest.manifests: missing"},
    {"layers twice", with(manifest_json, "\"layers\"", "\"layers\":[],\"layers\""), oci_manifest, "\"layers\" is there twice"},
    {"layers and Layers", with(manifest_json, "\"layers\"", "\"Layers\":[],\"layers\""), oci_manifest, "differ only in case"},
    {"layers and its long s", with(manifest_json, "\"layers\"", "\"layer\xC5\xBF\":[],\"layers\""), oci_manifest, "differ only in case"},
    {"layers and its escaped long s", with(manifest_json, "\"layers\"", R"("layer\u017f":[],"layers")"), oci_manifest, "differ only in case"},
    {"Manifests in a manifest", with(manifest_json, "\"layers\"", "\"Manifests\":[],\"layers\""), oci_manifest, "differ only in case"},
    {"Digest beside digest", with(manifest_json, "\"size\":7", R"("size":7,"Digest":"x")"), oci_manifest, "manifest.config: the keys"},
    {"Size alone", with(manifest_json, "\"size\":7", "\"Size\":7"), oci_manifest, "differ only in case"},
    {"OS in a platform", with(index_json, "\"os\":\"linux\"", R"("os":"linux","OS":"windows")"), oci_index, "manifest.manifests[0].platform: the keys"},
    {"the same annotation twice", with(manifest_json, "\"layers\"", R"("annotations":{"a":"1","a":"2"},"layers")"), oci_manifest, "is there twice"},
    {"size missing", with(manifest_json, ",\"size\":7", ""), oci_manifest, "manifest.config.size: missing"},
    {"size negative", with(manifest_json, "\"size\":7", "\"size\":-1"), oci_manifest, "manifest.config.size: not a plain integer"},
    {"size with an exponent", with(manifest_json, "\"size\":7", "\"size\":1e3"), oci_manifest, "not a plain integer"},
    {"size a fraction", with(manifest_json, "\"size\":7", "\"size\":7.0"), oci_manifest, "not a plain integer"},
    {"size text", with(manifest_json, "\"size\":7", "\"size\":\"7\""), oci_manifest, "not a plain integer"},
    {"size 2^63", with(manifest_json, "\"size\":7", "\"size\":9223372036854775808"), oci_manifest, "not a plain integer"},
    {"size 2^64", with(manifest_json, "\"size\":7", "\"size\":18446744073709551616"), oci_manifest, "not a plain integer"},
    {"sizes that overflow together", with(manifest_json, "\"size\":7", "\"size\":9223372036854775807"), oci_manifest, "add up"},
    {"digest missing", with(manifest_json, "\"digest\":\"" + digest_a + "\",", ""), oci_manifest, "manifest.config.digest: missing"},
    {"digest no string", with(manifest_json, "\"" + digest_a + "\"", "7"), oci_manifest, "manifest.config.digest: not a string"},
    {"digest a path", with(manifest_json, digest_a, "sha256:../../x"), oci_manifest, "manifest.config.digest: not a digest"},
    {"digest in upper case", with(manifest_json, digest_a, "sha256:" + string(64, 'A')), oci_manifest, "not a digest"},
    {"digest of an unknown algorithm", with(manifest_json, digest_a, "blake3:" + string(64, 'a')), oci_manifest, "not a digest"},
    {"mediaType of a layer empty", with(manifest_json, "application/vnd.oci.image.layer.v1.tar+gzip", ""), oci_manifest, "not a media type"},
    {"annotations an array", with(manifest_json, "\"size\":7", R"("size":7,"annotations":[])"), oci_manifest, "not an object of strings"},
    {"annotation a number", with(manifest_json, "\"size\":7", R"("size":7,"annotations":{"a":1})"), oci_manifest, "not an object of strings"},
    {"urls a string", with(manifest_json, "\"size\":7", R"("size":7,"urls":"x")"), oci_manifest, "array of strings"},
    {"platform a string", with(index_json, R"({"architecture":"amd64","os":"linux"})", R"("linux")"), oci_index, "platform: not a JSON object"},
    {"os a number", with(index_json, "\"os\":\"linux\"", "\"os\":1"), oci_index, "platform.os: not a string"},
    {"os.features a string", with(index_json, "\"os\":\"linux\"", R"("os":"linux","os.features":"a")"), oci_index, "array of strings"},
};

Manifest manifest_of(const string& text, std::string_view served_as = "") { return std::get<Manifest>(parse_document(text, served_as)); }
Index index_of(const string& text, std::string_view served_as = "") { return std::get<Index>(parse_document(text, served_as)); }

BOOST_DATA_TEST_CASE(accepts, accepted, row) {
  const Document document = parse_document(row.text, row.served_as);

  const string type = std::visit([](const auto& d) { return d.media_type; }, document);
  BOOST_TEST(type == row.media_type);
  BOOST_TEST(std::holds_alternative<Index>(document) == is_index_media_type(type));
}

BOOST_DATA_TEST_CASE(refuses_and_names_it, refused, row) {
  BOOST_CHECK_EXCEPTION(parse_document(row.text, row.served_as), Error, (Says{row.code, row.piece}));
}

BOOST_AUTO_TEST_CASE(reads_every_member_of_a_manifest) {
  const Manifest manifest = manifest_of(with(with(manifest_json, "\"size\":7", R"("size":0,"annotations":{"k":"v","n":null},"urls":["https://x/"])"),
                                             "\"layers\"", R"("artifactType":"application/vnd.acme","layers")"));

  BOOST_TEST(manifest.config.media_type == "application/vnd.oci.image.config.v1+json");
  BOOST_TEST(manifest.config.digest == Digest::parse(digest_a));
  BOOST_TEST(manifest.config.size == 0U);
  BOOST_TEST(manifest.config.annotations.at("k") == "v");
  BOOST_TEST(manifest.config.annotations.at("n") == "");
  BOOST_TEST(manifest.config.urls.at(0) == "https://x/");
  BOOST_REQUIRE(manifest.layers.size() == 1U);
  BOOST_TEST(manifest.layers[0].digest == Digest::parse(digest_b));
  BOOST_TEST(manifest.layers[0].size == 7U);
  BOOST_TEST(manifest.artifact_type.value() == "application/vnd.acme");
}

BOOST_AUTO_TEST_CASE(reads_platforms_normalised) {
  const Index index = index_of(with(index_json, R"({"architecture":"amd64","os":"linux"})",
                                    R"({"architecture":"aarch64","os":"Linux","variant":"v8","os.version":"1","os.features":["b","a"],"features":null})"));

  BOOST_TEST(index.manifests.at(0).platform.value() ==
             (Platform{.os = "linux", .architecture = "arm64", .variant = "", .os_version = "1", .os_features = {"a", "b"}}));
}

BOOST_AUTO_TEST_CASE(a_platform_that_says_nothing_is_none) {
  for (const char* platform : {"{}", R"({"architecture":"","os":""})", R"({"architecture":null})", "null"}) {
    const Index index = index_of(with(index_json, R"({"architecture":"amd64","os":"linux"})", platform));
    BOOST_TEST(!index.manifests.at(0).platform.has_value());
  }
}

BOOST_AUTO_TEST_CASE(media_types_of_descriptors_are_lower_case_without_parameters) {
  const Manifest manifest = manifest_of(with(manifest_json, "application/vnd.oci.image.layer.v1.tar+gzip",
                                             "Application/Vnd.OCI.image.layer.v1.tar+gzip; a=b"));
  BOOST_TEST(manifest.layers.at(0).media_type == media_type::oci_layer_gzip);
}

string repeated(const string& json, std::size_t count) {
  string text;
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + json;
  return text;
}

BOOST_AUTO_TEST_CASE(counts_are_bounded) {
  BOOST_TEST(manifest_of(with(manifest_json, oci_layer_json, repeated(oci_layer_json, layers_max))).layers.size() == layers_max);
  BOOST_CHECK_EXCEPTION(parse_document(with(manifest_json, oci_layer_json, repeated(oci_layer_json, layers_max + 1)), ""), Error,
                        (Says{ErrorCode::invalid, "1001 entries, more than 1000"}));
  BOOST_TEST(index_of(with(index_json, oci_child_json, repeated(oci_child_json, index_children_max))).manifests.size() == index_children_max);
  BOOST_CHECK_THROW(parse_document(with(index_json, oci_child_json, repeated(oci_child_json, index_children_max + 1)), ""), Error);
}

BOOST_AUTO_TEST_CASE(bytes_are_bounded) {
  const string padding(manifest_bytes_max - manifest_json.size(), ' ');

  BOOST_CHECK_NO_THROW(parse_document(manifest_json + padding, ""));
  BOOST_CHECK_EXCEPTION(parse_document(manifest_json + padding + " ", ""), Error, (Says{ErrorCode::invalid, "bytes long"}));
}

BOOST_AUTO_TEST_CASE(every_cut_in_the_middle_is_refused) {
  for (const string& text : {manifest_json, index_json}) {
    for (std::size_t size = 0; size < text.size(); ++size) BOOST_CHECK_THROW(parse_document(text.substr(0, size), ""), Error);
  }
}

// Whatever comes in, an Error comes out or a document: a fuzzer in small, the same on every run.
BOOST_AUTO_TEST_CASE(mutated_documents_throw_nothing_but_error) {
  std::mt19937 random(7);
  const std::vector<string> pieces = {"\"", "{", "}", "[", "]", ",", ":", "null", "-1", "1e9", "\\u0000", "\xC5\xBF", "\"layers\":", "\"manifests\":", "{}"};
  std::size_t parsed = 0;
  for (int i = 0; i < 6000; ++i) {
    string text = i % 2 == 0 ? manifest_json : index_json;
    for (unsigned n = random() % 4; n > 0; --n) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0: text[at] = static_cast<char>(random()); break;
        case 1: text.erase(at, random() % 20); break;
        case 2: text.insert(at, pieces[random() % pieces.size()]); break;
        default: text.insert(at, text.substr(random() % text.size(), random() % 60)); break;
      }
      if (text.empty()) text = "x";
    }
    try {
      (void)parse_document(text, i % 3 == 0 ? oci_manifest : "");
      ++parsed;
    } catch (const Error&) {
    }
  }
  BOOST_TEST(parsed > 100U);  // otherwise nothing but the first check was tried
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
