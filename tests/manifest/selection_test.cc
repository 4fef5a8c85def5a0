#include "manifest/selection.h"

#include "base/text.h"
#include "manifest/media_type.h"
#include "tests/manifest/documents.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace drover {
BOOST_AUTO_TEST_SUITE(selection)

namespace {

Digest digest_of_digit(char digit) { return Digest::parse("sha256:" + std::string(64, digit)); }

Descriptor entry(char digit, std::string_view platform) {
  Descriptor made{.media_type = std::string(media_type::oci_manifest), .digest = digest_of_digit(digit), .size = 1};
  if (!platform.empty()) made.platform = Platform::parse(platform);
  return made;
}

Descriptor attestation(char digit) {
  Descriptor made = entry(digit, "unknown/unknown");
  made.annotations = {{"vnd.docker.reference.type", "attestation-manifest"}, {"vnd.docker.reference.digest", digest_a}};
  return made;
}

Index index_of(std::vector<Descriptor> entries) { return {std::string(media_type::oci_index), std::move(entries)}; }

std::string explain(const Index& index, std::string_view wanted) { return join(select_manifest(index, Platform::parse(wanted)).reasons, "\n"); }

BOOST_AUTO_TEST_CASE(takes_the_best_rank_and_says_why) {
  const Index index = index_of({entry('1', "linux/386"), entry('2', "linux/amd64"), entry('3', "linux/amd64/v2"), entry('4', "linux/arm64"),
                                attestation('5'), entry('6', "linux/amd64")});

  const Selection selection = select_manifest(index, Platform::parse("linux/amd64"));

  BOOST_TEST(selection.chosen.value().digest == digest_of_digit('2'));
  BOOST_TEST(join(selection.reasons, "\n") ==
             "linux/386 sha256:111111111111: fits (rank 1)\n"
             "linux/amd64 sha256:222222222222: chosen (rank 0)\n"
             "linux/amd64/v2 sha256:333333333333: does not run on linux/amd64\n"
             "linux/arm64 sha256:444444444444: does not run on linux/amd64\n"
             "unknown/unknown sha256:555555555555: skipped, attestation\n"
             "linux/amd64 sha256:666666666666: fits (rank 0)");
}

BOOST_AUTO_TEST_CASE(candidates_are_ordered_by_rank_then_by_index) {
  const Index index = index_of({entry('1', ""), entry('2', "linux/arm/v6"), entry('3', "linux/arm/v7"), entry('4', "linux/arm/v7"), entry('5', "")});

  const Selection selection = select_manifest(index, Platform::parse("linux/arm/v7"));

  std::string order;
  for (const Descriptor& candidate : selection.candidates) order += candidate.digest.hex().front();
  BOOST_TEST(order == "34215");
  BOOST_TEST(selection.chosen.value().digest == digest_of_digit('3'));
}

BOOST_AUTO_TEST_CASE(an_entry_without_a_platform_is_the_last_resort) {
  BOOST_TEST(explain(index_of({entry('1', ""), entry('2', "linux/arm64")}), "linux/amd64") ==
             "- sha256:111111111111: chosen (names no platform, nothing better)\n"
             "linux/arm64 sha256:222222222222: does not run on linux/amd64");
  BOOST_TEST(explain(index_of({entry('1', ""), entry('2', "linux/arm64")}), "linux/arm64") ==
             "- sha256:111111111111: names no platform, tried last\n"
             "linux/arm64 sha256:222222222222: chosen (rank 0)");
}

BOOST_AUTO_TEST_CASE(a_nested_index_is_chosen_like_a_manifest) {
  Descriptor nested = entry('1', "");
  nested.media_type = media_type::docker_manifest_list;

  BOOST_TEST((select_manifest(index_of({nested}), Platform::parse("linux/amd64")).chosen.value() == nested));
}

BOOST_AUTO_TEST_CASE(nothing_is_chosen_where_nothing_runs) {
  const Selection selection = select_manifest(index_of({entry('1', "linux/s390x"), attestation('2')}), Platform::parse("linux/amd64"));

  BOOST_TEST(!selection.chosen.has_value());
  BOOST_TEST(selection.candidates.empty());
  BOOST_TEST(selection.reasons.size() == 2U);
  BOOST_TEST(!select_manifest(index_of({}), Platform::parse("linux/amd64")).chosen.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_image_is_skipped) {
  Descriptor artifact = entry('1', "linux/amd64");
  artifact.artifact_type = "application/vnd.acme.sbom";
  Descriptor image = entry('2', "linux/amd64");  // the artifactType of an image is that of its config
  image.artifact_type = "application/vnd.oci.image.config.v1+json";
  Descriptor old = entry('3', "linux/amd64");
  old.media_type = media_type::docker_schema1_signed;
  Descriptor other = entry('4', "linux/amd64");
  other.media_type = "application/vnd.acme";
  Descriptor marked = entry('5', "linux/amd64");  // by its annotation alone
  marked.annotations["vnd.docker.reference.type"] = "attestation-manifest";

  BOOST_TEST(explain(index_of({artifact, image, old, other, marked, entry('6', "unknown/unknown")}), "linux/amd64") ==
             "linux/amd64 sha256:111111111111: skipped, artifact of type application/vnd.acme.sbom\n"
             "linux/amd64 sha256:222222222222: chosen (rank 0)\n"
             "linux/amd64 sha256:333333333333: skipped, schema 1 is not supported\n"
             "linux/amd64 sha256:444444444444: skipped, not an image but application/vnd.acme\n"
             "linux/amd64 sha256:555555555555: skipped, attestation\n"
             "unknown/unknown sha256:666666666666: skipped, unknown platform");
}

BOOST_AUTO_TEST_CASE(reasons_hold_no_control_characters) {
  Descriptor hostile = entry('1', "");
  hostile.platform = Platform{.os = "\x1b[2J", .architecture = "a\nb"};

  BOOST_TEST(explain(index_of({hostile}), "linux/amd64").find_first_of("\x1b\n") == std::string::npos);
  BOOST_TEST(list_platforms(index_of({hostile})).find_first_of("\x1b\n") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(lists_each_platform_once) {
  BOOST_TEST(list_platforms(index_of({entry('1', "linux/amd64"), entry('2', "linux/arm/v7"), attestation('3'), entry('4', "linux/amd64"), entry('5', "")})) ==
             "linux/amd64, linux/arm/v7");
  BOOST_TEST(list_platforms(index_of({})) == "");
}

BOOST_AUTO_TEST_CASE(a_long_list_is_cut) {
  std::vector<Descriptor> entries;
  for (int i = 0; i < 25; ++i) entries.push_back(entry('1', "linux/arch" + std::to_string(i)));

  const std::string list = list_platforms(index_of(entries));

  BOOST_TEST(list.ends_with("linux/arch19 and 5 more"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
