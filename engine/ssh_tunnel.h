// The way to an engine behind ssh://: one OpenSSH client, one login, and a local socket that leads to the engine's own.
//
// `ssh -N -L LOCAL:REMOTE`: every connection to the local socket becomes a channel of the one SSH connection, with its halves ended apart,
// so that many calls at once do not meet sshd's MaxStartups, and no docker program is needed over there. The user's own ssh configuration
// counts, and nothing is ever asked: no password, no unknown host key (BatchMode).
#pragma once

#include "base/child_process.h"
#include "base/context.h"
#include "base/error.h"
#include "engine/ssh_target.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::engine {

// From start to a login: names, keys, proxies, smart cards.
inline constexpr std::chrono::seconds ssh_patience{60};

// Pure: what ssh is called with.
std::vector<std::string> ssh_arguments(const SshTarget& target, const std::filesystem::path& local_socket);
// Pure: why ssh ended, from its standard error. One line, with what to do about it.
Error explain_ssh_end(const SshTarget& target, int exit_code, std::string_view error_text);
// Pure: whether ssh would take the path for the socket on this side as it is. It splits at `:` and expands `%` and `$`.
bool is_plain_for_ssh(const std::filesystem::path& path);
// Pure: why a connection through the tunnel was closed, if ssh said so.
std::optional<std::string> find_ssh_refusal(const SshTarget& target, std::string_view error_text);

// Thread-safe. ssh and the folder with the socket end with this object.
class SshTunnel {
 public:
  explicit SshTunnel(SshTarget target);
  ~SshTunnel();
  SshTunnel(const SshTunnel&) = delete;
  SshTunnel& operator=(const SshTunnel&) = delete;

  // The socket on this side. Opens the tunnel the first time, and anew when ssh has ended. Throws not_found without an ssh program,
  // authentication and network as explain_ssh_end() does, interrupted.
  std::filesystem::path socket(const Context& ctx);
  // How much ssh has said so far: what it says about a call comes later.
  std::uint64_t said_bytes();
  // Why a call through it failed that began when ssh had said so much, as far as ssh knows.
  std::optional<std::string> find_reason(std::uint64_t said_bytes);

 private:
  void open(const Context& ctx);

  const SshTarget target_;
  std::timed_mutex mutex_;
  std::filesystem::path folder_;
  std::unique_ptr<ChildProcess> ssh_;
};

}  // namespace drover::engine
