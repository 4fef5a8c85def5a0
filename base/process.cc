#include "base/process.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

extern char** environ;

namespace drover {
namespace {

struct PipeEnds {
  UniqueFd read_end;
  UniqueFd write_end;
};

PipeEnds make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw io_error("cannot create", "a pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Kills and reaps the child unless it was reaped already.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      wait();
    }
  }

  // Its exit code; nothing while it runs.
  std::optional<int> try_wait() { return reap(WNOHANG); }

 private:
  void wait() {
    while (!reap(0)) {
    }
  }

  std::optional<int> reap(int options) {
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(pid_, &status, options)) < 0 && errno == EINTR) {
    }
    if (ended == 0) return std::nullopt;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  pid_t pid_;
};

pid_t spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments, int input, int output) {
  std::string name = program.string();
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv = {name.data()};
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, name.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw io_error("cannot start", name, error);
  return pid;
}

}  // namespace

ProcessResult run_process(const Context& ctx, const std::filesystem::path& program, const std::vector<std::string>& arguments,
                          const ProcessOptions& options) {
  PipeEnds input = make_pipe();
  PipeEnds output = make_pipe();
  Child child(spawn(program, arguments, input.read_end.get(), output.write_end.get()));
  output.write_end.reset();
  // Inputs are a URL or a few credentials: below PIPE_BUF, so that this cannot block on a child that does not read. Our own read end
  // stays open meanwhile, so that a child that is gone already does not raise SIGPIPE.
  if (options.input.size() > 4096) throw Error(ErrorCode::usage, "input for " + program.string() + " is too long");
  if (write(input.write_end.get(), options.input.data(), options.input.size()) < 0) {
    throw io_error("cannot write to", program.string());
  }
  input.read_end.reset();
  input.write_end.reset();

  ProcessResult result;
  const auto deadline = std::chrono::steady_clock::now() + options.timeout;
  const auto check_time = [&] {
    ctx.check_stop();
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorCode::failed, program.string() + " did not end within " + format_seconds(std::chrono::duration<double>(options.timeout).count()));
    }
  };
  std::array<char, 4096> buffer{};
  for (;;) {
    check_time();
    pollfd wait{output.read_end.get(), POLLIN, 0};
    if (poll(&wait, 1, 50) <= 0) continue;
    const ssize_t n = read(output.read_end.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    result.output.append(buffer.data(), static_cast<std::size_t>(n));
    if (result.output.size() > options.output_bytes_max) throw Error(ErrorCode::failed, program.string() + " printed too much");
  }
  // It may have closed its output and stay.
  for (;;) {
    if (const std::optional<int> exit_code = child.try_wait()) {
      result.exit_code = *exit_code;
      return result;
    }
    check_time();
    poll(nullptr, 0, 1);
  }
}

std::optional<std::filesystem::path> find_program(std::string_view name, std::string_view search_path) {
  for (const std::string_view folder : split(search_path, ':')) {
    if (!folder.starts_with('/')) continue;
    struct stat info {};
    const std::filesystem::path directory(folder);
    if (stat(directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) continue;
    if ((info.st_mode & S_IWOTH) != 0) continue;
    const std::filesystem::path candidate = directory / name;
    if (access(candidate.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(candidate)) return candidate;
  }
  return std::nullopt;
}

}  // namespace drover
