#include "cli/bench_figures.h"

#include "base/text.h"
#include "cli/table.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace drover::cli {
namespace {

double rounded_to(double value, double steps) {
  return std::round(value * steps) / steps;
}

std::string decimals(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::optional<double> drover_to(const BenchRow& row, const BenchTable& table) {
  const std::optional<double> own = median(table.rows.front().seconds);
  const std::optional<double> other = median(row.seconds);
  if (&row == &table.rows.front() || !own || !other || *other <= 0) return std::nullopt;
  return *own / *other;
}

std::optional<double> rate_of(const BenchRow& row, std::uint64_t bytes) {
  const std::optional<double> seconds = median(row.seconds);
  if (!seconds || *seconds <= 0) return std::nullopt;
  return static_cast<double>(bytes) / *seconds;
}

std::string remark_of(const BenchRow& row, const BenchTable& table) {
  std::vector<std::string> remarks;
  if (const auto ratio = drover_to(row, table)) remarks.push_back("drover takes " + ratio_text(*ratio) + " of it");
  if (!row.note.empty()) remarks.push_back(row.note);
  if (row.failure) remarks.push_back("failed: " + printable(row.failure->what()));
  return join(remarks, "; ");
}

}  // namespace

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string rate_text(double bytes_per_second) {
  return decimals("%.0f MB/s", bytes_per_second / 1e6);
}

std::string ratio_text(double ratio) {
  return decimals("%.2fx", ratio);
}

Json tools_json(const BenchTable& table) {
  const auto number_or_null = [](const std::optional<double>& number, double steps) {
    return number ? Json(rounded_to(*number, steps)) : Json(nullptr);
  };
  Json list = Json::array();
  for (const BenchRow& row : table.rows) {
    Json all = Json::array();
    for (const double seconds : row.seconds) all.push_back(rounded_to(seconds, 1e6));
    Json entry = {{"tool", row.tool}, {"seconds", number_or_null(median(row.seconds), 1e6)}, {"all", std::move(all)}};
    const std::optional<double> rate = rate_of(row, table.bytes);
    entry["bytesPerSecond"] = rate ? Json(std::llround(*rate)) : Json(nullptr);
    entry["droverToTool"] = number_or_null(drover_to(row, table), 1e4);
    if (!row.note.empty()) entry["note"] = row.note;
    if (row.failure) entry["error"] = error_json(*row.failure);
    list.push_back(std::move(entry));
  }
  return list;
}

std::string tools_text(const BenchTable& table) {
  Table lines({"TOOL", "TIME", "RATE", ""});
  for (const BenchRow& row : table.rows) {
    const std::optional<double> seconds = median(row.seconds);
    const std::optional<double> rate = rate_of(row, table.bytes);
    lines.add({row.tool, seconds ? decimals("%.3f s", *seconds) : "-", rate ? rate_text(*rate) : "-", remark_of(row, table)});
  }
  return lines.to_string();
}

}  // namespace drover::cli
