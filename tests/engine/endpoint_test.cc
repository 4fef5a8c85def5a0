#include "engine/endpoint.h"

#include "base/error.h"
#include "base/file.h"
#include "digest/digest.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>

using namespace drover;
using engine::Endpoint;
using engine::EndpointFlags;
using engine::find_endpoint;
using Environment = std::map<std::string, std::string>;

BOOST_AUTO_TEST_SUITE(endpoint)

namespace {

void put_file(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  write_file_durably(path, text);
}

void put_context(const std::filesystem::path& config, const std::string& name, std::string_view endpoint) {
  put_file(config / "contexts" / "meta" / Digest::of(name).hex() / "meta.json",
           R"({"Name":")" + name + R"(","Metadata":{},"Endpoints":{"docker":)" + std::string(endpoint) + "}}");
}

ErrorCode code_of(const EndpointFlags& flags, const Environment& environment) {
  try {
    find_endpoint(flags, environment);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::failed;
}

std::string address_of(const Endpoint& endpoint) {
  return endpoint.unix_socket.empty() ? endpoint.url.to_string() : "unix:" + endpoint.unix_socket.string();
}

}  // namespace

struct HostRow {
  const char* host;
  const char* address;
};

std::ostream& operator<<(std::ostream& out, const HostRow& row) { return out << row.host; }

const HostRow hosts[] = {
    {"unix:///run/podman/podman.sock", "unix:/run/podman/podman.sock"},
    {"unix://", "unix:/var/run/docker.sock"},
    {"tcp://10.0.0.5:2375", "http://10.0.0.5:2375/"},
    {"tcp://10.0.0.5", "http://10.0.0.5:2375/"},
    {"tcp://", "http://localhost:2375/"},
    {"tcp://[::1]", "http://[::1]:2375/"},
    {"tcp://[::1]:99", "http://[::1]:99/"},
    {"tcp://engine.lan:2375/base", "http://engine.lan:2375/base"},
    {"engine.lan:2375", "http://engine.lan:2375/"},
    {"engine.lan", "http://engine.lan:2375/"},
};

BOOST_DATA_TEST_CASE(an_address_is_read_as_docker_reads_it, boost::unit_test::data::make(hosts), row) {
  BOOST_TEST(address_of(find_endpoint({.host = row.host, .context = {}}, {})) == row.address);
}

struct RefusedRow {
  const char* host;
  ErrorCode code;
};

std::ostream& operator<<(std::ostream& out, const RefusedRow& row) { return out << row.host; }

const RefusedRow refused[] = {
    {"ssh://root:secret@host", ErrorCode::usage}, {"npipe:////./pipe/docker_engine", ErrorCode::unsupported},
    {"fd://", ErrorCode::unsupported},           {"ftp://host", ErrorCode::usage},
    {"unix://relative.sock", ErrorCode::usage},  {"tcp://host:99999", ErrorCode::usage},
    {"tcp://ho st:1", ErrorCode::usage},
};

BOOST_DATA_TEST_CASE(an_address_that_cannot_work_is_refused, boost::unit_test::data::make(refused), row) {
  BOOST_TEST((code_of({.host = row.host, .context = {}}, {}) == row.code));
}

BOOST_AUTO_TEST_CASE(an_ssh_address_is_kept_apart) {
  const Endpoint endpoint = find_endpoint({.host = "ssh://me@host:2222/run/user/1000/docker.sock", .context = {}},
                                          {{"PATH", "/usr/bin"}, {"XDG_RUNTIME_DIR", "/run/user/7"}, {"TMPDIR", "/var/tmp"}});

  BOOST_REQUIRE(endpoint.ssh.has_value());
  BOOST_TEST(endpoint.ssh->to_string() == "me@host:2222");
  BOOST_TEST(endpoint.ssh->socket == "/run/user/1000/docker.sock");
  BOOST_TEST(endpoint.ssh->search_path == "/usr/bin");
  BOOST_TEST(endpoint.ssh->folder == "/run/user/7");
  BOOST_TEST(endpoint.unix_socket.empty());
  BOOST_TEST(endpoint.origin == "ssh://me@host:2222/run/user/1000/docker.sock (--host)");
}

BOOST_AUTO_TEST_CASE(a_context_may_lead_over_ssh) {
  const test::TempDir dir;
  put_context(dir.path(), "far", R"({"Host":"ssh://root@far"})");
  const Endpoint endpoint = find_endpoint({.host = {}, .context = "far"}, {{"DOCKER_CONFIG", dir.path().string()}, {"TMPDIR", "/var/tmp"}});
  BOOST_REQUIRE(endpoint.ssh.has_value());
  BOOST_TEST(endpoint.ssh->to_string() == "root@far");
  BOOST_TEST(endpoint.ssh->folder == "/var/tmp");
}

BOOST_AUTO_TEST_CASE(a_password_in_an_address_is_refused_and_not_repeated) {
  try {
    find_endpoint({}, {{"DOCKER_HOST", "ssh://root:secret@host"}});
    BOOST_FAIL("accepted");
  } catch (const Error& error) {
    BOOST_TEST(std::string(error.what()).find("secret") == std::string::npos);
    BOOST_TEST(std::string(error.what()).find("DOCKER_HOST") != std::string::npos);
  }
}

struct HeadersRow {
  const char* text;
  const char* headers;
};

std::ostream& operator<<(std::ostream& out, const HeadersRow& row) { return out << row.text; }

const HeadersRow custom_headers[] = {
    {"X-A=1", "X-A:1;"},
    {"X-A=1,X-B=two=2", "X-A:1;X-B:two=2;"},
    {" X-A = 1 ", "X-A: 1 ;"},
    {R"("X-A=1,5",X-B="quoted")", "X-A:1,5;X-B:\"quoted\";"},
    {R"("X-A=say ""hi""")", "X-A:say \"hi\";"},
    {"X-A=,user-agent=mine", "X-A:;"},
    {"X-A", "usage"},
    {"=1", "usage"},
    {"X-A=1,", "usage"},
};

BOOST_DATA_TEST_CASE(headers_of_the_environment_replace_those_of_the_config, boost::unit_test::data::make(custom_headers), row) {
  const test::TempDir dir;
  put_file(dir.path() / "config.json", R"({"HttpHeaders":{"X-Site":"a"}})");
  std::string headers;
  try {
    const Environment environment{{"DOCKER_CONFIG", dir.path().string()}, {"DOCKER_CUSTOM_HEADERS", row.text}};
    for (const auto& [name, value] : find_endpoint({}, environment).headers) headers += name + ":" + value + ";";
  } catch (const Error& error) {
    headers = to_string(error.code());
  }
  BOOST_TEST(headers == row.headers);
}

const Environment with_secrets[] = {
    {{"DOCKER_CUSTOM_HEADERS", "Authorization: Bearer s3cret"}},
    {{"DOCKER_CUSTOM_HEADERS", "Authorization: Bearer s3cret="}},
    {{"DOCKER_CUSTOM_HEADERS", "X-Auth=user,s3cret"}},
    {{"DOCKER_HOST", "tcp://user:s3cret@host:2375"}},
    {{"DOCKER_HOST", "SSH://user:s3cret@host"}},
    {{"DOCKER_HOST", "http://user:s3cret@host"}},
    {{"DOCKER_HOST", "npipe://user:s3cret@host"}},
    {{"DOCKER_HOST", "ssh://user:s3cret@host"}},
};

BOOST_AUTO_TEST_CASE(what_may_be_a_secret_is_in_no_message) {
  for (const Environment& environment : with_secrets) {
    BOOST_CHECK_EXCEPTION(find_endpoint({}, environment), Error, [](const Error& error) {
      BOOST_TEST_MESSAGE(error.what());
      return std::string(error.what()).find("s3cret") == std::string::npos;
    });
  }
}

BOOST_AUTO_TEST_CASE(precedence_is_that_of_dockers_code) {
  const test::TempDir dir;
  const std::string config = dir.path().string();
  put_file(dir.path() / "config.json", R"({"currentContext":"from-config"})");
  put_context(dir.path(), "from-config", R"({"Host":"unix:///config.sock"})");
  put_context(dir.path(), "from-env", R"({"Host":"unix:///env.sock"})");
  put_context(dir.path(), "from-flag", R"({"Host":"unix:///flag.sock"})");
  Environment environment{{"DOCKER_CONFIG", config}};

  BOOST_TEST(address_of(find_endpoint({}, environment)) == "unix:/config.sock");
  environment["DOCKER_CONTEXT"] = "from-env";
  BOOST_TEST(address_of(find_endpoint({}, environment)) == "unix:/env.sock");
  environment["DOCKER_HOST"] = "unix:///host.sock";
  BOOST_TEST(address_of(find_endpoint({}, environment)) == "unix:/host.sock");
  BOOST_TEST(address_of(find_endpoint({.host = {}, .context = "from-flag"}, environment)) == "unix:/flag.sock");
  BOOST_TEST(address_of(find_endpoint({.host = "unix:///h.sock", .context = {}}, environment)) == "unix:/h.sock");
  BOOST_TEST((code_of({.host = "unix:///h.sock", .context = "from-flag"}, environment) == ErrorCode::usage));
  BOOST_TEST(address_of(find_endpoint({.host = {}, .context = "default"}, environment)) == "unix:/host.sock");
}

BOOST_AUTO_TEST_CASE(without_any_word_the_default_socket_is_used) {
  const Endpoint endpoint = find_endpoint({}, {});

  BOOST_TEST(address_of(endpoint) == "unix:/var/run/docker.sock");
  BOOST_TEST(endpoint.origin == "unix:///var/run/docker.sock (default)");
  BOOST_TEST(!endpoint.api_version);
}

BOOST_AUTO_TEST_CASE(an_unknown_context_is_named) {
  BOOST_TEST((code_of({.host = {}, .context = "nowhere"}, {{"DOCKER_CONFIG", "/nonexistent"}}) == ErrorCode::not_found));
}

BOOST_AUTO_TEST_CASE(a_context_brings_its_certificates) {
  const test::TempDir dir;
  put_context(dir.path(), "far", R"({"Host":"tcp://far:2376","SkipTLSVerify":false})");
  const auto tls = dir.path() / "contexts" / "tls" / Digest::of("far").hex() / "docker";
  for (const char* name : {"ca.pem", "cert.pem", "key.pem"}) put_file(tls / name, "pem");

  const Endpoint endpoint = find_endpoint({.host = {}, .context = "far"}, {{"DOCKER_CONFIG", dir.path().string()}});

  BOOST_TEST(endpoint.url.to_string() == "https://far:2376/");
  BOOST_TEST(endpoint.tls.verify);
  BOOST_TEST(endpoint.tls.ca_file == tls / "ca.pem");
  BOOST_TEST(endpoint.tls.client_key == tls / "key.pem");
}

BOOST_AUTO_TEST_CASE(a_context_that_skips_verification_still_uses_tls) {
  const test::TempDir dir;
  put_context(dir.path(), "far", R"({"Host":"tcp://far","SkipTLSVerify":true})");

  const Endpoint endpoint = find_endpoint({.host = {}, .context = "far"}, {{"DOCKER_CONFIG", dir.path().string()}});

  BOOST_TEST(endpoint.url.to_string() == "https://far:2376/");
  BOOST_TEST(!endpoint.tls.verify);
}

BOOST_AUTO_TEST_CASE(any_text_in_the_tls_variables_counts_as_yes) {
  const test::TempDir dir;
  put_file(dir.path() / "ca.pem", "pem");
  put_file(dir.path() / "cert.pem", "pem");
  Environment environment{{"DOCKER_HOST", "tcp://far:2376"}, {"DOCKER_CERT_PATH", dir.path().string()}};

  BOOST_TEST(find_endpoint({}, environment).url.scheme == "http");  // a certificate folder alone turns nothing on
  environment["DOCKER_TLS"] = "0";
  const Endpoint unverified = find_endpoint({}, environment);
  BOOST_TEST(unverified.url.scheme == "https");
  BOOST_TEST(!unverified.tls.verify);
  environment["DOCKER_TLS_VERIFY"] = "0";
  const Endpoint verified = find_endpoint({}, environment);
  BOOST_TEST(verified.tls.verify);
  BOOST_TEST(verified.tls.ca_file == dir.path() / "ca.pem");
  BOOST_TEST(verified.tls.client_cert == dir.path() / "cert.pem");
  BOOST_TEST(verified.tls.client_key.empty());
}

BOOST_AUTO_TEST_CASE(verification_without_a_ca_is_refused) {
  const test::TempDir dir;
  const Environment environment{{"DOCKER_TLS_VERIFY", "1"}, {"DOCKER_CERT_PATH", dir.path().string()}};
  BOOST_TEST((code_of({.host = "tcp://far", .context = {}}, environment) == ErrorCode::not_found));
}

BOOST_AUTO_TEST_CASE(a_certificate_that_cannot_be_looked_at_is_named) {
  const test::TempDir dir;
  std::filesystem::create_symlink("ca.pem", dir.path() / "ca.pem");
  const Environment environment{{"DOCKER_TLS_VERIFY", "1"}, {"DOCKER_CERT_PATH", dir.path().string()}};
  BOOST_TEST((code_of({.host = "tcp://far", .context = {}}, environment) == ErrorCode::io));
}

BOOST_AUTO_TEST_CASE(config_headers_and_a_pinned_version_are_taken_over) {
  const test::TempDir dir;
  put_file(dir.path() / "config.json", R"({"HttpHeaders":{"X-Site":"a","X-Number":7,"User-Agent":"mine"}})");

  const Endpoint endpoint = find_endpoint({}, {{"DOCKER_CONFIG", dir.path().string()}, {"DOCKER_API_VERSION", "1.40"}});

  BOOST_TEST(endpoint.headers.size() == 1U);
  BOOST_TEST(endpoint.headers.at(0).first == "X-Site");
  BOOST_TEST(endpoint.api_version.value() == "1.40");
}

BOOST_AUTO_TEST_CASE(home_is_where_the_config_is) {
  const test::TempDir dir;
  put_file(dir.path() / ".docker" / "config.json", R"({"currentContext":"x"})");
  put_context(dir.path() / ".docker", "x", R"({"Host":"unix:///x.sock"})");
  BOOST_TEST(address_of(find_endpoint({}, {{"HOME", dir.path().string()}})) == "unix:/x.sock");
}

BOOST_AUTO_TEST_CASE(a_damaged_config_is_named_not_passed_over) {
  const test::TempDir dir;
  put_file(dir.path() / "config.json", "{");
  BOOST_TEST((code_of({}, {{"DOCKER_CONFIG", dir.path().string()}}) == ErrorCode::invalid));
}

BOOST_AUTO_TEST_SUITE_END()
