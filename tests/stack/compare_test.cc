#include "stack/compare.h"

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::stack;
using engine::StoreKind;

namespace drover::stack {
std::ostream& operator<<(std::ostream& out, Sameness sameness) {
  return out << (sameness == Sameness::same ? "same" : sameness == Sameness::different ? "different" : "unsure");
}
}  // namespace drover::stack

BOOST_AUTO_TEST_SUITE(comparing)

namespace {

Digest digest(char c) { return Digest::parse("sha256:" + std::string(64, c)); }
std::string named(char c) { return "redis@" + digest(c).to_string(); }

const Available by_head{.root = digest('1'), .manifest = {}, .config = {}};
const Available in_full{.root = digest('1'), .manifest = digest('2'), .config = digest('3')};

}  // namespace

BOOST_AUTO_TEST_CASE(head_alone_can_say_same_and_never_different) {
  for (const StoreKind kind : {StoreKind::classic, StoreKind::containerd}) {
    BOOST_TEST(compare({.id = digest('9'), .repo_digests = {named('8'), named('1')}}, by_head, kind) == Sameness::same);
    BOOST_TEST(compare({.id = digest('9'), .repo_digests = {named('8')}}, by_head, kind) == Sameness::unsure);
    BOOST_TEST(compare({.id = digest('9'), .repo_digests = {}}, by_head, kind) == Sameness::unsure);
  }
  BOOST_TEST(compare({.id = digest('1'), .repo_digests = {}}, by_head, StoreKind::containerd) == Sameness::same);
}

BOOST_AUTO_TEST_CASE(in_a_classic_store_the_config_digest_decides) {
  // A change for another platform: another index, the same config.
  BOOST_TEST(compare({.id = digest('3'), .repo_digests = {named('8')}}, in_full, StoreKind::classic) == Sameness::same);
  // Loaded, never pulled: no RepoDigests.
  BOOST_TEST(compare({.id = digest('3'), .repo_digests = {}}, in_full, StoreKind::classic) == Sameness::same);
  BOOST_TEST(compare({.id = digest('4'), .repo_digests = {named('8')}}, in_full, StoreKind::classic) == Sameness::different);
  // The index is the same, but the image is another platform's.
  BOOST_TEST(compare({.id = digest('4'), .repo_digests = {named('1')}}, in_full, StoreKind::classic) == Sameness::different);
}

BOOST_AUTO_TEST_CASE(in_a_containerd_store_an_unknown_index_is_unsure) {
  BOOST_TEST(compare({.id = digest('1'), .repo_digests = {}}, in_full, StoreKind::containerd) == Sameness::same);
  BOOST_TEST(compare({.id = digest('2'), .repo_digests = {}}, in_full, StoreKind::containerd) == Sameness::same);
  BOOST_TEST(compare({.id = digest('7'), .repo_digests = {named('7')}}, in_full, StoreKind::containerd) == Sameness::unsure);
}

BOOST_AUTO_TEST_CASE(broken_repo_digests_are_passed_over) {
  BOOST_TEST(compare({.id = digest('9'), .repo_digests = {"<none>@<none>", "redis", "redis@sha256:12"}}, by_head, StoreKind::classic) == Sameness::unsure);
}

BOOST_AUTO_TEST_CASE(the_registry_s_name_is_shown_where_there_is_one) {
  const Held held{.id = digest('9'), .repo_digests = {"mirror/redis@" + digest('5').to_string(), named('6')}};
  BOOST_TEST(shown_digest(held, "redis") == digest('6'));
  BOOST_TEST(shown_digest(held, "nginx") == digest('9'));
}

BOOST_AUTO_TEST_CASE(an_index_s_digest_does_not_tell_which_platform_is_held) {
  const Held arm{.id = digest('1'), .repo_digests = {}, .platform = Platform::parse("linux/arm64")};
  BOOST_TEST(arm.may_serve(Platform::parse("linux/arm64")));
  BOOST_TEST(!arm.may_serve(Platform::parse("linux/amd64")));
  BOOST_TEST((Held{.id = digest('1'), .repo_digests = {}}.may_serve(Platform::parse("linux/amd64"))));
}

BOOST_AUTO_TEST_SUITE_END()
