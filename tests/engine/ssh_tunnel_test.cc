#include "engine/ssh_tunnel.h"

#include "base/file.h"
#include "base/text.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>

using namespace drover;
using engine::parse_ssh_target;
using engine::SshTarget;

BOOST_AUTO_TEST_SUITE(ssh_tunnel)

struct AddressRow {
  const char* address;
  const char* target;
};

std::ostream& operator<<(std::ostream& out, const AddressRow& row) { return out << row.address; }

const AddressRow addresses[] = {
    {"host", "host /var/run/docker.sock"},
    {"root@host", "root@host /var/run/docker.sock"},
    {"root@host/", "root@host /var/run/docker.sock"},
    {"me@10.0.0.5:2222", "me@10.0.0.5:2222 /var/run/docker.sock"},
    {"me@[fe80::1]:2222", "me@[fe80::1]:2222 /var/run/docker.sock"},
    {"[::1]", "[::1] /var/run/docker.sock"},
    {"host/run/user/1000/docker.sock", "host /run/user/1000/docker.sock"},
    {"me@corp@host", "me@corp@host /var/run/docker.sock"},
    {"my_alias-2.lan", "my_alias-2.lan /var/run/docker.sock"},
};

BOOST_DATA_TEST_CASE(an_address_is_taken_apart, boost::unit_test::data::make(addresses), row) {
  const SshTarget target = parse_ssh_target(row.address);
  BOOST_TEST(target.to_string() + " " + target.socket.string() == row.target);
}

const char* const refused[] = {
    "",           "@host",     "root:secret@host", "host?query",      "host/path?query", "host#x",      "-oProxyCommand=x", "-l@host",
    "user@-host", "host:",     "host:0",           "host:99999",      "host:22:33",      "[::1",        "[::1]x",           "ho st",
    "host;ls",    "$(ls)@host", "host/a:b",        "host/%h",         "host/${HOME}",    "host/a b",    "us%65r@host",      "host/a\\b",
};

BOOST_DATA_TEST_CASE(what_ssh_could_read_otherwise_is_refused, boost::unit_test::data::make(refused), address) {
  BOOST_CHECK_EXCEPTION(parse_ssh_target(address), Error, [](const Error& error) {
    return error.code() == ErrorCode::usage && std::string_view(error.what()).find("secret") == std::string_view::npos;
  });
}

BOOST_AUTO_TEST_CASE(ssh_is_called_without_a_way_to_ask) {
  SshTarget target = parse_ssh_target("me@host:2222/run/docker.sock");

  BOOST_TEST(join(engine::ssh_arguments(target, "/tmp/x/engine.sock"), " ") ==
             "-N -T -S none -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 "
             "-o ExitOnForwardFailure=no -o StreamLocalBindMask=0177 -o ControlMaster=no -o ControlPersist=no "
             "-o RemoteCommand=none -o PermitLocalCommand=no -o ForwardAgent=no -o ForwardX11=no "
             "-o Tunnel=no -o LogLevel=INFO -l me -p 2222 -L /tmp/x/engine.sock:/run/docker.sock -- host");
  target = parse_ssh_target("alias");
  BOOST_TEST(join(engine::ssh_arguments(target, "/s"), " ").ends_with("-o LogLevel=INFO -L /s:/var/run/docker.sock -- alias"));
}

struct EndRow {
  const char* said;
  ErrorCode code;
  bool is_final;
  const char* means;
};

std::ostream& operator<<(std::ostream& out, const EndRow& row) { return out << row.said; }

const EndRow ends[] = {
    {"No ED25519 host key is known for host and you have requested strict checking.\r\nHost key verification failed.\r\n",
     ErrorCode::authentication, true, "its host key is not in known_hosts"},
    {"@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@\nHost key verification failed.\n", ErrorCode::authentication, true,
     "is not the one in known_hosts"},
    {"me@host: Permission denied (publickey,password).\r\n", ErrorCode::authentication, true, "it refused the login"},
    {"Received disconnect from host port 22:2: Too many authentication failures\r\n", ErrorCode::authentication, true, "too many keys"},
    {"ssh: Could not resolve hostname host: Name or service not known\r\n", ErrorCode::network, false, "the name has no address"},
    {"ssh: connect to host host port 22: Connection refused\r\n", ErrorCode::network, false, "is sshd running there?"},
    {"Timeout, server host not responding.\r\n", ErrorCode::network, false, "does not answer any more"},
    {"/root/.ssh/config: line 1: Bad configuration option: x\n\x1b[31mterminating, 1 bad configuration options\n\n", ErrorCode::network, false,
     "ssh says: ?[31mterminating, 1 bad configuration options"},
    {"", ErrorCode::network, false, "ssh ended with code 255"},
};

BOOST_DATA_TEST_CASE(the_end_of_ssh_has_one_line, boost::unit_test::data::make(ends), row) {
  const Error error = engine::explain_ssh_end(parse_ssh_target("me@host"), 255, row.said);

  BOOST_TEST((error.code() == row.code));
  BOOST_TEST(error.is_final == row.is_final);
  BOOST_TEST(std::string(error.what()).starts_with("cannot reach me@host by ssh: "), error.what());
  BOOST_TEST(std::string(error.what()).find(row.means) != std::string::npos, error.what());
  BOOST_TEST(std::string(error.what()).find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_refused_channel_names_the_socket) {
  const SshTarget target = parse_ssh_target("me@host");
  const auto reason = engine::find_ssh_refusal(target, "channel 2: open failed: connect failed: open failed\r\n");
  BOOST_REQUIRE(reason.has_value());
  BOOST_TEST(reason->find("cannot connect to /var/run/docker.sock") != std::string::npos);
  BOOST_TEST(!engine::find_ssh_refusal(target, "Warning: Permanently added 'host' (ED25519) to the list of known hosts.\n"));
}

// ssh splits what it forwards at colons and expands % and $.
BOOST_AUTO_TEST_CASE(a_folder_that_ssh_would_read_otherwise_is_not_used) {
  for (const char* plain : {"/tmp", "/run/user/1000", "/home/me+you@corp/a-b_c.d"}) BOOST_TEST(engine::is_plain_for_ssh(plain), plain);
  for (const char* other : {"", "tmp", "/tmp/a:b", "/tmp/%h", "/tmp/${HOME}", "/tmp/a b", "/tmp/a\\b"}) BOOST_TEST(!engine::is_plain_for_ssh(other), other);
}

// A stand-in for ssh that says what it was called with.
BOOST_AUTO_TEST_CASE(the_socket_is_made_where_ssh_finds_it) {
  const test::TempDir dir;
  write_file_durably(dir / "ssh", "#!/bin/sh\nwhile [ \"$1\" != -L ]; do shift; done\necho \"$2\" >&2\n", 0755);
  std::filesystem::create_directory(dir / "a:%h");
  SshTarget target = parse_ssh_target("me@host");
  target.search_path = dir.path().string();
  target.folder = dir / "a:%h";
  engine::SshTunnel tunnel(target);
  BOOST_CHECK_EXCEPTION(tunnel.socket({}), Error, [](const Error& error) {
    return std::string_view(error.what()).find("ssh says: /tmp/drover-ssh.") != std::string_view::npos;
  });
}

BOOST_AUTO_TEST_CASE(without_an_ssh_program_it_says_so) {
  const test::TempDir dir;
  SshTarget target = parse_ssh_target("me@host");
  target.search_path = dir.path().string();
  engine::SshTunnel tunnel(target);
  BOOST_CHECK_EXCEPTION(tunnel.socket({}), Error, [](const Error& error) {
    return error.code() == ErrorCode::not_found && std::string_view(error.what()).find("no ssh program") != std::string_view::npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()
