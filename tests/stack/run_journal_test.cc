#include "stack/run_journal.h"

#include "base/error.h"
#include "stack/failure_text.h"
#include "stack/last_words.h"
#include "tests/compose/swap_plan.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>

using namespace drover;
using namespace drover::test;
using State = compose::StepOutcome::State;

namespace {

const std::string engine_name = "unix:///run/docker.sock";

struct JournalHost {
  TempDir folder;
  stack::StateFolder state{folder / "state"};
  FakeClock clock;
  Context ctx;
  compose::Plan plan = swap_plan({{.service = "web", .old_id = std::string(64, 'a'), .image = "web:2"}});
  stack::RunHeader header;

  JournalHost() {
    ctx.clock = &clock;
    header = stack::header_of(ctx, plan, engine_name);
  }
  std::string bytes() const {
    std::ifstream in(state.run_journal_file("shop", engine_name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string said() const {
    const auto run = stack::find_cut_off_run(state, "shop", engine_name);
    return run ? stack::to_text(*run) : "nothing";
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(run_journal, JournalHost)

BOOST_AUTO_TEST_CASE(a_run_that_ended_says_nothing) {
  BOOST_TEST(said() == "nothing");
  stack::RunJournal journal(ctx, state, header);
  journal.remove();
  BOOST_TEST(said() == "nothing");
}

BOOST_AUTO_TEST_CASE(logs_are_kept_beside_it_until_the_next_run) {
  std::optional<std::filesystem::path> file;
  {
    stack::RunJournal journal(ctx, state, header);
    file = journal.keep_log("shop-web-1", "one\ntwo\n");
    BOOST_TEST_REQUIRE(file.has_value());
    journal.remove();
  }
  BOOST_TEST(file->parent_path().parent_path().string() == (state.root() / "runs").string());
  BOOST_TEST(file->filename().string() == "shop-web-1.log");
  BOOST_TEST((std::filesystem::status(*file).permissions() == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)));
  BOOST_TEST((std::filesystem::status(file->parent_path()).permissions() == std::filesystem::perms::owner_all));
  BOOST_TEST(read_file(*file, 100) == "one\ntwo\n");

  const stack::RunJournal next(ctx, state, header);
  BOOST_TEST(!std::filesystem::exists(*file));
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_kept_stops_nothing) {
  stack::RunJournal journal(ctx, state, header);
  std::ofstream(state.run_log_folder("shop", engine_name)) << "a file where the folder would be";
  BOOST_TEST(!journal.keep_log("shop-web-1", "one\n").has_value());
}

BOOST_AUTO_TEST_CASE(it_says_where_a_run_was_cut_off) {
  stack::RunJournal journal(ctx, state, header);
  BOOST_TEST(said() == "an earlier run (2024-01-01T00:00:00Z) was cut off; going on from what the engine has");
  journal.note_begin(1);
  BOOST_TEST(said() == "an earlier run (2024-01-01T00:00:00Z) was cut off in #1 container shop-web-1, create; going on from what the engine has");
  journal.note_end({.id = 1, .state = State::done, .created_id = "abc"});
  BOOST_TEST(said() == "an earlier run (2024-01-01T00:00:00Z) was cut off after #1 container shop-web-1, create; going on from what the engine has");
  journal.note_commit();
  BOOST_TEST(stack::find_cut_off_run(state, "shop", engine_name)->is_committed);

  compose::Plan back = plan;
  back.steps.erase(back.steps.begin());
  journal.note_rollback(back);
  journal.note_begin(1);
  BOOST_TEST(said() == "an earlier run (2024-01-01T00:00:00Z) was cut off on its way back in #1 container shop-web-1, stop; going on from what the engine has");
}

BOOST_AUTO_TEST_CASE(a_new_run_begins_anew) {
  stack::RunJournal(ctx, state, header).note_begin(1);
  stack::RunJournal second(ctx, state, header);
  BOOST_TEST(stack::find_cut_off_run(state, "shop", engine_name)->under_way.empty());
}

// Cut at any byte: as much as was written whole, or a run of which nothing is known.
BOOST_AUTO_TEST_CASE(a_journal_cut_anywhere_is_read) {
  stack::RunJournal journal(ctx, state, header);
  for (int id = 1; id <= 3; ++id) {
    journal.note_begin(id);
    journal.note_end({.id = id, .state = State::done});
  }
  const std::string whole = bytes();
  const std::size_t header_bytes = whole.find('\n') + 1;
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const auto run = stack::parse_run_journal(whole.substr(0, cut));
    BOOST_TEST_REQUIRE(run.has_value() == (cut >= header_bytes), "cut at " << cut);
    if (run) BOOST_TEST_REQUIRE((run->ended.size() + run->under_way.size() <= 3U));
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_journal_is_a_run_of_which_nothing_is_known) {
  for (const std::string text : {"", "{}\n", "nonsense\n", "{\"droverRun\":2}\n", "{\"droverRun\":1,\"project\":5}\n"}) {
    folder.write("state/runs/" + state.run_journal_file("shop", engine_name).filename().string(), text);
    BOOST_TEST(said() == "an earlier run was cut off; going on from what the engine has", text);
  }
}

BOOST_AUTO_TEST_CASE(two_runs_of_a_project_on_an_engine_keep_apart) {
  const FileLock first = state.lock_for_run("shop", engine_name);
  BOOST_CHECK_EXCEPTION(state.lock_for_run("shop", engine_name), Error, [](const Error& error) { return error.code() == ErrorCode::locked; });
  const FileLock other_engine = state.lock_for_run("shop", "tcp://host:2376");
  const FileLock other_project = state.lock_for_run("mail", engine_name);
}

BOOST_AUTO_TEST_CASE(a_projects_name_leads_nowhere_else) {
  BOOST_TEST(state.run_journal_file("../../etc/x", engine_name).parent_path() == state.root() / "runs");
}

BOOST_AUTO_TEST_CASE(ids_are_cut_and_digests_are_not) {
  const std::string id(64, 'a');
  BOOST_TEST(stack::shorten_ids("POST /containers/" + id + "/start: " + id) == "POST /containers/aaaaaaaaaaaa/start: aaaaaaaaaaaa");
  BOOST_TEST(stack::shorten_ids("sha256:" + id + " " + id + "b deadbeef") == "sha256:" + id + " " + id + "b deadbeef");
  BOOST_TEST(stack::shorten_ids("") == "");
}

BOOST_AUTO_TEST_CASE(last_words_are_a_few_short_lines) {
  BOOST_TEST(stack::last_words_of("") == "");
  BOOST_TEST(stack::last_words_of("\n \n") == "");
  BOOST_TEST(stack::fits_last_words("1\n\n2\n3\n4\n5\n"));
  BOOST_TEST(!stack::fits_last_words("1\n2\n3\n4\n5\n6\n"));
  BOOST_TEST(!stack::fits_last_words(std::string(201, 'x')));
  BOOST_TEST(stack::last_words_of("one\r\ntwo\n") == "its last lines: \"one\", \"two\"");
  BOOST_TEST(stack::last_words_of("1\n2\n3\n4\n5\n6\n7\n") == "its last lines: \"3\", \"4\", \"5\", \"6\", \"7\"");
  const std::string bound = stack::last_words_of(std::string(100'000, 'x') + "\n" + std::string(100'000, '\x1b'));
  BOOST_TEST(bound.size() < 6 * stack::last_line_bytes_max);
  BOOST_TEST(bound.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
