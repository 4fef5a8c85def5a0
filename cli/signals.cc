#include "cli/signals.h"

#include "base/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string_view>

namespace drover::cli {
namespace {

constexpr int interrupted_exit_code = 130;
constexpr std::string_view last_words = "drover: ended at once; what was being changed is left as it stands, the same command again goes on from there\n";

// A handler may only touch lock-free atomics and call clock_gettime, write and _exit (signal-safety(7)).
constexpr std::int64_t never = -1;
std::atomic<std::int64_t> first_at = never;  // nanoseconds of the monotonic clock
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
int wake_pipe[2] = {-1, -1};

std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

extern "C" void on_signal(int number) {
  const int saved = errno;
  const std::int64_t now = monotonic_ns();
  std::int64_t first = never;
  if (!first_at.compare_exchange_strong(first, now)) {
    if (ends_at_once(number, std::chrono::nanoseconds(now - first))) {
      [[maybe_unused]] const ssize_t told = ::write(STDERR_FILENO, last_words.data(), last_words.size());
      ::_exit(interrupted_exit_code);
    }
    errno = saved;
    return;
  }
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

bool ends_at_once(int number, std::chrono::nanoseconds since_first) noexcept {
  return number != SIGHUP && since_first >= std::chrono::seconds(1);
}

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
