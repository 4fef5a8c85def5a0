// What does deciding cost? Strict JSON beside the bare parser, which range comes next, what an engine lacks: all must vanish beside I/O.
#include "engine/load.h"
#include "manifest/manifest.h"
#include "manifest/media_type.h"
#include "registry/chunk_scheduler.h"

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include <string>

namespace {

using namespace drover;

Digest digest_of(std::size_t number) { return Digest::of(std::to_string(number)); }

std::string manifest_text(std::size_t layers) {
  const auto descriptor = [](std::string_view type, std::size_t number) {
    return R"({"mediaType":")" + std::string(type) + R"(","digest":")" + digest_of(number).to_string() + R"(","size":123456})";
  };
  std::string list;
  for (std::size_t i = 0; i < layers; ++i) list += (i == 0 ? "" : ",") + descriptor(media_type::oci_layer_gzip, i);
  return R"({"schemaVersion":2,"mediaType":")" + std::string(media_type::oci_manifest) + R"(","config":)" +
         descriptor(media_type::oci_config, layers) + R"(,"layers":[)" + list + "]}";
}

void manifest_strict(benchmark::State& state) {
  const std::string text = manifest_text(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(parse_document(text, media_type::oci_manifest));
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}

void manifest_bare_json(benchmark::State& state) {
  const std::string text = manifest_text(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(nlohmann::json::parse(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}

// Every range of that many blobs of 100 MiB, handed out and returned.
void schedule_ranges(benchmark::State& state) {
  std::int64_t requests = 0;
  for (auto _ : state) {
    registry::ChunkScheduler scheduler;
    for (std::int64_t i = 0; i < state.range(0); ++i) scheduler.add(100U << 20U, {});
    while (const auto request = scheduler.next({.bytes_per_second = 20e6, .all_bytes_per_second = 160e6, .round_trip_seconds = 0.04})) {
      scheduler.returned(*request, request->range.end);
      ++requests;
    }
  }
  state.SetItemsProcessed(requests);
}

// An image of 60 layers against an engine with that many layer stacks.
void plan_load(benchmark::State& state) {
  const Descriptor root{.media_type = std::string(media_type::oci_manifest), .digest = digest_of(0), .size = 1, .platform = {}, .annotations = {}, .urls = {}};
  const auto manifest = std::get<Manifest>(parse_document(manifest_text(60), media_type::oci_manifest));
  engine::LoadImage image{.reference = Reference::parse("redis:7"),
                          .root = root,
                          .image = {.platform = Platform::parse("linux/amd64"), .manifest = root, .parsed = manifest},
                          .config = {}};
  for (std::size_t i = 0; i < 60; ++i) image.config.diff_ids.push_back(digest_of(1000 + i));
  engine::Inventory inventory;
  for (std::int64_t i = 0; i < state.range(0); ++i) inventory.chain_ids.insert(digest_of(100000 + static_cast<std::size_t>(i)));
  for (auto _ : state) benchmark::DoNotOptimize(engine::plan_load(image, inventory));
}

}  // namespace

BENCHMARK(manifest_strict)->Arg(5)->Arg(100);
BENCHMARK(manifest_bare_json)->Arg(5)->Arg(100);
BENCHMARK(schedule_ranges)->Arg(10)->Arg(1000);
BENCHMARK(plan_load)->Arg(100)->Arg(10000);
BENCHMARK_MAIN();
