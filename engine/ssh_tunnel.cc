#include "engine/ssh_tunnel.h"

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace drover::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds look_interval{10};
constexpr std::chrono::milliseconds tunnel_lock_interval{50};

std::string last_line(std::string_view text) {
  std::string line;
  for (const std::string_view candidate : split(text, '\n')) {
    if (!trim(candidate).empty()) line = printable(trim(candidate), 200);
  }
  return line;
}

// OpenSSH's words, 7 to 9; first match.
struct EndRow {
  std::string_view says;
  ErrorCode code;
  bool is_final;
  std::string_view means;
};

constexpr EndRow ends[] = {
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", ErrorCode::authentication, true,
     "its host key is not the one in known_hosts: another machine may be answering; if the change is known, remove the old key with ssh-keygen -R"},
    {"Host key verification failed", ErrorCode::authentication, true,
     "its host key is not in known_hosts; connect once with ssh by hand and check the key, or add it"},
    {"Too many authentication failures", ErrorCode::authentication, true,
     "it refused the login after too many keys; name the right one with IdentityFile and IdentitiesOnly in ~/.ssh/config"},
    {"Permission denied", ErrorCode::authentication, true,
     "it refused the login; load your key into ssh-agent with ssh-add, and see that the account has it (passwords are never asked for)"},
    {"Could not resolve hostname", ErrorCode::network, false, "the name has no address; check its spelling and the DNS"},
    {"Connection refused", ErrorCode::network, false, "nothing listens on that port; is sshd running there?"},
    {"Connection timed out", ErrorCode::network, false, "no answer in time"},
    {"No route to host", ErrorCode::network, false, "there is no route to it"},
    {"Network is unreachable", ErrorCode::network, false, "the network is unreachable"},
    {"not responding", ErrorCode::network, false, "the connection was lost: it does not answer any more"},
};

// Whether somebody listens at that socket; the listener sees a connection that is closed at once.
bool is_listening(const fs::path& path) {
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
  return connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
}

// Nobody else may reach the engine through it.
fs::path make_private_folder(const fs::path& parent) {
  constexpr std::size_t socket_name_bytes_max = sizeof(sockaddr_un::sun_path) - sizeof("/engine.sock");
  for (const fs::path& candidate : {parent, fs::path("/tmp")}) {
    if (!is_plain_for_ssh(candidate)) continue;
    std::string folder = (candidate / "drover-ssh.XXXXXX").string();
    // ssh binds to a name with a suffix of its own first in some versions; leave room for it.
    if (folder.size() + 20 > socket_name_bytes_max) continue;
    if (mkdtemp(folder.data()) != nullptr) return folder;
  }
  throw io_error("cannot create a private folder in", parent.string());
}

}  // namespace

std::vector<std::string> ssh_arguments(const SshTarget& target, const fs::path& local_socket) {
  std::vector<std::string> arguments{"-N", "-T", "-S", "none"};
  for (const char* option : {"BatchMode=yes", "ConnectTimeout=30", "ServerAliveInterval=15", "ServerAliveCountMax=3", "ExitOnForwardFailure=no",
                             "StreamLocalBindMask=0177", "ControlMaster=no", "ControlPersist=no", "RemoteCommand=none",
                             "PermitLocalCommand=no", "ForwardAgent=no", "ForwardX11=no", "Tunnel=no", "LogLevel=INFO"}) {
    arguments.insert(arguments.end(), {"-o", option});
  }
  if (!target.user.empty()) arguments.insert(arguments.end(), {"-l", target.user});
  if (target.port) arguments.insert(arguments.end(), {"-p", std::to_string(*target.port)});
  arguments.insert(arguments.end(), {"-L", local_socket.string() + ":" + target.socket.string(), "--", target.host});
  return arguments;
}

Error explain_ssh_end(const SshTarget& target, int exit_code, std::string_view error_text) {
  const std::string start = "cannot reach " + target.to_string() + " by ssh: ";
  for (const EndRow& row : ends) {
    if (!contains(error_text, row.says)) continue;
    Error error(row.code, start + std::string(row.means));
    error.is_final = row.is_final;
    return error;
  }
  const std::string said = last_line(error_text);
  return {ErrorCode::network, start + (said.empty() ? "ssh ended with code " + std::to_string(exit_code) : "ssh says: " + said)};
}

bool is_plain_for_ssh(const fs::path& path) {
  const std::string text = path.string();
  return text.starts_with('/') && std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || std::string_view("/._-+@~").find(c) != std::string_view::npos; });
}

std::optional<std::string> find_ssh_refusal(const SshTarget& target, std::string_view error_text) {
  // sshd gives one answer for all three.
  if (!contains(error_text, "open failed:")) return std::nullopt;
  return "the ssh server at " + target.to_string() + " cannot connect to " + target.socket.string() +
         ": there is no engine's socket, its user may not use it (often: group docker), or sshd forbids it (AllowStreamLocalForwarding)";
}

SshTunnel::SshTunnel(SshTarget target) : target_(std::move(target)) {}

SshTunnel::~SshTunnel() {
  ssh_.reset();
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

fs::path SshTunnel::socket(const Context& ctx) {
  // One thread opens it, the others wait as long as they may.
  std::unique_lock lock(mutex_, std::defer_lock);
  while (!lock.try_lock_for(ctx.time_left(tunnel_lock_interval))) ctx.check_stop();
  if (!ssh_ || ssh_->exit_code()) open(ctx);
  return folder_ / "engine.sock";
}

void SshTunnel::open(const Context& ctx) {
  const std::optional<fs::path> program = find_program("ssh", target_.search_path);
  if (!program) throw Error(ErrorCode::not_found, "cannot reach " + target_.to_string() + ": there is no ssh program on PATH; install OpenSSH's client");
  if (folder_.empty()) folder_ = make_private_folder(target_.folder);
  const fs::path local = folder_ / "engine.sock";
  ssh_.reset();
  std::error_code ignored;
  fs::remove(local, ignored);  // ssh refuses to bind to one that is there
  auto ssh = std::make_unique<ChildProcess>(*program, ssh_arguments(target_, local));
  const Context bounded = ctx.within(ssh_patience);
  while (!is_listening(local)) {
    ctx.check_stop();
    if (bounded.time_left(look_interval).count() == 0) {
      throw Error(ErrorCode::network, "cannot reach " + target_.to_string() + " by ssh: no login within " +
                                          std::to_string(ssh_patience.count()) + " s");
    }
    if (const std::optional<int> code = ssh->wait_for(bounded.time_left(look_interval))) throw explain_ssh_end(target_, *code, ssh->error_text());
  }
  ctx.debug("ssh to " + target_.to_string() + " is open");
  ssh_ = std::move(ssh);
}

std::uint64_t SshTunnel::said_bytes() {
  const std::unique_lock lock(mutex_, std::chrono::milliseconds(0));
  return lock && ssh_ ? ssh_->error_bytes() : 0;  // a new one is being opened: all that it says is new
}

std::optional<std::string> SshTunnel::find_reason(std::uint64_t said_bytes) {
  // Its last words may come a little later than the end of the connections that it carried.
  constexpr std::chrono::milliseconds grace{200};
  const std::unique_lock lock(mutex_, grace);
  if (!lock || !ssh_) return std::nullopt;  // who opens it anew will tell
  const std::optional<int> code = ssh_->wait_for(grace);
  const std::string said = ssh_->error_text(said_bytes);
  return code ? explain_ssh_end(target_, *code, said).what() : find_ssh_refusal(target_, said);
}

}  // namespace drover::engine
