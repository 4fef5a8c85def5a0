// References to images, against a registry on loopback.
#include "registry/resolve.h"

#include "registry/documents.h"

#include "tests/registry/loopback_registry.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace drover::test {
namespace {

using registry::PlatformChoice;
using registry::ResolvedReference;

Platform platform(std::string_view text) { return Platform::parse(text); }

std::string json_of(const Descriptor& d) {
  std::string text = R"({"mediaType":")" + d.media_type + R"(","digest":")" + d.digest.to_string() + R"(","size":)" + std::to_string(d.size);
  if (d.platform) {
    text += R"(,"platform":{"os":")" + d.platform->os + R"(","architecture":")" + d.platform->architecture + R"(","variant":")" + d.platform->variant + "\"}";
  }
  return text + "}";
}

struct ResolveFixture : Loopback {
  // An image whose configuration says `text`; its descriptor names the platform.
  Descriptor put_image(std::string_view text, const std::string& tag = {}) {
    const Platform p = platform(text);
    const Descriptor layer = registry.put_blob("layer of " + std::string(text));
    const Descriptor config = registry.put_blob(R"({"os":")" + p.os + R"(","architecture":")" + p.architecture + R"(","variant":")" + p.variant +
                                                    R"(","rootfs":{"type":"layers","diff_ids":[")" + Digest::of(text).to_string() + "\"]}}",
                                                media_type::oci_config);
    Descriptor image = registry.put_manifest(R"({"schemaVersion":2,"mediaType":")" + std::string(media_type::oci_manifest) + R"(","config":)" + json_of(config) +
                                                 R"(,"layers":[)" + json_of(layer) + "]}",
                                             media_type::oci_manifest, tag);
    image.platform = p;
    return image;
  }

  Descriptor put_index(const std::vector<Descriptor>& children, const std::string& tag = {}) {
    std::string list;
    for (const Descriptor& child : children) list += (list.empty() ? "" : ",") + json_of(child);
    return registry.put_manifest(R"({"schemaVersion":2,"mediaType":")" + std::string(media_type::oci_index) + R"(","manifests":[)" + list + "]}",
                                 media_type::oci_index, tag);
  }

  Descriptor put_attestation() {
    Descriptor attestation = put_image("linux/amd64");
    attestation.digest = Digest::of("never fetched");
    attestation.platform = Platform{.os = "unknown", .architecture = "unknown", .variant = {}, .os_version = {}, .os_features = {}};
    return attestation;
  }

  ResolvedReference resolve(const std::vector<std::string>& wanted) {
    PlatformChoice choice{.all = wanted.empty(), .wanted = {}};
    for (const std::string& text : wanted) choice.wanted.push_back(platform(text));
    return registry::resolve(ctx, client(), registry.reference(), choice);
  }

  // "linux/amd64(linux/amd64) ...; other: ...; missing: ..."
  static std::string summary(const ResolvedReference& resolved) {
    std::string text;
    for (const auto& image : resolved.images) {
      text += image.platform.to_string() + "(";
      for (const Platform& p : image.chosen_for) text += (text.back() == '(' ? "" : ",") + p.to_string();
      text += ") ";
    }
    text += "other:";
    for (const Descriptor& other : resolved.other_platforms) text += " " + (other.platform ? other.platform->to_string() : "?");
    text += " missing:";
    for (const Platform& p : resolved.missing) text += " " + p.to_string();
    return text;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(resolving, ResolveFixture)

BOOST_AUTO_TEST_CASE(wanted_platform_of_an_index) {
  const Descriptor root = put_index({put_image("linux/amd64"), put_attestation(), put_image("linux/arm64"), put_image("linux/arm/v7")}, "1");

  const ResolvedReference resolved = resolve({"linux/arm64"});

  BOOST_TEST(summary(resolved) == "linux/arm64(linux/arm64) other: linux/amd64 unknown/unknown linux/arm/v7 missing:");
  BOOST_TEST(resolved.root.descriptor.digest == root.digest);
  BOOST_TEST(resolved.images.at(0).config.diff_ids.size() == 1U);
  BOOST_TEST(resolved.images.at(0).manifest.descriptor.platform->to_string() == "linux/arm64");
  BOOST_TEST(!resolved.reasons.empty());
}

BOOST_AUTO_TEST_CASE(several_platforms_some_served_by_one_image) {
  put_index({put_image("linux/arm/v7"), put_image("linux/amd64")}, "1");
  BOOST_TEST(summary(resolve({"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/riscv64"})) ==
             "linux/arm/v7(linux/arm64,linux/arm/v7) linux/amd64(linux/amd64) other: missing: linux/riscv64");
}

BOOST_AUTO_TEST_CASE(all_platforms_leave_attestations_out) {
  put_index({put_image("linux/amd64"), put_attestation(), put_image("linux/arm64")}, "1");
  BOOST_TEST(summary(resolve({})) == "linux/amd64() linux/arm64() other: unknown/unknown missing:");
}

BOOST_AUTO_TEST_CASE(single_image_has_the_platform_of_its_configuration) {
  put_image("linux/arm64", "1");
  BOOST_TEST(summary(resolve({"linux/arm64"})) == "linux/arm64(linux/arm64) other: missing:");
  BOOST_TEST(summary(resolve({"linux/amd64"})) == "other: linux/arm64 missing: linux/amd64");
  BOOST_TEST(summary(resolve({})) == "linux/arm64() other: missing:");
}

BOOST_AUTO_TEST_CASE(entry_without_platform_is_looked_into) {
  Descriptor nameless = put_image("linux/arm64");
  nameless.platform.reset();
  put_index({nameless, put_image("linux/amd64")}, "1");
  BOOST_TEST(summary(resolve({"linux/arm64"})) == "linux/arm64(linux/arm64) other: linux/amd64 missing:");
  BOOST_TEST(summary(resolve({"linux/amd64"})) == "linux/amd64(linux/amd64) other: linux/arm64 missing:");
}

BOOST_AUTO_TEST_CASE(nested_indexes_are_followed) {
  const Descriptor inner = put_index({put_image("linux/arm64")});
  const Descriptor middle = put_index({inner, put_image("linux/amd64")});
  put_index({middle}, "1");

  const ResolvedReference resolved = resolve({"linux/arm64"});

  BOOST_TEST(summary(resolved) == "linux/arm64(linux/arm64) other: linux/amd64 missing:");
  BOOST_TEST(resolved.indexes.size() == 2U);
}

BOOST_AUTO_TEST_CASE(nested_too_deep_is_refused) {
  Descriptor index = put_index({put_image("linux/amd64")});
  for (int i = 0; i < 4; ++i) index = put_index({index}, "1");
  BOOST_TEST((failure([&] { resolve({"linux/amd64"}); }).code() == ErrorCode::invalid));
}

// A thousand children of 4 MiB each are a small index and 4 GB of memory.
BOOST_AUTO_TEST_CASE(more_than_is_held_in_memory_is_refused_before_it_is_fetched) {
  std::vector<Descriptor> children;
  for (int i = 0; i < 20; ++i) {
    Descriptor child = put_image("linux/amd64");
    child.digest = Digest::of("child " + std::to_string(i));
    child.size = manifest_bytes_max;
    children.push_back(child);
  }
  put_index(children, "1");

  const Error error = failure([&] { resolve({}); });

  BOOST_TEST(to_string(error.code()) == "invalid");
  BOOST_TEST(has(error.what(), "more than 33.6 MB together"), error.what());
  BOOST_TEST(registry.count("/manifests/sha256:") == 0U);
}

BOOST_AUTO_TEST_CASE(configurations_count_as_well_and_each_document_once) {
  const Reference reference = registry.reference();
  registry::Documents documents(client(), nullptr, reference);
  const auto config = [&](int i) {
    return Descriptor{.media_type = std::string(media_type::oci_config), .digest = Digest::of("config " + std::to_string(i)), .size = config_bytes_max};
  };
  for (int i = 0; i < 8; ++i) BOOST_TEST(to_string(failure([&] { documents.config(ctx, config(i % 4)); }).code()) == "not_found");

  BOOST_TEST(to_string(failure([&] { documents.config(ctx, config(4)); }).code()) == "invalid");
}

BOOST_AUTO_TEST_CASE(nested_index_for_another_platform_is_not_fetched) {
  Descriptor nested = put_index({put_image("linux/arm64")});
  nested.platform = platform("linux/arm64");
  put_index({nested, put_image("linux/amd64")}, "1");
  BOOST_TEST(summary(resolve({"linux/amd64"})) == "linux/amd64(linux/amd64) other: linux/arm64 missing:");
  BOOST_TEST(registry.count(nested.digest.to_string()) == 0U);
}

BOOST_AUTO_TEST_CASE(one_image_listed_twice_is_one_image) {
  const Descriptor image = put_image("linux/amd64");
  Descriptor again = image;
  again.platform = platform("linux/386");
  put_index({image, again}, "1");
  BOOST_TEST(resolve({}).images.size() == 1U);
}

BOOST_AUTO_TEST_CASE(artifact_is_not_an_image) {
  const Descriptor config = registry.put_blob("{}", "application/vnd.oci.empty.v1+json");
  registry.put_manifest(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/x","config":)" + json_of(config) +
                            R"(,"layers":[)" + json_of(config) + "]}",
                        media_type::oci_manifest, "1");
  BOOST_TEST(summary(resolve({"linux/amd64"})) == "other: missing: linux/amd64");
}

BOOST_AUTO_TEST_CASE(damaged_configuration_is_refused) {
  put_image("linux/amd64", "1");
  registry.set_hook([](const ServedRequest& request) -> std::optional<Reply> {
    if (request.path.find("/blobs/") == std::string::npos) return std::nullopt;
    return LoopbackRegistry::status(200, std::string(500, 'x'));
  });
  const Error error = failure([&] { resolve({"linux/amd64"}); });
  BOOST_TEST((error.code() == ErrorCode::size_mismatch || error.code() == ErrorCode::digest_mismatch));
  BOOST_TEST(has(error.what(), registry.reference().to_string()));
}

BOOST_AUTO_TEST_CASE(child_that_is_gone_is_named) {
  Descriptor gone = put_image("linux/amd64");
  gone.digest = Digest::of("gone");
  put_index({gone}, "1");
  const Error error = failure([&] { resolve({"linux/amd64"}); });
  BOOST_TEST((error.code() == ErrorCode::not_found));
  BOOST_TEST(has(error.what(), gone.digest.to_string()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::test
