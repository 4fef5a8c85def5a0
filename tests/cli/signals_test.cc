// The program itself, as a process: what Ctrl-C does, and that nothing of a terminal is needed.
#include "cli/signals.h"
#include "tests/cli/command_line.h"
#include "tests/support/fake_registry.h"

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

using namespace drover::test;
using nlohmann::ordered_json;

BOOST_AUTO_TEST_SUITE(signals)

namespace {

// A child whose standard error is a pipe that is read here.
class Child {
 public:
  Child(const std::vector<std::string>& words, const std::string& out_file) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    std::fflush(nullptr);  // else the child writes it once more
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      ::close(ends[0]);
      std::signal(SIGHUP, SIG_DFL);  // it may be ignored here
      if (std::freopen(out_file.c_str(), "w", stdout) == nullptr) ::_exit(99);
      std::vector<char*> argv = {const_cast<char*>(DROVER_BINARY)};
      for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
      argv.push_back(nullptr);
      ::execv(DROVER_BINARY, argv.data());
      ::_exit(98);
    }
    ::close(ends[1]);
    err_.reset(::fdopen(ends[0], "r"));
  }

  // The next line of standard error; empty at its end.
  std::string read_line() {
    char* line = nullptr;
    std::size_t size = 0;
    const ssize_t got = ::getline(&line, &size, err_.get());
    std::string text = got > 0 ? std::string(line, static_cast<std::size_t>(got)) : std::string();
    std::free(line);
    return text;
  }
  std::string read_until(std::string_view part) {
    for (std::string line = read_line(); !line.empty(); line = read_line()) {
      if (line.find(part) != std::string::npos) return line;
    }
    return {};
  }
  void signal(int number) const { ::kill(pid_, number); }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  pid_t pid_ = -1;
  std::unique_ptr<std::FILE, Close> err_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_kernel_that_is_not_there_is_told_of_by_every_command) {
  const TempDir folder;
  ::setenv("DROVER_SHA256", "bogus", 1);
  const auto run = [&](const std::vector<std::string>& words) {
    Child child(words, folder / "out");
    const std::string line = child.read_until("cannot use DROVER_SHA256=bogus: the rows are ");
    return std::pair(child.wait(), line);
  };
  const auto [ls, ls_line] = run({"ls", "--store", folder / "store"});
  const auto [version, version_line] = run({"--version"});
  const auto [help, help_line] = run({"pull", "--help"});
  ::unsetenv("DROVER_SHA256");

  BOOST_TEST(ls == 2);
  BOOST_TEST(ls_line.starts_with("drover: cannot use "), ls_line);
  BOOST_TEST(version == 0);
  BOOST_TEST(version_line.starts_with("drover: warning: cannot use "), version_line);
  BOOST_TEST(help == 0);
  BOOST_TEST(!help_line.empty());
}

BOOST_AUTO_TEST_CASE(ctrl_c_keeps_what_was_fetched_and_says_how_to_go_on) {
  FakeRegistry registry;
  const CommandLine home;
  registry.add_image("big", "1", {{.bytes = std::string(8'000'000, 'x')}});
  registry.fault({.target = "/blobs/", .count = 0}, {.bytes_per_second = 8'000'000});
  const std::vector<std::string> words = {"pull", registry.reference("big", "1"), "--platform", "linux/amd64", "--json", "--progress", "json",
                                          "--store", home.store().string()};
  const std::string out = (home.home() / "out").string();

  for (const int number : {SIGINT, SIGTERM}) {
    Child child(words, out);
    BOOST_TEST_REQUIRE(!child.read_until(R"("advanced")").empty());
    child.signal(number);
    const std::string line = child.read_until("interrupted:");

    BOOST_TEST(line.starts_with("drover: interrupted: "), line);
    BOOST_TEST(line.ends_with(" are kept; run the same command again to continue\n"), line);
    BOOST_TEST(child.wait() == 130);
    BOOST_TEST(ordered_json::parse(home.home().read("out")).at("error").at("code") == "interrupted");
  }
  registry.clear_faults();
  Child again(words, out);
  again.read_until("no such line");
  BOOST_TEST(again.wait() == 0);
  BOOST_TEST(ordered_json::parse(home.home().read("out")).at("bytes").at("resumed").get<std::uint64_t>() > 0U);
}

BOOST_AUTO_TEST_CASE(a_later_signal_ends_at_once_unless_it_tells_of_the_same_event) {
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  const struct {
    int number;
    nanoseconds since_first;
    bool ends;
  } rows[] = {{SIGINT, nanoseconds(0), false}, {SIGTERM, nanoseconds(999'999'999), false}, {SIGHUP, nanoseconds(0), false},
              {SIGINT, seconds(1), true},      {SIGTERM, seconds(1), true},                {SIGINT, seconds(3600), true},
              {SIGHUP, seconds(1), false},     {SIGHUP, seconds(3600), false}};
  for (const auto& row : rows)
    BOOST_TEST(drover::cli::ends_at_once(row.number, row.since_first) == row.ends, row.number << " after " << row.since_first.count());
}

// As when a connection with the terminal is lost: the session and its group are told, each.
BOOST_AUTO_TEST_CASE(a_hangup_that_is_told_many_times_still_ends_in_order) {
  FakeRegistry registry;
  const CommandLine home;
  registry.add_image("big", "1", {{.bytes = std::string(8'000'000, 'x')}});
  registry.fault({.target = "/blobs/", .count = 0}, {.bytes_per_second = 8'000'000});
  Child child({"pull", registry.reference("big", "1"), "--platform", "linux/amd64", "--json", "--progress", "json", "--store", home.store().string()},
              (home.home() / "out").string());
  BOOST_TEST_REQUIRE(!child.read_until(R"("advanced")").empty());
  for (int i = 0; i < 1000; ++i) child.signal(SIGHUP);

  BOOST_TEST(child.read_until("interrupted:").starts_with("drover: interrupted: "));
  BOOST_TEST(child.wait() == 130);
  BOOST_TEST(ordered_json::parse(home.home().read("out")).at("error").at("code") == "interrupted");
}

BOOST_AUTO_TEST_CASE(a_full_standard_output_is_an_error) {
  Child child({"--version"}, "/dev/full");
  BOOST_TEST(child.read_until("standard output").starts_with("drover: cannot write the result"));
  BOOST_TEST(child.wait() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
