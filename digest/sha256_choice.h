// Which row hashes how many streams fastest: decided from figures, which a table has for kinds of CPU, or which were measured here.
//
// Pure: nothing here looks at the machine. What is in use: digest/sha256_figures.h.
#pragma once

#include "digest/cpu_model.h"
#include "digest/sha256_backend.h"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace drover {

// What a row takes for a byte while all of its lanes are busy; the unit is free, but the same in one set of figures.
struct Sha256Figure {
  const Sha256Backend* row;
  double per_byte;
};

// The rows that are permitted (is_permitted), with what the table says in cycles. Never empty, and one row has one lane.
std::vector<Sha256Figure> table_figures(const CpuModel& cpu, CpuFeatures have, const char* wanted);

class Sha256Choice {
 public:
  // `figures` as table_figures gives them: every figure positive, at least one row of one lane.
  explicit Sha256Choice(std::span<const Sha256Figure> figures);

  // For that many streams (1 or more) that have blocks ready. A row with more lanes works for nobody in the rest of them; of a row
  // with fewer, the streams take turns. So a row takes per_byte * max(lanes, live) for a byte of every stream.
  const Sha256Backend& row_for(std::size_t live) const { return *rows_[(live < rows_.size() ? live : rows_.size()) - 1]; }

 private:
  std::array<const Sha256Backend*, sha256_lanes_max> rows_;  // by live - 1; the last also for more
};

}  // namespace drover
