// What does a plan of drover up cost, once the engine has been asked? A mail server's size: 18 services, nothing changed, two,
// and all.
#include "compose/reconcile.h"
#include "tests/compose/engine_model.h"

#include <benchmark/benchmark.h>

#include <string>

namespace {

using namespace drover::compose;

constexpr int services = 18;

// The first `changed` services have another image.
Project project_with(int changed) {
  std::string text = "networks:\n  back: {ipam: {config: [{subnet: 10.9.0.0/24}]}}\nvolumes:\n  data: \nservices:\n";
  for (int i = 0; i < services; ++i) {
    const std::string number = std::to_string(i);
    text += "  s" + number + ":\n    image: app:" + (i < changed ? "2" : "1") + "\n    restart: always\n    volumes: [\"/srv/s" +
            number + ":/conf:ro,z\", \"data:/data\"]\n";
    text += "    networks: {back: {aliases: [a" + number + "], ipv4_address: 10.9.0." + std::to_string(10 + i) +
            "}}\n    environment:\n";
    for (int variable = 0; variable < 13; ++variable)
      text += "      VARIABLE_" + std::to_string(variable) + ": \"value " + number + "\"\n";
    if (i > 0) text += "    depends_on: [s" + std::to_string(i / 2) + "]\n";
  }
  LoadOptions options;
  options.files = {"-"};
  options.working_directory = "/srv/mail";
  options.project_name = "mail";
  options.standard_input = text;
  return load_project(options);
}

void plan(benchmark::State& state) {
  EngineModel engine;
  engine.set_image("app:1", "app:1");
  engine.set_image("app:2", "app:2");
  engine.apply(reconcile(project_with(0), engine.state("mail"), {}));
  const Project project = project_with(static_cast<int>(state.range(0)));
  const ProjectState found = engine.state("mail");
  std::size_t steps = 0;
  for (auto _ : state) steps = reconcile(project, found, {}).steps.size();
  state.counters["steps"] = static_cast<double>(steps);
}

void load(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(project_with(0));
}

}  // namespace

BENCHMARK(plan)->Arg(0)->Arg(2)->Arg(services)->Unit(benchmark::kMillisecond);
BENCHMARK(load)->Unit(benchmark::kMillisecond);
BENCHMARK_MAIN();
