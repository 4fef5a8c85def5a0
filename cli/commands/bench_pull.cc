#include "base/file.h"
#include "base/text.h"
#include "cli/bench_cost.h"
#include "cli/bench_guests.h"
#include "cli/bench_rounds.h"
#include "cli/command.h"
#include "cli/session.h"
#include "registry/blob_address.h"
#include "registry/pull.h"
#include "stack/forecast.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace drover::cli {
namespace {

// All that is decided before the first round.
struct PullBench {
  std::vector<Reference> references;
  registry::PullOptions options;  // one platform
  std::vector<FoundTool> tools;
  registry::Resolutions resolutions = {};
  stack::Forecast forecast = {};
  PullCost cost = {};

  const Platform& platform() const { return options.platforms.wanted.front(); }
};

void require_one_platform(const registry::PlatformChoice& platforms) {
  if (!platforms.all && platforms.wanted.size() == 1) return;
  throw Error(ErrorCode::usage,
              "bench pull takes one platform, because the other tools fetch one; give --platform once, and not all");
}

PullCost cost_of(const PullBench& bench, std::size_t rounds) {
  PullCost cost{
      .bytes = bench.forecast.pull.bytes_total, .rounds = rounds, .tools = {"drover"}, .hub_limit = bench.forecast.hub_limit};
  for (const FoundTool& tool : bench.tools) cost.tools.push_back(tool.name);
  cost.hub_images =
      static_cast<std::size_t>(std::count_if(bench.references.begin(), bench.references.end(),
                                             [](const Reference& reference) { return reference.registry() == "docker.io"; }));
  return cost;
}

// One tool at a time, and each one's folder goes before the next.
void require_space(const stack::Forecast& forecast, const BenchFolder& folder) {
  const stack::DiskNeed& need = forecast.store;
  if (!need.space || need.bytes <= need.space->free_bytes) return;
  throw Error(ErrorCode::refused, "nothing was fetched: " + format_bytes(need.space->free_bytes) + " are free in " +
                                      folder.path().parent_path().string() + ", " + format_bytes(need.bytes) +
                                      " are needed; name another folder with TMPDIR");
}

PullBench prepare(Session& session, const BenchFolder& folder) {
  PullBench bench{.references = session.some_references("e.g. drover bench pull redis:7"),
                  .options = session.pull_options({.all = false, .wanted = {Platform::host()}}),
                  .tools = find_tools(BenchKind::pull, session.flags().tools, session.settings().registry.program_path)};
  require_one_platform(bench.options.platforms);
  const store::BlobStore empty = store::BlobStore::open(folder.renew("plan"), store::BlobStore::Access::write);
  bench.resolutions = registry::resolve_all(session.ctx(), session.registry(), empty, bench.references, bench.options);
  for (const registry::Resolutions::One& one : bench.resolutions.list) {
    if (one.error) throw Error(*one.error);
  }
  registry::PullPlan plan = registry::plan_pull(bench.resolutions, empty);
  stack::DiskNeed need = stack::store_need(plan, empty, folder.path());
  bench.forecast =
      stack::make_forecast(std::move(plan), session.registry(), bench.resolutions.spent.requests, std::move(need), std::nullopt);
  bench.cost = cost_of(bench, session.settings().repeat.value_or(repeat_default));
  return bench;
}

// As `drover pull` in a process of its own would: nothing is known of the registry, no connection is open.
double pull_anew(const Context& ctx, const Session& session, const BenchFolder& folder, const PullBench& bench) {
  store::BlobStore store = store::BlobStore::open(folder.renew("drover"), store::BlobStore::Access::write);
  Context quiet = ctx;
  quiet.progress = &Progress::none();
  const auto begin = std::chrono::steady_clock::now();
  const std::unique_ptr<Session> process = session.begin_anew();
  const registry::PullReport report = registry::pull(quiet, process->registry(), store, bench.references, bench.options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (const registry::PulledImage& image : report.images) {
    if (image.error) throw Error(*image.error);
  }
  return seconds;
}

// Layers and configs, each once, with the tokens of this moment.
std::vector<registry::BlobAddress> blob_addresses(const Context& ctx, registry::BlobAddresses& registries,
                                                  const PullBench& bench) {
  std::vector<registry::BlobAddress> addresses;
  std::set<Digest> seen;
  for (const registry::Resolutions::One& one : bench.resolutions.list) {
    for (const registry::ResolvedImage& image : one.resolved->images) {
      const Manifest& manifest = std::get<Manifest>(image.manifest.document);
      std::vector<Descriptor> blobs = manifest.layers;
      blobs.push_back(manifest.config);
      for (const Descriptor& blob : blobs) {
        if (seen.insert(blob.digest).second) addresses.push_back(registries.find(ctx, one.reference, blob));
      }
    }
  }
  return addresses;
}

RemoteImage::Trust trust_of(const registry::BlobAddress& address) {
  if (address.url.starts_with("http://")) return RemoteImage::Trust::plain_http;
  return address.tls.verify ? RemoteImage::Trust::verified : RemoteImage::Trust::unverified;
}

std::vector<RemoteImage> remote_images(const Context& ctx, registry::BlobAddresses& registries, const PullBench& bench) {
  std::vector<RemoteImage> images;
  for (const registry::Resolutions::One& one : bench.resolutions.list) {
    const Manifest& manifest = std::get<Manifest>(one.resolved->images.front().manifest.document);
    images.push_back({.reference = one.reference, .trust = trust_of(registries.find(ctx, one.reference, manifest.config))});
  }
  return images;
}

std::vector<GuestImage> guests_of(const PullBench& bench) {
  std::vector<GuestImage> guests;
  for (const registry::Resolutions::One& one : bench.resolutions.list) {
    GuestImage guest{.reference = one.reference, .ids = {one.resolved->root.descriptor.digest}};
    for (const registry::ResolvedImage& image : one.resolved->images) {
      guest.ids.insert({image.manifest.descriptor.digest, std::get<Manifest>(image.manifest.document).config.digest});
    }
    guests.push_back(std::move(guest));
  }
  return guests;
}

std::string note_of(const FoundTool& tool, std::size_t images) {
  if (tool.name == "curl") return "the same blobs, not verified";
  if (tool.name == "docker") return "and unpacks into the engine";
  if (tool.name == "skopeo" && images > 1) return "one image after the other";
  return {};
}

double run_pull_tool(const Context& ctx, registry::BlobAddresses& registries, const BenchFolder& folder, const PullBench& bench,
                     const FoundTool& tool, PullTask task) {
  task.folder = folder.renew(tool.name);
  if (tool.name == "curl")
    write_file_durably(curl_config_file(task), curl_config(blob_addresses(ctx, registries, bench), task), 0600);
  return run_tool(ctx, tool, pull_run(tool.name, task));
}

Contestant contestant_of(Session& session, registry::BlobAddresses& registries, const BenchFolder& folder, const PullBench& bench,
                         const FoundTool& tool, const PullTask& task) {
  Contestant contestant{
      .name = tool.name, .note = note_of(tool, bench.references.size()), .round = [&, tool, task](const Context& ctx) {
        return run_pull_tool(ctx, registries, folder, bench, tool, task);
      }};
  contestant.tidy = [&folder, name = tool.name](RoundEnd) { folder.remove(name); };
  if (tool.name == "docker") {
    contestant.check = [&session, guests = guests_of(bench)] { require_absent(session, guests); };
    contestant.round = [&, tool, task](const Context& ctx) {
      return run_pull_tool(ctx.without_stop(), registries, folder, bench, tool, task);
    };
    contestant.tidy = [&session, &folder, name = tool.name, guests = guests_of(bench)](RoundEnd end) {
      folder.remove(name);
      remove_guests(session.ctx(), session.engine(), guests, end);
    };
  }
  return contestant;
}

BenchTable measure(Session& session, const BenchFolder& folder, const PullBench& bench) {
  std::optional<FileLock> lock;
  registry::BlobAddresses registries(session.transport(), session.settings().registry);
  const PullTask task{.images = remote_images(session.ctx(), registries, bench),
                      .platform = bench.platform(),
                      .jobs = bench.options.jobs,
                      .folder = {},
                      .engine_words = docker_words(session.settings())};
  std::vector<Contestant> contestants = {{.name = "drover",
                                          .round = [&](const Context& ctx) { return pull_anew(ctx, session, folder, bench); },
                                          .tidy = [&](RoundEnd) { folder.remove("drover"); }}};
  for (const FoundTool& tool : bench.tools) {
    if (tool.name == "docker") {
      require_absent(session, guests_of(bench));
      lock = session.lock_for_loading();
    }
    contestants.push_back(contestant_of(session, registries, folder, bench, tool, task));
  }
  const std::string told = to_text(bench.cost);
  for (const std::string_view line : split(trim(told), '\n')) {
    session.ctx().progress->on({.kind = ProgressEvent::Kind::message, .phase = {}, .id = {}, .label = {}, .text = line});
  }
  return run_rounds(session.ctx(), contestants, bench.cost.rounds, bench.cost.bytes);
}

Json document_of(const PullBench& bench, const BenchTable& table) {
  Json images = Json::array();
  for (const registry::Resolutions::One& one : bench.resolutions.list) {
    images.push_back({{"reference", one.reference.to_string()},
                      {"digest", one.resolved->images.front().manifest.descriptor.digest.to_string()}});
  }
  Json json = {{"images", std::move(images)}, {"platform", bench.platform().to_string()}};
  json["bytes"] = table.bytes;
  json["repeat"] = bench.cost.rounds;
  json["tools"] = tools_json(table);
  return json;
}

ExitCode run_bench_pull(Session& session) {
  const BenchFolder folder(session.environment());
  const PullBench bench = prepare(session, folder);
  if (session.settings().dry_run) {
    session.output().set_document({{"plan", cost_json(bench.cost)}});
    session.output().write_text(to_text(bench.cost));
    return ExitCode::done;
  }
  require_quota(bench.cost);
  require_space(bench.forecast, folder);
  const BenchTable table = measure(session, folder, bench);
  session.output().set_document(document_of(bench, table));
  session.output().write_text(std::to_string(bench.references.size()) +
                              (bench.references.size() == 1 ? " image, " : " images, ") + bench.platform().to_string() + ", " +
                              format_bytes(table.bytes) + ", medians of " + std::to_string(bench.cost.rounds) + "\n" +
                              tools_text(table));
  std::vector<Error> failures;
  if (table.rows.front().failure) failures.push_back(*table.rows.front().failure);
  return session.finish(failures);
}

}  // namespace

Command bench_pull_command() {
  static const std::string choices = tool_choices(BenchKind::pull);
  return {
      .path = "bench pull",
      .group = "Caring commands",
      .summary = "how long a pull takes, beside the tools found on PATH",
      .details =
          "Each tool fetches the images into a temporary folder (below TMPDIR, else /var/tmp), in turn; medians. curl fetches "
          "the\n"
          "same blobs without verifying them. What will be fetched is said first; --dry-run says it and stops there. docker is\n"
          "asked for by name, and only for images that its engine has not; they are removed afterwards.",
      .example = "  drover bench pull --against skopeo,curl ghcr.io/acme/api:1.4",
      .positionals = {{"REF", &Flags::references, "image references"}},
      .options = {{"--against", &Flags::tools, "beside these tools, repeatable or with commas (default: all found but docker)",
                   choices},
                  {"--repeat", &Flags::repeat, "rounds (default 3)", "N"}},
      .run = run_bench_pull};
}

}  // namespace drover::cli
