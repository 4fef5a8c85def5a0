#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cli/bench_guests.h"
#include "cli/bench_rounds.h"
#include "cli/command.h"
#include "cli/session.h"
#include "cli/stored_tag.h"
#include "engine/archive_source.h"
#include "engine/image_archive.h"
#include "engine/load.h"
#include "stack/platforms.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace drover::cli {
namespace {

constexpr std::size_t loads_at_once = 12;  // as `drover load`

struct LoadBench {
  const store::BlobStore& store;
  engine::Inventory inventory;  // before the first round
  Platform platform = {};
  std::vector<engine::LoadImage> images = {};
  std::vector<GuestImage> guests = {};
  std::vector<FoundTool> tools = {};
  std::size_t rounds = repeat_default;
  std::uint64_t bytes = 0;  // of the layers that the engine lacks, as the store has them; each once
};

LoadBench prepare(Session& session, const store::BlobStore& store, const std::vector<Reference>& references) {
  LoadBench bench{.store = store, .inventory = session.take_inventory()};
  bench.tools = find_tools(BenchKind::load, session.flags().tools, session.settings().registry.program_path);
  bench.rounds = session.settings().repeat.value_or(repeat_default);
  const auto asked = session.settings().platforms.value_or(registry::PlatformChoice{});
  bench.platform = stack::choose_load_target({}, bench.inventory.platform, asked).platform;
  std::set<Digest> seen;
  for (const Reference& reference : references) {
    bench.images.push_back(
        engine::find_load_image(store, reference, find_stored_tag(store, reference).descriptor, bench.platform));
    bench.guests.push_back(guest_of(bench.images.back()));
    for (const engine::LayerPlan& layer : engine::plan_load(bench.images.back(), bench.inventory).layers) {
      const bool is_sent = layer.action != engine::LayerPlan::Action::skip_known;
      if (is_sent && seen.insert(layer.layer.digest).second) bench.bytes += layer.layer.size;
    }
  }
  return bench;
}

// Of several, the one that must not be overlooked.
void throw_worst(const std::vector<std::optional<Error>>& failures) {
  const std::optional<Error>* worst = nullptr;
  for (const std::optional<Error>& failure : failures) {
    const auto rank = [](const Error& error) { return error.code() == ErrorCode::data_safety ? 2 : error.code() == ErrorCode::network ? 1 : 0; };
    if (failure && (worst == nullptr || rank(*failure) > rank(**worst))) worst = &failure;
  }
  if (worst != nullptr) throw Error(**worst);
}

// As `drover load` in a process of its own would: the engine is asked what it has, then gets what it lacks. Its digests are not
// settled, since that asks the registry.
double load_anew(const Context& ctx, const Session& session, const LoadBench& bench) {
  Context quiet = ctx.without_stop();
  quiet.progress = &Progress::none();
  const auto begin = std::chrono::steady_clock::now();
  const std::unique_ptr<Session> process = session.begin_anew();
  engine::Loader loader(process->engine(), bench.store, process->take_inventory());
  std::vector<std::optional<Error>> failures(bench.images.size());
  parallel_for_each(quiet, bench.images.size(), loads_at_once, [&](const Context& each, std::size_t i) {
    // One that fails does not cut the others.
    try {
      const engine::LoadOutcome outcome =
          loader.load(each, bench.images[i], {.settle = engine::Settle::never, .registry_auth = {}});
      if (outcome.state == engine::LoadOutcome::State::present) {
        failures[i] = Error(ErrorCode::data_safety, "somebody else has brought " + outcome.reference.familiar() +
                                                        " into the engine meanwhile; what was loaded beside it stays there, too");
      }
    } catch (const Error& error) {
      failures[i] = error;
    }
  });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  throw_worst(failures);
  return seconds;
}

// Every layer, in the form that this engine takes: what `docker save` would have made of the image elsewhere.
void write_archive(const Context& ctx, const LoadBench& bench, const engine::LoadImage& image,
                   const std::filesystem::path& file) {
  engine::LayerSizes sizes;
  const engine::LoadPlan plan = engine::plan_load(image, bench.inventory, true);
  engine::ImageArchive archive(bench.store, sizes, image, plan, bench.inventory,
                               {.is_own = [](std::size_t) { return true; },
                                .is_needed = [](std::size_t) { return true; },
                                .before_layer = [](std::size_t) {},
                                .before_documents = [] {},
                                .on_odd_layer = [](std::size_t, const std::string&) {}});
  engine::ArchiveSource source([&archive] { return archive.next(); });
  const UniqueFd fd = open_file(file, O_WRONLY | O_CREAT | O_EXCL);
  std::vector<std::byte> buffer(1U << 20U);
  while (const std::size_t got = source.read(buffer)) {
    ctx.check_stop();
    write_all(fd.get(), std::span(buffer).first(got), file.string());
  }
}

std::vector<std::filesystem::path> write_archives(const Context& ctx, const LoadBench& bench,
                                                  const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const engine::LoadImage& image : bench.images) {
    files.push_back(folder / (std::to_string(files.size()) + ".tar"));
    write_archive(ctx, bench, image, files.back());
  }
  return files;
}

// Why a tool is left out here; empty: it is not.
std::string why_left_out(const FoundTool& tool, const LoadBench& bench, const engine::Endpoint& endpoint) {
  if (tool.name != "skopeo") return {};
  if (bench.inventory.store == engine::StoreKind::containerd) return "skopeo makes another image of it in a containerd store";
  if (endpoint.unix_socket.empty()) return "skopeo is only measured with an engine behind a unix socket";
  return {};
}

Contestant contestant_of(Session& session, const BenchFolder& folder, const LoadBench& bench, const FoundTool& tool) {
  Contestant contestant{.name = tool.name, .round = {}};
  contestant.check = [&] { require_absent(session, bench.guests); };
  contestant.tidy = [&](RoundEnd end) { remove_guests(session.ctx(), session.engine(), bench.guests, end); };
  if (const std::string why = why_left_out(tool, bench, session.engine().endpoint()); !why.empty()) {
    contestant.round = [why](const Context&) -> double { throw Error(ErrorCode::unsupported, why); };
    contestant.check = [] {};
    contestant.tidy = [](RoundEnd) {};
    return contestant;
  }
  LoadTask task{.references = {}, .platform = bench.platform, .store = session.settings().store, .archives = {}};
  for (const engine::LoadImage& image : bench.images) task.references.push_back(image.reference);
  task.engine_words = docker_words(session.settings());
  task.engine_url = "unix://" + session.engine().endpoint().unix_socket.string();
  if (tool.name == "docker") {
    task.archives = write_archives(session.ctx(), bench, folder.renew("archives"));
    contestant.note = "from a file of all layers";
  }
  contestant.round = [tool, task](const Context& ctx) { return run_tool(ctx.without_stop(), tool, load_run(tool.name, task)); };
  return contestant;
}

BenchTable measure(Session& session, const BenchFolder& folder, const LoadBench& bench) {
  const std::optional<FileLock> lock = session.lock_for_loading();
  std::vector<Contestant> contestants = {
      {.name = "drover",
       .check = [&] { require_absent(session, bench.guests); },
       .round = [&](const Context& ctx) { return load_anew(ctx, session, bench); },
       .tidy = [&](RoundEnd end) { remove_guests(session.ctx(), session.engine(), bench.guests, end); }}};
  for (const FoundTool& tool : bench.tools) contestants.push_back(contestant_of(session, folder, bench, tool));
  return run_rounds(session.ctx(), contestants, bench.rounds, bench.bytes);
}

std::vector<std::string> tools_of(const LoadBench& bench) {
  std::vector<std::string> names = {"drover"};
  for (const FoundTool& tool : bench.tools) names.push_back(tool.name);
  return names;
}

ExitCode plan(Session& session, const LoadBench& bench) {
  Json images = Json::array();
  for (const engine::LoadImage& image : bench.images) {
    images.push_back({{"reference", image.reference.to_string()}, {"digest", image.image.manifest.digest.to_string()}});
  }
  session.output().set_document({{"plan",
                                  {{"images", std::move(images)},
                                   {"platform", bench.platform.to_string()},
                                   {"bytes", bench.bytes},
                                   {"repeat", bench.rounds},
                                   {"tools", tools_of(bench)}}}});
  session.output().write_text("to load and to remove again: " + format_bytes(bench.bytes) + ", " + std::to_string(bench.rounds) +
                              (bench.rounds == 1 ? " time" : " times") + ", by " + join(tools_of(bench), ", ") + "\n");
  return ExitCode::done;
}

Json document_of(const LoadBench& bench, const BenchTable& table) {
  Json images = Json::array();
  for (const engine::LoadImage& image : bench.images) {
    images.push_back({{"reference", image.reference.to_string()}, {"digest", image.image.manifest.digest.to_string()}});
  }
  Json json = {{"images", std::move(images)}, {"platform", bench.platform.to_string()}};
  json["engine"] = {{"version", bench.inventory.engine_version},
                    {"store", bench.inventory.store == engine::StoreKind::containerd ? "containerd" : "classic"}};
  json["bytes"] = table.bytes;
  json["repeat"] = bench.rounds;
  json["tools"] = tools_json(table);
  return json;
}

ExitCode run_bench_load(Session& session) {
  const std::vector<Reference> references = session.some_references("e.g. drover bench load redis:7; drover ls lists them");
  const store::BlobStore store = session.open_store(store::BlobStore::Access::read);
  const LoadBench bench = prepare(session, store, references);
  require_absent(session, bench.guests);
  if (session.settings().dry_run) return plan(session, bench);

  const BenchFolder folder(session.environment());
  const BenchTable table = measure(session, folder, bench);
  session.output().set_document(document_of(bench, table));
  session.output().write_text(std::to_string(bench.images.size()) + (bench.images.size() == 1 ? " image, " : " images, ") +
                              bench.platform.to_string() + ", " + format_bytes(table.bytes) + " of layers that the engine " +
                              bench.inventory.engine_version + " lacks, medians of " + std::to_string(bench.rounds) + "\n" +
                              tools_text(table));
  std::vector<Error> failures;
  if (table.rows.front().failure) failures.push_back(*table.rows.front().failure);
  return session.finish(failures);
}

}  // namespace

Command bench_load_command() {
  static const std::string choices = tool_choices(BenchKind::load);
  return {
      .path = "bench load",
      .group = "Caring commands",
      .summary = "how long a load into the engine takes, beside docker's and skopeo's",
      .details =
          "Images of the store are loaded and removed again, in turn by each tool; medians. Refused, with 13, for an image that\n"
          "the engine has in any way: nothing that was there before is touched. docker loads an archive of all layers, skopeo\n"
          "copies out of the store.",
      .example = "  drover pull redis:7 && drover bench load redis:7",
      .positionals = {{"REF", &Flags::references, "image references that the store has"}},
      .options = {{"--against", &Flags::tools, "beside these tools, repeatable or with commas (default: all found)", choices},
                  {"--repeat", &Flags::repeat, "rounds (default 3)", "N"}},
      .run = run_bench_load};
}

}  // namespace drover::cli
