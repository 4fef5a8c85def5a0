// The fake must be right before it can be wrong on purpose.
#include "tests/support/fake_registry.h"

#include "base/error.h"
#include "base/text.h"
#include "net/transport.h"
#include "tests/support/layout_source.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

#include <string>

namespace drover::test {
namespace {

struct Fixture {
  FakeRegistry registry{};
  net::Transport transport{};
  Context ctx{};

  net::Request request(const std::string& method, const std::string& target) const {
    net::Request made{.method = method, .url = net::Url::parse(registry.origin()).resolve(target)};
    made.use_proxy = false;
    return made;
  }
  net::Response send(const net::Request& request) { return transport.send(ctx, request, 10'000'000); }
  net::Response get(const std::string& target) { return send(request("GET", target)); }
  net::Response get_range(const std::string& target, const std::string& range) {
    net::Request ranged = request("GET", target);
    ranged.headers.set("Range", range);
    return send(ranged);
  }
};

std::string header(const net::Response& response, std::string_view name) { return std::string(response.headers.find(name).value_or("-")); }

BOOST_FIXTURE_TEST_SUITE(fake_registry, Fixture)

BOOST_AUTO_TEST_CASE(sha256_is_the_standards) {
  BOOST_TEST(sha256_of("abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

BOOST_AUTO_TEST_CASE(manifests_by_tag_and_digest) {
  const FakeImage image = registry.add_image("a/b", "1", {{.bytes = "layer"}});
  const std::string index = registry.add_index("a/b", "multi", {image});

  BOOST_TEST(get("/v2/").status == 200);
  for (const std::string& reference : {std::string("1"), image.digest}) {
    const net::Response response = get("/v2/a/b/manifests/" + reference);
    BOOST_TEST(response.body == image.bytes);
    BOOST_TEST(header(response, "docker-content-digest") == image.digest);
    BOOST_TEST(header(response, "content-type") == "application/vnd.oci.image.manifest.v1+json");
  }
  const net::Response head = send(request("HEAD", "/v2/a/b/manifests/multi"));
  BOOST_TEST(header(head, "docker-content-digest") == index);
  BOOST_TEST(get("/v2/a/b/manifests/none").status == 404);
  BOOST_TEST(get("/v2/c/manifests/1").status == 404);
}

BOOST_AUTO_TEST_CASE(blobs_whole_and_in_ranges) {
  const std::string blob = "/v2/r/blobs/" + registry.add_blob("r", "0123456789");

  BOOST_TEST(get(blob).body == "0123456789");
  BOOST_TEST(header(send(request("HEAD", blob)), "content-length") == "10");
  const net::Response part = get_range(blob, "bytes=2-4");
  BOOST_TEST(part.status == 206);
  BOOST_TEST(part.body == "234");
  BOOST_TEST(header(part, "content-range") == "bytes 2-4/10");
  BOOST_TEST(get_range(blob, "bytes=7-").body == "789");
  BOOST_TEST(get_range(blob, "bytes=-2").body == "89");
  BOOST_TEST(get_range(blob, "bytes=5-100").body == "56789");
  const net::Response beyond = get_range(blob, "bytes=10-");
  BOOST_TEST(beyond.status == 416);
  BOOST_TEST(header(beyond, "content-range") == "bytes */10");
  BOOST_TEST(get("/v2/other/blobs/" + sha256_of("0123456789")).status == 404);
}

BOOST_AUTO_TEST_CASE(tags_come_in_pages) {
  for (const char* tag : {"a", "b", "c"}) registry.add_image("r", tag, {});

  BOOST_TEST(get("/v2/r/tags/list").body == R"({"name":"r","tags":["a","b","c"]})");
  const net::Response page = get("/v2/r/tags/list?n=2");
  BOOST_TEST(page.body == R"({"name":"r","tags":["a","b"]})");
  BOOST_TEST(header(page, "link") == "</v2/r/tags/list?n=2&last=b>; rel=\"next\"");
  BOOST_TEST(get("/v2/r/tags/list?n=2&last=b").body == R"({"name":"r","tags":["c"]})");
}

BOOST_AUTO_TEST_CASE(blobs_and_manifests_can_be_pushed) {
  net::Request start = request("POST", "/v2/r/blobs/uploads/");
  const net::Response started = send(start);
  BOOST_TEST(started.status == 202);
  net::Request patch = request("PATCH", header(started, "location"));
  patch.body = "lay";
  const net::Response patched = send(patch);
  BOOST_TEST(header(patched, "range") == "0-2");
  net::Request put = request("PUT", header(patched, "location") + "&digest=" + sha256_of("layer"));
  put.body = "er";
  BOOST_TEST(send(put).status == 201);
  BOOST_TEST(registry.find_blob(sha256_of("layer")).value() == "layer");

  BOOST_TEST(send(request("POST", "/v2/s/blobs/uploads/?from=r&mount=" + sha256_of("layer"))).status == 201);
  net::Request manifest = request("PUT", "/v2/s/manifests/1");
  manifest.body = R"({"layers":[{"digest":")" + sha256_of("layer") + R"("}]})";
  BOOST_TEST(send(manifest).status == 201);
  BOOST_TEST(registry.find_manifest("s", "1").value() == manifest.body);
  manifest.body = R"({"layers":[{"digest":")" + sha256_of("missing") + R"("}]})";
  BOOST_TEST(send(manifest).status == 400);
}

BOOST_AUTO_TEST_CASE(a_redirect_leads_to_storage_until_it_expires) {
  const std::string blob = "/v2/r/blobs/" + registry.add_blob("r", "0123456789");
  registry.set_redirect({.enabled = true, .uses_max = 2});

  const net::Response redirect = get(blob);
  BOOST_TEST(redirect.status == 307);
  const std::string location = header(redirect, "location");
  BOOST_TEST(location.starts_with(registry.storage_origin() + "/storage/"));
  BOOST_TEST(get(location).body == "0123456789");
  BOOST_TEST(get_range(location, "bytes=1-2").body == "12");
  BOOST_TEST(get(location).status == 403);
  net::Request leaking = request("GET", header(get(blob), "location"));
  leaking.headers.set("Authorization", "Bearer x");
  BOOST_TEST(!registry.saw_authorization(1));
  BOOST_TEST(send(leaking).status == 400);
  BOOST_TEST(registry.saw_authorization(1));
}

BOOST_AUTO_TEST_CASE(tokens_have_scopes_and_uses) {
  registry.add_image("r", "1", {});
  registry.set_auth({.scheme = FakeAuth::Scheme::bearer, .refuse_first = 1, .token_uses_max = 1});

  const net::Response challenge = get("/v2/r/manifests/1");
  BOOST_TEST(challenge.status == 401);
  BOOST_TEST(header(challenge, "www-authenticate") ==
             "Bearer realm=\"" + registry.origin() + "/token\",service=\"fake-registry\",scope=\"repository:r:pull\"");
  net::Request ask = request("GET", "/token?service=fake-registry&scope=repository%3Ar%3Apull");
  BOOST_TEST(send(ask).status == 503);
  BOOST_TEST(send(ask).status == 401);
  ask.headers.set("Authorization", "Basic " + encode_base64("user:secret-password", Base64::standard));
  const std::string answer = send(ask).body;
  const std::size_t start = answer.find("\"token\":\"") + 9;
  const std::string token = answer.substr(start, answer.find('"', start) - start);

  net::Request bearing = request("GET", "/v2/r/manifests/1");
  bearing.headers.set("Authorization", "Bearer " + token);
  BOOST_TEST(send(bearing).status == 200);
  BOOST_TEST(send(bearing).status == 401);
}

BOOST_AUTO_TEST_CASE(faults_meet_the_requests_they_are_meant_for) {
  const std::string blob = "/v2/r/blobs/" + registry.add_blob("r", std::string(1000, 'x'));
  registry.fault({.method = "GET", .target = "/blobs/", .from = 2, .count = 2}, {.status = 429, .headers = {{"Retry-After", "7"}}});

  BOOST_TEST(get(blob).status == 200);
  BOOST_TEST(header(get(blob), "retry-after") == "7");
  BOOST_TEST(get(blob).status == 429);
  BOOST_TEST(get(blob).status == 200);
  BOOST_TEST(registry.count("GET", "/blobs/") == 4U);

  registry.clear_faults();
  registry.fault({.target = "/blobs/", .count = 0}, {.ignore_range = true});
  BOOST_TEST(get_range(blob, "bytes=5-").status == 200);
  registry.fault({.target = "/blobs/", .count = 0}, {.reset_after = 10});
  BOOST_CHECK_THROW(get(blob), Error);

  registry.clear_faults();
  registry.fault({.target = "/blobs/"}, {.shift_range = 3});
  BOOST_TEST(header(get_range(blob, "bytes=5-9"), "content-range") == "bytes 8-9/1000");
  registry.fault({.target = "/blobs/"}, {.multipart = true});
  BOOST_TEST(header(get_range(blob, "bytes=5-9"), "content-type").starts_with("multipart/byteranges"));
  registry.fault({.target = "/blobs/"}, {.flip_byte = 0});
  BOOST_TEST(get(blob).body.substr(0, 2) == "yx");
}

BOOST_AUTO_TEST_CASE(a_layout_is_served_from_disk) {
  const TempDir layout;
  const std::string manifest = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]})";
  const std::string digest = sha256_of(manifest);
  layout.write("blobs/sha256/" + digest.substr(7), manifest);
  layout.write("blobs/sha256/" + sha256_of("layer").substr(7), "layer");
  layout.write("index.json", R"({"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + digest +
                                 R"(","annotations":{"org.opencontainers.image.ref.name":"docker.io/library/redis:7"}}]})");

  const std::vector<std::string> names = add_layout(registry, layout.path(), "image");

  BOOST_TEST(names == std::vector<std::string>{"library/redis:7"}, boost::test_tools::per_element());
  BOOST_TEST(get("/v2/library/redis/manifests/7").body == manifest);
  BOOST_TEST(get("/v2/library/redis/blobs/" + sha256_of("layer")).body == "layer");
  BOOST_TEST(get_range("/v2/library/redis/blobs/" + sha256_of("layer"), "bytes=1-2").body == "ay");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace drover::test
