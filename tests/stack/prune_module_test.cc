// The walk over a plan, against an engine that changes under it.
#include "stack/prune.h"

#include "base/text.h"
#include "stack/volume_helper.h"
#include "store/tar_writer.h"
#include "tests/engine/engine_client.h"
#include "tests/stack/engine_state.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace drover;
using namespace drover::test;
using stack::PruneKind;
using State = stack::PruneOutcome::State;

namespace {

const std::string loose(64, 'a');

struct Host {
  EngineClient engine;
  TempDir folder;
  stack::StateFolder state{folder / "state"};
  stack::PrunePolicy policy{.min_age = std::chrono::seconds(0)};

  void add_image(const std::string& name, std::vector<std::string> tags) {
    engine.fake.add_image({.id = id_of(name).to_string(), .tags = std::move(tags), .digests = {}, .diff_ids = {id_of("layer " + name).to_string()}, .bytes = 100,
                           .last_tag_time = "2020-01-01T00:00:00Z"});
  }
  void add_volume(const std::string& name, std::map<std::string, std::string> labels = {}) {
    engine.fake.with_objects([&](FakeObjects& objects) { objects.volumes[name] = {.name = name, .labels = std::move(labels)}; });
  }
  void add_container(FakeContainer container) {
    engine.fake.with_objects([&](FakeObjects& objects) { objects.containers[container.id] = std::move(container); });
  }
  void remember(const std::string& event) {
    engine.fake.with_objects([&](FakeObjects& objects) { objects.events.push_back(event); });
  }
  bool has_volume(const std::string& name) {
    bool has = false;
    engine.fake.with_objects([&](FakeObjects& objects) { has = objects.volumes.contains(name); });
    return has;
  }
  std::size_t containers() {
    std::size_t count = 0;
    engine.fake.with_objects([&](FakeObjects& objects) { count = objects.containers.size(); });
    return count;
  }

  stack::PrunePlan plan(std::set<PruneKind> kinds) {
    policy.kinds = std::move(kinds);
    return stack::read_prune_plan(engine.ctx, *engine.client, state, policy, {}, 4);
  }
  stack::PruneReport apply(const stack::PrunePlan& plan, const stack::PruneOptions& options = {}) {
    return stack::apply_prune(engine.ctx, *engine.client, state, plan, options);
  }
  std::size_t count(const std::string& begin) {
    const auto targets = engine.fake.targets();
    return static_cast<std::size_t>(std::count_if(targets.begin(), targets.end(), [&](const std::string& target) { return target.starts_with(begin); }));
  }
};

std::string small_tar(const std::string& content) {
  std::string bytes;
  store::TarWriter writer([&](std::span<const std::byte> piece) { bytes += as_text(piece); });
  writer.add("a", content);
  writer.finish();
  return bytes;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(prune_walk, Host)

BOOST_AUTO_TEST_CASE(everything_goes_by_id_and_without_force) {
  add_image("used", {"used:1"});
  add_image("old", {"old:1"});
  add_volume(loose);
  add_container({.id = "c1", .name = "app", .image = "used:1", .image_id = id_of("used").to_string()});
  add_container({.id = "c2", .name = "done", .image = "used:1", .image_id = id_of("used").to_string(), .state = "exited"});
  engine.fake.with_objects([](FakeObjects& objects) { objects.networks["n1"] = {.id = "n1", .name = "left"}; });

  const stack::PruneReport report = apply(plan({PruneKind::image, PruneKind::volume, PruneKind::container, PruneKind::network}));

  BOOST_TEST(report.outcomes.size() == 4U);
  for (const stack::PruneOutcome& outcome : report.outcomes) BOOST_TEST((outcome.state == State::removed), outcome.item.id << ": " << outcome.why);
  BOOST_TEST(*report.measured_bytes == 100);
  BOOST_TEST(count("DELETE /v1.41/images/" + id_of("old").to_string()) == 1U);
  for (const std::string& target : engine.fake.targets()) {
    BOOST_TEST(target.find("force") == std::string::npos, target);
    BOOST_TEST(target.find("/prune") == std::string::npos, target);
    BOOST_TEST(!target.starts_with("POST"), target);
  }
}

BOOST_AUTO_TEST_CASE(an_image_that_is_used_by_then_stays) {
  add_image("one", {"one:1"});
  add_image("two", {"two:1"});
  const stack::PrunePlan planned = plan({PruneKind::image});
  // One container comes before the last look, the other one after it.
  add_container({.id = "c1", .name = "early", .image = "one:1", .image_id = id_of("one").to_string(), .state = "created"});
  engine.fake.before("DELETE /images/" + id_of("two").to_string(), [&] { add_container({.id = "c2", .name = "late", .image = "two:1", .image_id = id_of("two").to_string()}); });

  const stack::PruneReport report = apply(planned);

  BOOST_TEST_REQUIRE(report.outcomes.size() == 2U);
  for (const stack::PruneOutcome& outcome : report.outcomes) BOOST_TEST((outcome.state == State::kept));
  BOOST_TEST(report.outcomes[0].why == "container early uses it now");
  BOOST_TEST(contains(report.outcomes[1].why, "409"));
  BOOST_TEST(engine.fake.image_tags().size() == 2U);
  BOOST_TEST(report.bytes == 0U);
}

BOOST_AUTO_TEST_CASE(an_image_of_several_names_goes_or_keeps_them_all) {
  add_image("one", {"one:1", "one:2", "uno:1"});
  add_image("two", {"two:1", "two:2"});
  const stack::PrunePlan planned = plan({PruneKind::image});
  engine.fake.before("DELETE /images/" + id_of("two").to_string(), [&] { add_container({.id = "c", .name = "late", .image = "two:2", .image_id = id_of("two").to_string()}); });

  const stack::PruneReport report = apply(planned);

  std::vector<std::string> tags = engine.fake.image_tags();
  std::sort(tags.begin(), tags.end());
  BOOST_TEST(tags == (std::vector<std::string>{"two:1", "two:2"}), boost::test_tools::per_element());
}

// Two images of the same layers: as planned, the second one frees them.
BOOST_AUTO_TEST_CASE(the_layers_of_what_stays_are_not_counted) {
  for (const char* name : {"one", "two"}) {
    engine.fake.add_image({.id = id_of(name).to_string(), .tags = {std::string(name) + ":1"}, .digests = {}, .diff_ids = {id_of("layer").to_string()}, .bytes = 100,
                           .last_tag_time = "2020-01-01T00:00:00Z"});
  }
  const stack::PrunePlan planned = plan({PruneKind::image});
  BOOST_TEST(planned.bytes == 100U);
  stack::PrunePlan half = planned;
  half.remove.erase(half.remove.begin());
  BOOST_TEST(stack::restrict_to(planned, half).bytes == 0U);
  add_container({.id = "c", .name = "late", .image = planned.remove[0].names[0], .image_id = planned.remove[0].id});

  const stack::PruneReport report = apply(planned);

  BOOST_TEST((report.outcomes[0].state == State::kept));
  BOOST_TEST((report.outcomes[1].state == State::removed));
  BOOST_TEST(report.bytes == 0U);
}

BOOST_AUTO_TEST_CASE(an_image_that_got_a_name_meanwhile_stays) {
  add_image("one", {"one:1"});
  const stack::PrunePlan planned = plan({PruneKind::image});
  add_image("one", {"precious:1"});
  const stack::PruneReport report = apply(planned);
  BOOST_TEST(report.outcomes[0].why == "it is called precious:1 now");
}

BOOST_AUTO_TEST_CASE(a_volume_that_is_mounted_by_then_or_another_one_by_now_stays) {
  const std::string other(64, 'b');
  const std::string third(64, 'c');
  for (const std::string& name : {loose, other, third}) add_volume(name);
  const stack::PrunePlan planned = plan({PruneKind::volume});
  BOOST_TEST_REQUIRE(planned.remove.size() == 3U);
  add_container({.id = "c1", .name = "early", .state = "created", .volumes = {loose}});
  engine.fake.before("DELETE /volumes/" + other, [&] { add_container({.id = "c2", .name = "late", .volumes = {other}}); });
  engine.fake.with_objects([&](FakeObjects& objects) { objects.volumes[third].created = "2026-01-01T00:00:00Z"; });

  const stack::PruneReport report = apply(planned);

  for (const stack::PruneOutcome& outcome : report.outcomes) BOOST_TEST((outcome.state == State::kept), outcome.item.id);
  for (const std::string& name : {loose, other, third}) BOOST_TEST(has_volume(name));
}

// Somebody may have used it until a minute ago.
BOOST_AUTO_TEST_CASE(the_grace_of_a_volume_begins_with_the_first_look) {
  add_volume(loose);
  policy.min_age = std::chrono::hours(24);
  BOOST_TEST(plan({PruneKind::volume}).remove.empty());
  engine.fake.with_objects([](FakeObjects& objects) { objects.volumes.clear(); });
  policy.min_age = std::chrono::seconds(0);
  add_volume(loose);
  BOOST_TEST(plan({PruneKind::volume}).remove.size() == 1U);
}

BOOST_AUTO_TEST_CASE(options_that_point_at_data_stop_a_restore) {
  add_volume("files");
  engine.fake.with_objects([](FakeObjects& objects) { objects.volumes["files"].tar = small_tar("hello"); });
  policy.volumes = {"files"};
  const stack::PruneReport report = apply(plan({PruneKind::volume}), {.archive_folder = folder / "archive"});
  BOOST_TEST_REQUIRE((report.outcomes[0].state == State::removed), report.outcomes[0].why);
  engine.fake.before("POST /containers/create", [&] {
    engine.fake.with_objects([](FakeObjects& objects) { objects.volumes["files"].tar = small_tar("newer"); });
  });
  BOOST_CHECK_EXCEPTION(stack::restore_volume(engine.ctx, *engine.client, state, report.outcomes[0].archive, ""), Error,
                        [](const Error& error) { return error.code() == ErrorCode::data_safety; });
  engine.fake.with_objects([](FakeObjects& objects) { BOOST_TEST((objects.volumes["files"].tar == small_tar("newer"))); });
}

BOOST_AUTO_TEST_CASE(what_is_gone_is_no_failure) {
  add_volume(loose);
  add_image("one", {"one:1"});
  const stack::PrunePlan planned = plan({PruneKind::volume, PruneKind::image});
  engine.fake.with_objects([](FakeObjects& objects) { objects.volumes.clear(); });
  const stack::PruneReport report = apply(planned);
  BOOST_TEST((report.outcomes[0].state == State::removed));
  BOOST_TEST((report.outcomes[1].state == State::gone));
  BOOST_TEST((apply(planned).outcomes[0].state == State::gone));
}

BOOST_AUTO_TEST_CASE(a_named_volume_is_archived_and_comes_back) {
  add_volume("files", {{"note", "mine"}});
  engine.fake.with_objects([](FakeObjects& objects) { objects.volumes["files"].tar = small_tar("hello"); });
  policy.volumes = {"files"};
  const stack::PruneReport report = apply(plan({PruneKind::volume}), {.archive_folder = folder / "archive"});

  BOOST_TEST_REQUIRE(report.outcomes.size() == 1U);
  BOOST_TEST_REQUIRE((report.outcomes[0].state == State::removed), report.outcomes[0].why);
  BOOST_TEST(!has_volume("files"));
  BOOST_TEST(containers() == 0U);
  BOOST_TEST(contains(engine.log.text(), "cannot be seen from here"));

  stack::restore_volume(engine.ctx, *engine.client, state, report.outcomes[0].archive, "");
  engine.fake.with_objects([](FakeObjects& objects) {
    BOOST_TEST(objects.volumes.at("files").labels.at("note") == "mine");
    BOOST_TEST(objects.containers.empty());
  });
  BOOST_TEST((failure_of([&] { stack::restore_volume(engine.ctx, *engine.client, state, report.outcomes[0].archive, ""); }).code == ErrorCode::refused));
}

BOOST_AUTO_TEST_CASE(a_volume_whose_archive_is_cut_stays) {
  add_volume("files");
  engine.fake.with_objects([](FakeObjects& objects) { objects.volumes["files"].tar = small_tar(std::string(100'000, 'x')).substr(0, 50'000); });
  policy.volumes = {"files"};
  const stack::PruneReport report = apply(plan({PruneKind::volume}), {.archive_folder = folder / "archive"});
  BOOST_TEST_REQUIRE(report.outcomes.size() == 1U);
  BOOST_TEST((report.outcomes[0].state == State::failed));
  BOOST_TEST(has_volume("files"));
  BOOST_TEST(std::filesystem::is_empty(folder / "archive"));
}

// The engine's stream is whole in itself, and not all that there is.
BOOST_AUTO_TEST_CASE(a_volume_of_which_the_engine_sends_less_than_its_folder_has_stays) {
  const std::filesystem::path files = folder / "files";
  std::filesystem::create_directory(files);
  write_file_durably(files / "a", "hello");
  write_file_durably(files / "precious", "mine");
  add_volume("files");
  engine.fake.with_objects([&](FakeObjects& objects) {
    objects.volumes["files"].tar = small_tar("hello");
    objects.volumes["files"].mountpoint = files.string();
  });
  policy.volumes = {"files"};
  const stack::PruneReport report = apply(plan({PruneKind::volume}), {.archive_folder = folder / "archive"});
  BOOST_TEST_REQUIRE(report.outcomes.size() == 1U);
  BOOST_TEST((report.outcomes[0].state == State::failed));
  BOOST_TEST(contains(report.outcomes[0].why, "is not what is in " + files.string()), report.outcomes[0].why);
  BOOST_TEST(has_volume("files"));
  BOOST_TEST(std::filesystem::is_empty(folder / "archive"));
}

BOOST_AUTO_TEST_CASE(helpers_of_a_killed_run_go_and_nobody_elses) {
  add_volume("files");
  add_container({.id = "h1", .name = "ours", .state = "created", .labels = {{engine::helper_label, state.root().string()}}, .volumes = {"files"}});
  add_container({.id = "h2", .name = "others", .state = "created", .labels = {{engine::helper_label, "/elsewhere"}}});
  add_container({.id = "c", .name = "app"});
  stack::remove_stale_helpers(engine.ctx, *engine.client, state);
  BOOST_TEST(containers() == 2U);
  BOOST_TEST(count("DELETE /v1.41/containers/h1") == 1U);
}

BOOST_AUTO_TEST_CASE(a_printed_plan_holds_or_is_refused) {
  add_image("one", {"one:1"});
  add_image("two", {"two:1"});
  stack::PrunePlan printed = plan({PruneKind::image});
  add_image("three", {"three:1"});
  BOOST_TEST(stack::restrict_to(plan({PruneKind::image}), printed).remove.size() == 2U);

  policy.names_may_be_gone = true;
  apply({.policy = printed.policy, .engine = printed.engine, .keep = {}, .remove = {printed.remove[0]}, .refused = {}, .bytes = 0});  // killed after one
  BOOST_TEST(stack::restrict_to(plan({PruneKind::image}), printed).remove.size() == 1U);

  state.update_ledger(engine.ctx, [](stack::Ledger ledger) {
    ledger.pins["two:1"] = now;
    return ledger;
  });
  const Failure failure = failure_of([&] { stack::restrict_to(plan({PruneKind::image}), printed); });
  BOOST_TEST((failure.code == ErrorCode::refused));
  BOOST_TEST(contains(failure.text, "image two:1: pinned as two:1"), failure.text);
  printed.engine = "unix:///other";
  BOOST_TEST((failure_of([&] { stack::restrict_to(plan({PruneKind::image}), printed); }).code == ErrorCode::refused));
}

BOOST_AUTO_TEST_CASE(the_engines_memory_tells_of_owners_that_are_gone) {
  add_volume(loose);
  add_container({.id = "c", .name = "mail-web-1", .labels = of("mail", "web")});
  remember(R"({"Type":"volume","Action":"mount","Actor":{"ID":")" + loose + R"(","Attributes":{"container":"gone"}},"time":1600000000})");
  policy.min_age = 0s;
  BOOST_TEST(plan({PruneKind::volume}).remove.size() == 1U);
  remember(R"({"Type":"container","Action":"destroy","Actor":{"ID":"gone","Attributes":{"com.docker.compose.project":"mail"}},"time":1600000001})");
  BOOST_TEST(plan({PruneKind::volume}).remove.empty());
  BOOST_TEST(owners_of(state.read_ledger(), loose).size() == 1U);
}

// One question a list, one an image, one a stopped container, no more.
BOOST_AUTO_TEST_CASE(questions_are_counted) {
  for (int i = 0; i < 20; ++i) add_image("i" + std::to_string(i), {"i:" + std::to_string(i)});
  for (int i = 0; i < 10; ++i) add_container({.id = "c" + std::to_string(i), .name = "c" + std::to_string(i), .state = i < 5 ? "exited" : "running"});
  plan({PruneKind::image, PruneKind::volume, PruneKind::container, PruneKind::network});
  BOOST_TEST(count("GET") == 5U + 20U + 5U + 1U);  // lists, inspects, sizes
}

BOOST_AUTO_TEST_CASE(looking_is_remembered_and_a_project_is_forgotten_when_nothing_is_left) {
  add_volume("mail_data", of("mail", ""));
  stack::look(engine.ctx, *engine.client, state);
  BOOST_TEST(state.read_ledger().projects.contains("mail"));
  const auto forget = [&](const std::string& project) { return failure_of([&] { stack::forget_project(engine.ctx, *engine.client, state, project); }); };
  BOOST_TEST((forget("mail").code == ErrorCode::data_safety));
  BOOST_TEST((forget("wiki").code == ErrorCode::usage));
  engine.fake.with_objects([](FakeObjects& objects) { objects.volumes.clear(); });
  BOOST_TEST(forget("mail").text == "no failure");
  BOOST_TEST(!state.read_ledger().projects.contains("mail"));
}

// Of the other engine's volumes this one knows nothing.
BOOST_AUTO_TEST_CASE(a_project_of_another_engine_is_forgotten_there) {
  const auto see_on = [&](const std::string& where) {
    state.update_ledger(engine.ctx, [&](stack::Ledger ledger) {
      engine::Snapshot other{.engine = where};
      other.volumes = {volume("mail_data", days(9), of("mail", ""))};
      return observe(std::move(ledger), other, now);
    });
  };
  const auto forget = [&](stack::Forget scope) { return stack::forget_project(engine.ctx, *engine.client, state, "mail", scope); };
  see_on("ssh://there");
  const Failure failure = failure_of([&] { forget(stack::Forget::here); });
  BOOST_TEST((failure.code == ErrorCode::data_safety));
  BOOST_TEST(contains(failure.text, "drover -H ssh://there gc forget mail"), failure.text);
  BOOST_TEST(state.read_ledger().projects.contains("mail"));

  see_on("unix://" + engine.fake.socket().string());
  BOOST_TEST(forget(stack::Forget::here) == std::set<std::string>{"ssh://there"}, boost::test_tools::per_element());
  BOOST_TEST(owners_of(state.read_ledger(), "mail_data").size() == 1U);
  BOOST_TEST(forget(stack::Forget::everywhere).empty());
  BOOST_TEST(!state.read_ledger().projects.contains("mail"));
}

BOOST_AUTO_TEST_SUITE_END()
