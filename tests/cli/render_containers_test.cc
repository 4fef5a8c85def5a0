// Containers as docker's own tools show them.
#include "cli/render_containers.h"
#include "cli/docker_config.h"

#include "base/error.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <ostream>

using namespace drover;
using namespace drover::cli;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(render_containers)

namespace {

struct Age {
  std::int64_t seconds;
  const char* text;
  friend std::ostream& operator<<(std::ostream& out, const Age& age) { return out << age.seconds; }
};

// What docker's units.HumanDuration says.
const Age ages[] = {{-5, "Less than a second"}, {0, "Less than a second"}, {1, "1 second"},     {59, "59 seconds"},       {60, "About a minute"},
                    {119, "About a minute"},    {120, "2 minutes"},        {3599, "59 minutes"}, {3600, "About an hour"},  {5399, "About an hour"},
                    {5400, "2 hours"},          {170999, "47 hours"},      {171000, "2 days"},   {1207800, "2 weeks"},     {5184000, "2 months"},
                    {31536000, "12 months"},    {63072000, "2 years"}};

std::string of(std::vector<engine::PublishedPort> ports) { return ports_text(std::move(ports)); }

}  // namespace

BOOST_DATA_TEST_CASE(an_age_is_in_dockers_words, data::make(ages), age) { BOOST_TEST(age_text(std::chrono::seconds(age.seconds)) == age.text); }

BOOST_AUTO_TEST_CASE(ports_are_as_docker_writes_them) {
  BOOST_TEST(of({}) == "");
  BOOST_TEST(of({{.private_port = 443, .type = "tcp"}, {.private_port = 80, .type = "tcp"}, {.private_port = 81, .type = "tcp"}}) == "80-81/tcp, 443/tcp");
  BOOST_TEST(of({{"127.0.0.1", 80, 8080, "tcp"}, {"", 53, 0, "udp"}}) == "53/udp, 127.0.0.1:8080->80/tcp");
  BOOST_TEST(of({{"0.0.0.0", 25, 25, "tcp"}, {"::", 25, 25, "tcp"}, {"0.0.0.0", 26, 26, "tcp"}}) == "0.0.0.0:25-26->25-26/tcp, [::]:25->25/tcp");
}

BOOST_AUTO_TEST_CASE(a_container_is_a_row_and_an_object) {
  const engine::Timestamp now{std::chrono::seconds(1'700'000'000)};
  const ContainersView view{.project = "shop",
                            .containers = {{.id = "abc",
                                            .name = "shop-web-1",
                                            .image_reference = "app:1",
                                            .command = "run --for ever and a day",
                                            .created = now - std::chrono::hours(3),
                                            .state = "running",
                                            .status = "Up 3 hours (unhealthy)",
                                            .labels = {{"com.docker.compose.service", "web"}},
                                            .ports = {{"0.0.0.0", 80, 80, "tcp"}}},
                                           {.id = "def", .name = "shop-job-1", .state = "exited", .status = "Exited (137) 2 minutes ago"}},
                            .now = now};
  BOOST_TEST(containers_text(view) ==
             "NAME        IMAGE  COMMAND                 SERVICE  CREATED      STATUS                      PORTS\n"
             "shop-web-1  app:1  \"run --for ever and …\"  web      3 hours ago  Up 3 hours (unhealthy)      0.0.0.0:80->80/tcp\n"
             "shop-job-1         \"\"                                            Exited (137) 2 minutes ago\n");
  const Json json = containers_json(view);
  BOOST_TEST(json["containers"][0].dump() ==
             R"({"id":"abc","name":"shop-web-1","service":"web","image":"app:1","command":"run --for ever and a day","created":"2023-11-14T19:13:20Z",)"
             R"j("state":"running","status":"Up 3 hours (unhealthy)","health":"unhealthy","exitCode":0,)j"
             R"("ports":[{"hostIp":"0.0.0.0","published":80,"target":80,"protocol":"tcp"}]})");
  BOOST_TEST(json["containers"][1]["exitCode"] == 137);
  BOOST_TEST(json["containers"][1]["created"].is_null());
}

BOOST_AUTO_TEST_CASE(proxies_of_dockers_configuration_are_variables_of_containers) {
  const char* const config = R"({"proxies":{"default":{"httpProxy":"http://p:1","noProxy":"a,b","ftpProxy":""},"unix:///x.sock":{"httpsProxy":"http://q:2"}}})";
  const compose::TextMap general = parse_proxies(config, "unix:///var/run/docker.sock");
  BOOST_TEST(general.size() == 4U);
  BOOST_TEST(general.at("HTTP_PROXY") == "http://p:1");
  BOOST_TEST(general.at("http_proxy") == "http://p:1");
  BOOST_TEST(general.at("NO_PROXY") == "a,b");
  BOOST_TEST(parse_proxies(config, "unix:///x.sock").at("https_proxy") == "http://q:2");
  BOOST_TEST(parse_proxies(config, "unix:///x.sock").count("HTTP_PROXY") == 0U);
  BOOST_TEST(parse_proxies("{}", "x").empty());
  BOOST_TEST(parse_proxies(R"({"proxies":[1]})", "x").empty());
  BOOST_CHECK_THROW(parse_proxies("{", "x"), Error);
}

BOOST_AUTO_TEST_SUITE_END()
