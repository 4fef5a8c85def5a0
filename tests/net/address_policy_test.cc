#include "net/address_policy.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::net {
BOOST_AUTO_TEST_SUITE(address_policy)

namespace {

struct Row {
  std::string address;
  std::string any;       // the refusal, or nothing
  std::string no_local;  // likewise

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.address; }
};

const std::vector<Row> rows = {
    {"8.8.8.8", "", ""},
    {"10.0.0.1", "", ""},
    {"192.168.1.1", "", ""},
    {"172.17.0.1", "", ""},
    {"127.0.0.1", "", "loopback"},
    {"127.255.255.254", "", "loopback"},
    {"126.255.255.255", "", ""},
    {"128.0.0.1", "", ""},
    {"169.254.169.254", "link-local", "link-local"},
    {"169.254.0.1", "link-local", "link-local"},
    {"169.253.255.255", "", ""},
    {"169.255.0.0", "", ""},
    {"100.100.100.200", "cloud metadata", "cloud metadata"},
    {"100.100.100.201", "", ""},
    {"192.0.0.192", "cloud metadata", "cloud metadata"},
    {"0.0.0.0", "unspecified", "unspecified"},
    {"0.1.2.3", "unspecified", "unspecified"},
    {"224.0.0.1", "multicast", "multicast"},
    {"239.255.255.255", "multicast", "multicast"},
    {"240.0.0.1", "", ""},
    {"255.255.255.255", "broadcast", "broadcast"},
    {"2606:4700::1", "", ""},
    {"fc00::1", "", ""},
    {"::1", "", "loopback"},
    {"::", "unspecified", "unspecified"},
    {"fe80::1", "link-local", "link-local"},
    {"febf::1", "link-local", "link-local"},
    {"fec0::1", "", ""},
    {"ff02::1", "multicast", "multicast"},
    {"fd00:ec2::254", "cloud metadata", "cloud metadata"},
    {"fd00:ec2::253", "", ""},
    {"fd20:ce::254", "cloud metadata", "cloud metadata"},
    {"::ffff:127.0.0.1", "", "loopback"},
    {"::ffff:169.254.169.254", "link-local", "link-local"},
    {"::ffff:8.8.8.8", "", ""},
    {"::ffff:0.0.0.0", "unspecified", "unspecified"},
    {"::169.254.169.254", "link-local", "link-local"},
    {"::127.0.0.1", "", "loopback"},
    {"64:ff9b::169.254.169.254", "link-local", "link-local"},
    {"64:ff9b::8.8.8.8", "", ""},
    {"2002:a9fe:a9fe::1", "link-local", "link-local"},
    {"2002:7f00:1::", "", "loopback"},
    {"ghcr.io", "", ""},
    {"localhost", "", ""},  // a name: judged once it is resolved
};

BOOST_DATA_TEST_CASE(decides_by_the_address, rows) {
  BOOST_TEST(find_literal_refusal(sample.address, AddressPolicy::any).value_or("") == sample.any);
  BOOST_TEST(find_literal_refusal(sample.address, AddressPolicy::no_local).value_or("") == sample.no_local);
}

BOOST_AUTO_TEST_CASE(refuses_an_address_of_another_family) {
  const std::vector<std::byte> odd(6);

  BOOST_TEST(find_address_refusal(odd, AddressPolicy::any).has_value());
}

BOOST_AUTO_TEST_CASE(loopback_is_told_by_name) {
  for (const char* host : {"localhost", "127.0.0.1", "127.8.9.10", "::1"}) BOOST_TEST(is_loopback_host(host), host);
  for (const char* host : {"localhost.example", "128.0.0.1", "127.1", "::", "10.0.0.1", "", "my-localhost"}) BOOST_TEST(!is_loopback_host(host), host);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::net
