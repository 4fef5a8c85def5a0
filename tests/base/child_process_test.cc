#include "base/child_process.h"

#include "base/error.h"
#include "base/text.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

using namespace drover;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(child_process)

namespace {

// What a shell's `echo $$ >&2` leaves; waits for it.
pid_t pid_in(const ChildProcess& child) {
  while (child.error_text().find('\n') == std::string::npos && !child.exit_code()) std::this_thread::sleep_for(1ms);
  return static_cast<pid_t>(parse_uint(trim(child.error_text())).value_or(0));
}

bool is_alive(pid_t pid) { return kill(pid, 0) == 0; }

}  // namespace

BOOST_AUTO_TEST_CASE(its_end_and_its_last_words_are_kept) {
  const ChildProcess child("/bin/sh", {"-c", "echo dropped; read line; echo \"last words $line\" >&2; exit 3"});
  while (!child.wait_for(1s)) {
  }
  BOOST_TEST(child.exit_code().value() == 3);
  BOOST_TEST(child.error_text() == "last words \n");
}

BOOST_AUTO_TEST_CASE(what_it_says_later_is_told_apart) {
  const ChildProcess child("/bin/sh", {"-c", "echo first >&2; sleep 0.01; echo second >&2"});
  while (child.error_text().find('\n') == std::string::npos) std::this_thread::sleep_for(1ms);
  while (!child.wait_for(1s)) {
  }
  BOOST_TEST(child.error_bytes() == 13U);
  BOOST_TEST(child.error_text(6) == "second\n");
  BOOST_TEST(child.error_text(13) == "");
  BOOST_TEST(child.error_text(99) == "");
}

// As under a supervisor that closes them all.
BOOST_AUTO_TEST_CASE(a_program_without_standard_files_gives_its_child_some) {
  std::array<int, 3> saved{};
  for (int fd = 0; fd < 3; ++fd) saved[static_cast<std::size_t>(fd)] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
  for (int fd = 0; fd < 3; ++fd) close(fd);
  std::string said;
  {
    const ChildProcess child("/bin/sh", {"-c", "echo dropped && ! read line && echo \"$(readlink /proc/self/fd/0)\" >&2"});
    while (!child.wait_for(1s)) {
    }
    said = child.error_text();
  }
  for (int fd = 0; fd < 3; ++fd) {
    dup2(saved[static_cast<std::size_t>(fd)], fd);
    close(saved[static_cast<std::size_t>(fd)]);
  }
  BOOST_TEST(said == "/dev/null\n");
}

BOOST_AUTO_TEST_CASE(what_is_no_program_is_told_at_once) {
  BOOST_CHECK_EXCEPTION(ChildProcess("/nonexistent/program", {}), Error, [](const Error& error) {
    return std::string(error.what()).find("/nonexistent/program") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(it_is_ended_with_its_object) {
  pid_t pid = 0;
  {
    const ChildProcess child("/bin/sh", {"-c", "echo $$ >&2; exec sleep 1000"});
    pid = pid_in(child);
    BOOST_REQUIRE(pid > 0);
    BOOST_TEST(is_alive(pid));
    BOOST_TEST(getsid(pid) == pid);
    BOOST_TEST(!child.wait_for(0ms).has_value());
  }
  BOOST_TEST(!is_alive(pid));
}

// As in a program that ignores its children's ends, or reaps all of them itself.
BOOST_AUTO_TEST_CASE(an_end_that_somebody_else_took_is_an_end) {
  struct sigaction before {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGCHLD, &ignore, &before);
  {
    const ChildProcess child("/bin/sh", {"-c", "exit 3"});
    while (!child.wait_for(1s)) {
    }
    BOOST_TEST(child.exit_code().value() == 255);
  }
  sigaction(SIGCHLD, &before, nullptr);
}

BOOST_AUTO_TEST_CASE(it_outlives_the_thread_that_started_it) {
  std::unique_ptr<ChildProcess> child;
  std::thread([&] { child = std::make_unique<ChildProcess>("/bin/sh", std::vector<std::string>{"-c", "echo $$ >&2; exec sleep 1000"}); }).join();
  const pid_t pid = pid_in(*child);
  BOOST_TEST(!child->wait_for(50ms).has_value());
  BOOST_TEST(is_alive(pid));
}

BOOST_AUTO_TEST_CASE(it_ends_with_a_process_that_is_killed) {
  int ends[2];
  BOOST_REQUIRE(pipe(ends) == 0);
  const pid_t owner = fork();
  if (owner == 0) {
    const ChildProcess child("/bin/sh", {"-c", "echo $$ >&2; exec sleep 1000"});
    const pid_t pid = pid_in(child);
    [[maybe_unused]] const ssize_t written = write(ends[1], &pid, sizeof pid);
    pause();
    _exit(1);
  }
  pid_t pid = 0;
  BOOST_REQUIRE(read(ends[0], &pid, sizeof pid) == sizeof pid);
  close(ends[0]);
  close(ends[1]);
  BOOST_TEST(is_alive(pid));
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  // Reaped by whoever inherits it; a zombie has ended as well.
  const auto has_ended = [pid] {
    char state = 0;
    FILE* const status = std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "r");
    if (status == nullptr) return true;
    const int fields = std::fscanf(status, "%*d %*s %c", &state);
    std::fclose(status);
    return fields != 1 || state == 'Z';
  };
  for (int tries = 0; tries < 3000 && !has_ended(); ++tries) std::this_thread::sleep_for(10ms);
  BOOST_TEST(has_ended());
}

BOOST_AUTO_TEST_CASE(only_the_end_of_much_is_kept) {
  const ChildProcess child("/bin/sh", {"-c", "head -c 300000 /dev/zero | tr '\\0' x >&2; echo the end >&2"});
  while (!child.wait_for(1s)) {
  }
  BOOST_TEST(child.error_text().size() == 16U * 1024);
  BOOST_TEST(child.error_text().ends_with("xthe end\n"));
}

BOOST_AUTO_TEST_SUITE_END()
