#include "base/child_process.h"

#include "base/error.h"
#include "base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace drover {
namespace {

constexpr std::size_t error_text_bytes_max = 16 * 1024;
constexpr std::chrono::seconds patience{2};  // between SIGTERM and SIGKILL
constexpr int lost_exit_code = 255;
// A program's standard error may outlive it, in programs that it started, or end before it does.
constexpr int look_milliseconds = 200;
constexpr int look_milliseconds_when_silent = 20;

// A program that was started without standard input, output or error gets their numbers for what it opens; the child would lose them when
// it makes its own.
UniqueFd beyond_standard(UniqueFd fd) {
  if (!fd || fd.get() > STDERR_FILENO) return fd;
  return UniqueFd(fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw io_error("cannot create", "a pipe");
    read_end = beyond_standard(UniqueFd(ends[0]));
    write_end = beyond_standard(UniqueFd(ends[1]));
    if (!read_end || !write_end) throw io_error("cannot create", "a pipe");
  }
  UniqueFd read_end;
  UniqueFd write_end;
};

// Between fork and exec: nothing that takes a lock or memory.
[[noreturn]] void become(const char* program, char* const* argv, pid_t parent, int null, int error, int failure) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() == parent) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    fcntl(STDERR_FILENO, F_SETFL, 0);
    execv(program, argv);
  }
  const int number = errno;
  [[maybe_unused]] const ssize_t written = write(failure, &number, sizeof number);
  _exit(127);
}

}  // namespace

struct ChildProcess::Impl {
  // The kernel ends the child with the thread that started it, so that one lives as long as the child may.
  void live(const std::filesystem::path& program, const std::vector<std::string>& arguments) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    {
      const std::lock_guard lock(mutex);
      start_error = start(program, arguments);
      is_started = true;
      changed.notify_all();
      if (start_error != 0) return;
    }
    while (!look()) {
    }
  }

  int start(const std::filesystem::path& program, const std::vector<std::string>& arguments) {
    std::string name = program.string();
    std::vector<std::string> copies = arguments;
    std::vector<char*> argv{name.data()};
    for (std::string& argument : copies) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const UniqueFd null = beyond_standard(UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC)));
    if (!null) return errno;
    const pid_t parent = getpid();
    pid = fork();
    if (pid == 0) become(name.c_str(), argv.data(), parent, null.get(), error.write_end.get(), failure.write_end.get());
    error.write_end.reset();
    failure.write_end.reset();
    if (pid < 0) return errno;
    end = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));  // Debian 12's pidfd_open() lacks C linkage
    // It ends by exec, which closes the other side.
    int number = 0;
    pollfd state{failure.read_end.get(), POLLIN, 0};
    while (poll(&state, 1, -1) < 0 && errno == EINTR) {
    }
    const ssize_t count = read(failure.read_end.get(), &number, sizeof number);
    failure.read_end.reset();
    if (count != sizeof number) return 0;
    waitpid(pid, nullptr, 0);
    pid = 0;
    return number;
  }

  // One turn; true when the child has ended.
  bool look() {
    std::array<pollfd, 2> states{pollfd{is_silent ? -1 : error.read_end.get(), POLLIN, 0}, pollfd{end.get(), POLLIN, 0}};
    poll(states.data(), states.size(), is_silent ? look_milliseconds_when_silent : look_milliseconds);
    const std::lock_guard lock(mutex);
    take_errors();
    int status = 0;
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
    take_errors();
    pid = 0;
    // None any more: this program ignores SIGCHLD or reaps all of its children, and how this one ended is lost.
    code = ended < 0 ? lost_exit_code : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    changed.notify_all();
    return true;
  }

  void take_errors() {
    std::array<char, 4096> space{};
    ssize_t count = 0;
    while ((count = read(error.read_end.get(), space.data(), space.size())) > 0) {
      text.append(space.data(), static_cast<std::size_t>(count));
      text_bytes += static_cast<std::size_t>(count);
    }
    is_silent = count == 0;
    if (text.size() > error_text_bytes_max) text.erase(0, text.size() - error_text_bytes_max);
  }

  void signal_child(int number) const {
    if (pid > 0) kill(pid, number);
  }

  mutable std::mutex mutex;  // of everything below; a child is signalled and reaped under it
  mutable std::condition_variable changed;
  Pipe error;
  Pipe failure;            // why exec failed
  UniqueFd end;            // readable once the child has ended; none before Linux 5.3, where looking now and then finds it out
  bool is_silent = false;  // standard error has been closed
  bool is_started = false;
  int start_error = 0;
  pid_t pid = 0;
  std::optional<int> code;
  std::string text;
  std::uint64_t text_bytes = 0;  // of all of it; `text` is the end
  std::thread thread;
};

ChildProcess::ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments)
    : impl_(std::make_unique<Impl>()) {
  impl_->thread = std::thread([this, program, arguments] { impl_->live(program, arguments); });
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(lock, [this] { return impl_->is_started; });
  if (impl_->start_error == 0) return;
  lock.unlock();
  impl_->thread.join();
  throw io_error("cannot start", program.string(), impl_->start_error);
}

ChildProcess::~ChildProcess() {
  {
    std::unique_lock lock(impl_->mutex);
    impl_->signal_child(SIGTERM);
    if (!impl_->changed.wait_for(lock, patience, [this] { return impl_->code.has_value(); })) impl_->signal_child(SIGKILL);
  }
  impl_->thread.join();
}

std::optional<int> ChildProcess::exit_code() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->code;
}

std::optional<int> ChildProcess::wait_for(std::chrono::milliseconds duration) const {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait_for(lock, duration, [this] { return impl_->code.has_value(); });
  return impl_->code;
}

std::uint64_t ChildProcess::error_bytes() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->text_bytes;
}

std::string ChildProcess::error_text(std::uint64_t since) const {
  const std::lock_guard lock(impl_->mutex);
  const std::uint64_t wanted = impl_->text_bytes - std::min(since, impl_->text_bytes);
  return impl_->text.substr(impl_->text.size() - std::min<std::uint64_t>(wanted, impl_->text.size()));
}

}  // namespace drover
