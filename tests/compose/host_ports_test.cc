// Ports of the host that an engine would refuse: found before anything is touched, and nothing found that it would not refuse.
#include "compose/host_ports.h"

#include "tests/compose/reconcile_case.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <ostream>

using namespace drover;
using namespace drover::compose;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(host_ports)

namespace {

struct Pair {
  const char* first;
  const char* second;
  const char* protocol;
  bool is_refused;
  friend std::ostream& operator<<(std::ostream& out, const Pair& pair) { return out << pair.first << " and " << pair.second << " " << pair.protocol; }
};

// As seen on 20.10, 26.1 and 28.5, but for what is not certain.
const Pair pairs[] = {{"0.0.0.0", "0.0.0.0", "tcp", true},
                      {"0.0.0.0", "127.0.0.1", "tcp", true},
                      {"127.0.0.1", "127.0.0.1", "udp", true},
                      {"0.0.0.0", "127.0.0.1", "udp", true},
                      {"0.0.0.0", "127.0.0.1", "sctp", false},  // not seen
                      {"127.0.0.1", "127.0.0.2", "tcp", false},
                      {"0.0.0.0", "::", "tcp", false},
                      {"127.0.0.1", "::1", "tcp", false},
                      {"::", "::1", "tcp", true},
                      {"::1", "::2", "tcp", false},
                      {"", "", "tcp", true},
                      {"", "0.0.0.0", "tcp", true},
                      {"", "127.0.0.1", "tcp", false},  // it may be another address
                      {"", "::", "tcp", false}};

// A container of somebody else, with the port "8080/tcp" of the host.
void add_stranger(Shop& shop, const std::string& address, const std::string& host_port, const std::string& protocol = "tcp", bool runs = true) {
  shop.engine.set_image("app:1", "app:1");
  const nlohmann::json binding = {{"HostIp", address}, {"HostPort", host_port}};
  shop.engine.add_container("stranger", {{"Image", "app:1"}, {"HostConfig", {{"PortBindings", {{"80/" + protocol, {binding}}}}}}}, runs);
}

std::string one(const std::string& keys) {
  return "services: {web: {image: app:1, " + keys + "}}";
}

std::string two(const std::string& first, const std::string& second, const std::string& more = "") {
  return "services: {a: {image: app:1, " + first + "}, b: {image: app:1, " + second + "}" + more + "}";
}

const std::string stranger_has =
    "refused: service web needs port 8080/tcp of the host, which container stranger, not of this project, publishes; stop that one, "
    "or publish another port";

std::string refusal_beside_stranger(const std::string& text) {
  Shop shop;
  add_stranger(shop, "", "8080");
  return shop.refusal(text);
}

std::string refusal(const std::string& text) {
  return Shop().refusal(text);
}

}  // namespace

BOOST_DATA_TEST_CASE(addresses_that_exclude_each_other, data::make(pairs)) {
  const HostPort first{sample.first, 8080, sample.protocol};
  const HostPort second{sample.second, 8080, sample.protocol};

  BOOST_TEST(exclude(first, second) == sample.is_refused);
  BOOST_TEST(exclude(second, first) == sample.is_refused);
  BOOST_TEST(!exclude(first, HostPort{sample.second, 8081, sample.protocol}));
  BOOST_TEST(!exclude(first, HostPort{sample.second, 8080, "other"}));
}

BOOST_AUTO_TEST_CASE(a_port_that_somebody_else_publishes_is_refused) {
  BOOST_TEST(refusal_beside_stranger(one("ports: ['8080:80']")) == stranger_has);
  BOOST_TEST(refusal_beside_stranger(one("ports: ['127.0.0.1:8080:80']")) ==
             "refused: service web needs port 127.0.0.1:8080/tcp of the host, which container stranger, not of this project, publishes; "
             "stop that one, or publish another port");
  BOOST_TEST(refusal_beside_stranger(one("ports: ['8080:80'], network_mode: bridge")) == "none");  // which address, the engine knows
}

BOOST_AUTO_TEST_CASE(a_port_that_is_another_one_is_not) {
  for (const char* const keys : {"ports: ['8081:80']", "ports: ['8080:80/udp']", "ports: ['8080-8090:80']", "ports: ['80']",
                                 "ports: ['[::1]:8080:80']", "ports: ['8080:80'], network_mode: host", "expose: ['8080']"})
    BOOST_TEST(refusal_beside_stranger(one(keys)) == "none", keys);
}

BOOST_AUTO_TEST_CASE(networks_that_publish_nothing_or_in_their_own_way_are_left_to_the_engine) {
  for (const char* const keys : {"internal: true", "driver: macvlan", "driver_opts: {com.docker.network.bridge.host_binding_ipv4: 10.1.1.1}",
                                 "driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}"})
    BOOST_TEST(refusal_beside_stranger(one("ports: ['8080:80'], networks: [back]") + "\nnetworks: {back: {" + keys + "}}") == "none", keys);
  BOOST_TEST(refusal_beside_stranger(one("ports: ['8080:80'], networks: [back, inner]") + "\nnetworks: {back: , inner: {internal: true}}") ==
             stranger_has);
}

BOOST_AUTO_TEST_CASE(a_stranger_that_does_not_run_or_has_another_address_is_not_in_the_way) {
  Shop stopped;
  add_stranger(stopped, "", "8080", "tcp", false);
  Shop local;
  add_stranger(local, "127.0.0.1", "8080");
  local.up(one("networks: [default]"));

  BOOST_TEST(stopped.refusal(one("ports: ['8080:80']")) == "none");
  BOOST_TEST(local.refusal(one("ports: ['127.0.0.2:8080:80']")) == "none");
  BOOST_TEST(local.refusal(one("ports: ['8080:80']")) == stranger_has);  // the network is there: it has no address of its own
}

BOOST_AUTO_TEST_CASE(two_replicas_cannot_have_one_port) {
  BOOST_TEST(refusal(one("scale: 2, ports: ['8080:80']")) ==
             "refused: service web: shop-web-1 and shop-web-2 cannot both publish port 8080/tcp of the host; give it a range of ports, or one "
             "container");
  BOOST_TEST(refusal(one("scale: 2, ports: ['8080-8081:80']")) == "none");
  BOOST_TEST(refusal(one("scale: 2, ports: ['80']")) == "none");
}

BOOST_AUTO_TEST_CASE(one_replica_more_beside_one_that_stays_is_refused_as_well) {
  Shop shop;
  shop.up(one("ports: ['8080:80']"));

  BOOST_TEST(shop.refusal(one("scale: 2, ports: ['8080:80']")) ==
             "refused: service web: shop-web-1 and shop-web-2 cannot both publish port 8080/tcp of the host; give it a range of ports, or one "
             "container");
}

BOOST_AUTO_TEST_CASE(two_services_cannot_have_one_port) {
  BOOST_TEST(refusal(two("ports: ['8080:80']", "ports: ['0.0.0.0:8080:81']")) ==
             "refused: services a and b cannot both publish port 8080/tcp of the host; give one of them another");
  BOOST_TEST(refusal(two("ports: ['8080:80']", "ports: ['8080:80/udp']")) == "none");
  BOOST_TEST(refusal(two("ports: ['127.0.0.1:8080:80']", "ports: ['127.0.0.2:8080:80']")) == "none");
  BOOST_TEST(refusal(two("ports: ['8080:80']", "ports: ['8080:80'], scale: 0")) == "none");
}

// A certificate is fetched on port 80, then the server starts there.
BOOST_AUTO_TEST_CASE(a_job_gives_its_port_back) {
  BOOST_TEST(refusal(two("ports: ['80:80']", "ports: ['80:80'], depends_on: {a: {condition: service_completed_successfully}}")) == "none");
  BOOST_TEST(refusal(two("ports: ['80:80']", "ports: ['80:80'], depends_on: [a]")) ==
             "refused: services a and b cannot both publish port 80/tcp of the host; give one of them another");
}

BOOST_AUTO_TEST_CASE(a_port_that_its_holder_gives_up_is_free) {
  Shop shop;
  shop.up(two("ports: ['8080:80']", "ports: ['8081:80']"));

  BOOST_TEST(shop.refusal(two("ports: ['8081:80']", "ports: ['8080:80']")) == "none");
  BOOST_TEST(shop.refusal(one("ports: ['8080:80']"), {.remove_orphans = true}) == "none");
  BOOST_TEST(shop.refusal(one("ports: ['8080:80']")) ==
             "refused: service web needs port 8080/tcp of the host, which container shop-a-1 publishes; stop that one, or publish another port");
  BOOST_TEST(shop.refusal(one("ports: ['8080:80']"), {.starts = false}) == "none");
}

BOOST_AUTO_TEST_SUITE_END()
