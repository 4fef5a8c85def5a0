#include "cli/version.h"

#include "digest/sha256.h"

#include <nlohmann/json.hpp>

#include <string_view>

namespace drover::cli {
namespace {

// From which number of streams on which row is taken, until the next one.
struct Range {
  std::size_t from;
  const Sha256Backend* row;
};

std::vector<Range> ranges_of(const Sha256Choice& choice) {
  std::vector<Range> ranges;
  for (std::size_t live = 1; live <= sha256_lanes_max; ++live) {
    const Sha256Backend* row = &choice.row_for(live);
    if (ranges.empty() || ranges.back().row != row) ranges.push_back({.from = live, .row = row});
  }
  return ranges;
}

std::string width_of(const Sha256Backend& row) { return " x" + std::to_string(row.lanes); }

// "shani x1 x2 x3 x4, avx512 x16, portable x1"
std::string rows_text(const std::vector<const Sha256Backend*>& rows) {
  std::string text;
  std::string_view last;
  for (const Sha256Backend* row : rows) {
    if (row->name != last) text += (text.empty() ? "" : ", ") + std::string(row->name);
    text += width_of(*row);
    last = row->name;
  }
  return text;
}

}  // namespace

std::string streams_text(const Sha256Choice& choice) {
  const std::vector<Range> ranges = ranges_of(choice);
  std::string text;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const std::size_t from = ranges[i].from;
    if (!text.empty()) text += ", ";
    text += std::to_string(from);
    if (i + 1 == ranges.size()) text += '+';
    else if (ranges[i + 1].from - 1 > from) text += '-' + std::to_string(ranges[i + 1].from - 1);
    text += ": " + std::string(ranges[i].row->name) + width_of(*ranges[i].row);
  }
  return text;
}

nlohmann::ordered_json streams_json(const Sha256Choice& choice) {
  auto list = nlohmann::ordered_json::array();
  for (const Range& range : ranges_of(choice)) list.push_back({{"from", range.from}, {"name", range.row->name}, {"lanes", range.row->lanes}});
  return list;
}

std::string_view source_name(FigureSource source) { return source == FigureSource::measured ? "measured" : "table"; }

KernelView KernelView::real() {
  KernelView view{.one = std::string(sha256_backend_name()), .usable = {}, .in_use = known_sha256_choice()};
  for (const Sha256Backend& row : sha256_backends) {
    if (is_permitted(row, wanted_sha256_backend(), cpu_features())) view.usable.push_back(&row);
  }
  return view;
}

std::string kernels_text(const KernelView& view) {
  return "sha256 kernel: " + view.one + "\nsha256 kernels usable: " + rows_text(view.usable) +
         "\nsha256 kernel by streams: " + streams_text(view.in_use.choice) + " (" +
         std::string(source_name(view.in_use.source)) + ")\n";
}

void add_kernels(nlohmann::ordered_json& json, const KernelView& view) {
  json["sha256"] = view.one;
  auto& rows = json["sha256Rows"] = nlohmann::ordered_json::array();
  for (const Sha256Backend* row : view.usable) rows.push_back({{"name", row->name}, {"lanes", row->lanes}});
  json["sha256ByStreams"] = streams_json(view.in_use.choice);
  json["sha256Figures"] = source_name(view.in_use.source);
}

}  // namespace drover::cli
