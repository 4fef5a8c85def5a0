#include "cli/bench_kernels.h"

#include "cli/bench_figures.h"
#include "cli/table.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <utility>

namespace drover::cli {
namespace {

Sha256Choice choice_by(const std::vector<KernelRate>& rates) {
  std::vector<Sha256Figure> figures;
  for (const KernelRate& rate : rates) {
    if (rate.row != nullptr) figures.push_back({.row = rate.row, .per_byte = 1 / rate.bytes_per_second});
  }
  return Sha256Choice(figures);
}

std::vector<KernelRate> medians_of(const std::vector<Sha256Rates>& rates) {
  std::vector<KernelRate> medians;
  std::optional<double> openssl;
  for (const Sha256Rates& each : rates) {
    medians.push_back({.row = each.row, .bytes_per_second = median(each.bytes_per_second).value(), .to_openssl = {}});
    if (each.row == nullptr) openssl = medians.back().bytes_per_second;
  }
  for (KernelRate& rate : medians) {
    if (openssl) rate.to_openssl = rate.bytes_per_second / *openssl;
  }
  return medians;
}

}  // namespace

KernelBench bench_of(const std::vector<Sha256Rates>& rates, std::string cpu, std::string openssl,
                     const Sha256ChoiceInUse& in_use) {
  std::vector<KernelRate> medians = medians_of(rates);
  const Sha256Choice by_these = choice_by(medians);
  return {
      .cpu = std::move(cpu), .openssl = std::move(openssl), .rates = std::move(medians), .in_use = in_use, .by_these = by_these};
}

Json kernels_json(const KernelBench& bench) {
  const auto ratio_or_null = [](const std::optional<double>& ratio) {
    return ratio ? Json(std::round(*ratio * 1e4) / 1e4) : Json(nullptr);
  };
  Json json = {{"cpu", bench.cpu}};
  json["openssl"] = nullptr;
  Json kernels = Json::array();
  for (const KernelRate& rate : bench.rates) {
    const long long rounded = std::llround(rate.bytes_per_second);
    if (rate.row == nullptr) {
      json["openssl"] = {{"version", bench.openssl}, {"bytesPerSecond", rounded}};
    } else {
      kernels.push_back({{"name", rate.row->name},
                         {"lanes", rate.row->lanes},
                         {"bytesPerSecond", rounded},
                         {"toOpenssl", ratio_or_null(rate.to_openssl)}});
    }
  }
  json["kernels"] = std::move(kernels);
  json["byStreams"] = streams_json(bench.in_use.choice);
  json["figures"] = source_name(bench.in_use.source);
  json["byTheseFigures"] = streams_json(bench.by_these);
  return json;
}

std::string kernels_text(const KernelBench& bench) {
  Table table({"KERNEL", "LANES", "RATE", "OF OPENSSL"});
  for (const KernelRate& rate : bench.rates) {
    const std::string name = rate.row == nullptr ? bench.openssl : std::string(rate.row->name);
    table.add({name, std::to_string(rate.row == nullptr ? 1 : rate.row->lanes), rate_text(rate.bytes_per_second),
               rate.to_openssl ? ratio_text(*rate.to_openssl) : "-"});
  }
  const std::string in_use = streams_text(bench.in_use.choice);
  const std::string by_these = streams_text(bench.by_these);
  std::string text = bench.cpu + "\n" + table.to_string() + "by streams: " + in_use + " (" +
                     std::string(source_name(bench.in_use.source)) + ")\n";
  if (by_these != in_use) text += "by these figures: " + by_these + "\n";
  return text;
}

}  // namespace drover::cli
