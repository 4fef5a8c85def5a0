// Where an ssh:// address leads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace drover::engine {

struct SshTarget {
  std::string user = {};                                     // empty: ssh's own choice
  std::string host = {};                                     // a name or an address, or what the user's ssh configuration calls it
  std::optional<std::uint16_t> port = {};
  std::filesystem::path socket = "/var/run/docker.sock";     // the engine's, over there
  std::string search_path = {};                              // PATH, for the ssh program
  std::filesystem::path folder = "/tmp";                     // where the private folder of the tunnel is made

  // "root@host:2222", for messages.
  std::string to_string() const;
  friend bool operator==(const SshTarget&, const SshTarget&) = default;
};

// "[user@]host[:port][/path/to/docker.sock]", what follows "ssh://". Throws usage: a password, a query, what ssh or its options could
// take for something else.
SshTarget parse_ssh_target(std::string_view address);

}  // namespace drover::engine
