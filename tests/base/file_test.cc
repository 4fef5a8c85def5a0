#include "base/file.h"

#include <boost/test/unit_test.hpp>

#include "base/error.h"
#include "base/process.h"
#include "base/parallel.h"
#include "base/text.h"
#include "tests/support/temp_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

using namespace drover;

namespace {

auto has_code(ErrorCode code) {
  return [code](const Error& e) { return e.code() == code; };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(file)

BOOST_AUTO_TEST_CASE(replacing_leaves_no_temporary_names) {
  const test::TempDir directory;
  const auto path = directory.path() / "a";
  write_file_durably(path, "one");
  write_file_durably(path, "two", 0640);
  BOOST_TEST(read_file(path, 100) == "two");
  struct stat info {};
  BOOST_REQUIRE(stat(path.c_str(), &info) == 0);
  BOOST_TEST((info.st_mode & 0777) == 0640);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(a_failed_replacement_leaves_the_old_file) {
  const test::TempDir directory;
  BOOST_CHECK_EXCEPTION(write_file_durably(directory.path() / "none" / "a", "x"), Error, has_code(ErrorCode::not_found));
  std::filesystem::create_directory(directory.path() / "d");
  BOOST_CHECK_THROW(write_file_durably(directory.path() / "d", "x"), Error);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_looked_at_is_an_error_like_any_other) {
  const test::TempDir directory;
  std::filesystem::create_symlink("loop", directory.path() / "loop");
  BOOST_CHECK_EXCEPTION(create_directories_durably(directory.path() / "loop" / "a"), Error, has_code(ErrorCode::io));
  BOOST_CHECK_EXCEPTION(create_directories_durably(directory.path() / std::string(300, 'x')), Error, has_code(ErrorCode::io));
}

BOOST_AUTO_TEST_CASE(reading_is_bounded) {
  const test::TempDir directory;
  write_file_durably(directory.path() / "a", std::string(1000, 'x'));
  BOOST_TEST(read_file(directory.path() / "a", 1000).size() == 1000U);
  BOOST_CHECK_EXCEPTION(read_file(directory.path() / "a", 999), Error, has_code(ErrorCode::size_mismatch));
  BOOST_TEST(!try_read_file(directory.path() / "b", 10).has_value());
  BOOST_CHECK_EXCEPTION(read_file("/dev/zero", 100'000), Error, has_code(ErrorCode::size_mismatch));
}

BOOST_AUTO_TEST_CASE(a_full_disk_has_its_own_name) {
  BOOST_TEST((io_error("cannot write", "/x", ENOSPC).code() == ErrorCode::no_space));
  BOOST_TEST((io_error("cannot write", "/x", EIO).code() == ErrorCode::io));
  const UniqueFd full = open_file("/dev/full", O_WRONLY);
  BOOST_CHECK_EXCEPTION(write_all(full.get(), as_bytes("x"), "/dev/full"), Error, has_code(ErrorCode::no_space));
}

BOOST_AUTO_TEST_CASE(locks_exclude_each_other_and_survive_removal) {
  const test::TempDir directory;
  const auto path = directory.path() / "lock";
  std::optional<FileLock> first = FileLock::try_acquire(path, FileLock::Mode::exclusive);
  BOOST_REQUIRE(first.has_value());
  BOOST_TEST(!FileLock::try_acquire(path, FileLock::Mode::exclusive).has_value());
  BOOST_TEST(!FileLock::try_acquire(path, FileLock::Mode::shared).has_value());
  first->remove();
  const auto second = FileLock::try_acquire(path, FileLock::Mode::shared);
  BOOST_TEST(second.has_value());
  BOOST_TEST(FileLock::try_acquire(path, FileLock::Mode::shared).has_value());
}

BOOST_AUTO_TEST_CASE(the_kernel_frees_a_dead_holder_s_lock) {
  const test::TempDir directory;
  const auto path = directory.path() / "lock";
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = FileLock::try_acquire(path, FileLock::Mode::exclusive);
    _exit(lock ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  BOOST_TEST(status == 0);
  BOOST_TEST(FileLock::try_acquire(path, FileLock::Mode::exclusive).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(process)

BOOST_AUTO_TEST_CASE(input_and_output_pass_through) {
  const ProcessResult result = run_process({}, "/bin/cat", {}, {.input = "hello"});
  BOOST_TEST(result.output == "hello");
  BOOST_TEST(result.exit_code == 0);
}

BOOST_AUTO_TEST_CASE(arguments_meet_no_shell) {
  BOOST_TEST(run_process({}, "/bin/echo", {"$HOME; `id`"}, {}).output == "$HOME; `id`\n");
}

BOOST_AUTO_TEST_CASE(bounds_hold) {
  using namespace std::chrono_literals;
  BOOST_CHECK_EXCEPTION(run_process({}, "/bin/sleep", {"10"}, {.timeout = 100ms}), Error, has_code(ErrorCode::failed));
  BOOST_CHECK_EXCEPTION(run_process({}, "/bin/sh", {"-c", "exec >&-; exec sleep 10"}, {.timeout = 100ms}), Error, has_code(ErrorCode::failed));
  BOOST_CHECK_EXCEPTION(run_process({}, "/usr/bin/yes", {}, {.output_bytes_max = 1000}), Error, has_code(ErrorCode::failed));
  BOOST_CHECK_THROW(run_process({}, "/nonexistent/program", {}, {}), Error);
  BOOST_TEST(run_process({}, "/bin/false", {}, {}).exit_code == 1);
}

BOOST_AUTO_TEST_CASE(programs_are_not_found_where_others_may_write) {
  const test::TempDir directory;
  const auto program = directory.path() / "tool";
  write_file_durably(program, "#!/bin/sh\n", 0755);
  BOOST_TEST((find_program("tool", directory.path().string()) == std::optional(program)));
  std::filesystem::permissions(directory.path(), std::filesystem::perms::all);
  BOOST_TEST(!find_program("tool", directory.path().string()).has_value());
  BOOST_TEST(!find_program("tool", "relative:").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(parallel)

BOOST_AUTO_TEST_CASE(every_index_is_visited_once) {
  std::vector<std::atomic<int>> seen(100);
  parallel_for_each({}, seen.size(), 8, [&](const Context&, std::size_t i) { ++seen[i]; });
  for (const auto& count : seen) BOOST_TEST(count == 1);
  parallel_for_each({}, 0, 8, [](const Context&, std::size_t) { BOOST_ERROR("nothing to do"); });
}

BOOST_AUTO_TEST_CASE(the_first_failure_stops_the_rest_and_comes_out) {
  std::atomic<int> begun = 0;
  const auto work = [&](const Context& ctx, std::size_t i) {
    ++begun;
    if (i == 3) throw Error(ErrorCode::io, "three");
    ctx.clock->sleep_for(std::chrono::milliseconds(2), ctx.stop);
  };
  BOOST_CHECK_EXCEPTION(parallel_for_each({}, 10'000, 4, work), Error, has_code(ErrorCode::io));
  BOOST_TEST(begun < 10'000);
}

BOOST_AUTO_TEST_CASE(a_stop_from_outside_interrupts) {
  std::stop_source stop;
  stop.request_stop();
  BOOST_CHECK_EXCEPTION(parallel_for_each({.stop = stop.get_token()}, 5, 2, [](const Context&, std::size_t) {}), Error,
                        has_code(ErrorCode::interrupted));
}

BOOST_AUTO_TEST_SUITE_END()
