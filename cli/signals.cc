#include "cli/signals.h"

#include "base/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

namespace drover::cli {
namespace {

constexpr int interrupted_exit_code = 130;

// A handler may only touch lock-free atomics and call write and _exit (signal-safety(7)).
std::atomic<int> signals_seen = 0;
int wake_pipe[2] = {-1, -1};

extern "C" void on_signal(int) {
  if (signals_seen.fetch_add(1) > 0) ::_exit(interrupted_exit_code);
  const int saved = errno;
  [[maybe_unused]] const ssize_t written = ::write(wake_pipe[1], "s", 1);
  errno = saved;
}

void handle(int number) {
  struct sigaction old {};
  ::sigaction(number, nullptr, &old);
  if (number == SIGHUP && old.sa_handler == SIG_IGN) return;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(number, &action, nullptr);
}

}  // namespace

Signals::Signals() {
  if (::pipe2(wake_pipe, O_CLOEXEC) != 0) throw io_error("cannot make a pipe for", "signals");
  waiter_ = std::jthread([this] {
    char byte = 0;
    while (::read(wake_pipe[0], &byte, 1) < 0 && errno == EINTR) {
    }
    if (byte == 's') stop_.request_stop();
  });
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) handle(number);
  std::signal(SIGPIPE, SIG_IGN);
}

Signals::~Signals() {
  [[maybe_unused]] const ssize_t written = ::write(wake_pipe[1], "q", 1);
}

}  // namespace drover::cli
