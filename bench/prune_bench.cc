// What does a plan of drover gc cost? Deciding alone, and the whole of it on a fake engine: 1,000 images, 500 containers, 500 volumes.
#include "engine/take_snapshot.h"
#include "stack/prune.h"
#include "tests/engine/engine_client.h"
#include "tests/support/temp_dir.h"

#include <benchmark/benchmark.h>

#include <string>

namespace {

using namespace drover;

constexpr std::size_t images = 1000;
constexpr std::size_t containers = 500;
constexpr std::size_t volumes = 500;

std::string id_of(std::size_t number) { return Digest::of("image " + std::to_string(number)).to_string(); }

// Ten bases of five layers, below a layer or two of each image's own; every second image has lost its name.
void fill(test::FakeEngine& engine) {
  for (std::size_t i = 0; i < images; ++i) {
    test::FakeEngineImage image{.id = id_of(i), .tags = {}, .digests = {}, .diff_ids = {}, .bytes = 600, .layer_bytes = {100, 100, 100, 100, 100, 100}};
    if (i % 2 == 0) image.tags = {"app" + std::to_string(i % 100) + ":" + std::to_string(i)};
    for (std::size_t layer = 0; layer < 5; ++layer) image.diff_ids.push_back(Digest::of("base " + std::to_string(i % 10) + std::to_string(layer)).to_string());
    image.diff_ids.push_back(Digest::of("own " + std::to_string(i)).to_string());
    image.last_tag_time = "2020-01-01T00:00:00Z";
    engine.add_image(std::move(image));
  }
  engine.with_objects([](test::FakeObjects& objects) {
    for (std::size_t i = 0; i < containers; ++i) {
      const std::string number = std::to_string(i);
      test::FakeContainer container{.id = "c" + number, .name = "c" + number, .image = "app" + number + ":" + number, .image_id = id_of(i), .state = i % 3 == 0 ? "exited" : "running"};
      if (i % 5 != 0) container.labels = {{"com.docker.compose.project", "p" + std::to_string(i % 20)}, {"com.docker.compose.service", "s" + number}};
      container.volumes = {"v" + number};
      objects.containers[container.id] = std::move(container);
    }
    for (std::size_t i = 0; i < volumes; ++i) objects.volumes["v" + std::to_string(i)] = {.name = "v" + std::to_string(i)};
  });
}

const stack::PrunePolicy everything{.kinds = {stack::PruneKind::container, stack::PruneKind::image, stack::PruneKind::network, stack::PruneKind::volume}};

void look_and_plan(benchmark::State& state) {
  test::EngineClient engine({.api_version = "1.43", .version = "24.0.0"});
  fill(engine.fake);
  const test::TempDir folder("bench");
  const stack::StateFolder memory(folder / "state");
  std::size_t runs = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(stack::read_prune_plan(engine.ctx, *engine.client, memory, everything, {}, 8));
    ++runs;
  }
  state.counters["round_trips"] = static_cast<double>(engine.fake.targets().size()) / static_cast<double>(runs);
}

void decide(benchmark::State& state) {
  test::EngineClient engine({.api_version = "1.43", .version = "24.0.0"});
  fill(engine.fake);
  const engine::Snapshot snapshot = engine::take_snapshot(engine.ctx, *engine.client, {.image_details = true});
  for (auto _ : state) benchmark::DoNotOptimize(stack::plan_prune(snapshot, {}, everything, std::chrono::system_clock::now()));
}

}  // namespace

BENCHMARK(look_and_plan)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(decide)->Unit(benchmark::kMillisecond);
BENCHMARK_MAIN();
