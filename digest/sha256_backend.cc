#include "digest/sha256_backend.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

namespace drover {

namespace {

// The first row for one stream that needs nothing of the CPU.
const Sha256Backend& last_resort() {
  return *std::find_if(std::begin(sha256_backends), std::end(sha256_backends),
                       [](const Sha256Backend& row) { return row.lanes == 1 && row.needs == feature::none; });
}

std::string_view as_name(const char* wanted) { return wanted != nullptr ? wanted : ""; }

std::string list_names(CpuFeatures have) {
  std::string names;
  std::string_view last;
  for (const Sha256Backend& row : sha256_backends) {
    if (row.name == last) continue;
    last = row.name;
    if (!names.empty()) names += ", ";
    names += row.name;
    if (!is_runnable(row, have)) names += " (not on this CPU)";
  }
  return names;
}

bool has_row_for_one(std::string_view name, CpuFeatures have) {
  return std::any_of(std::begin(sha256_backends), std::end(sha256_backends),
                     [&](const Sha256Backend& row) { return name == row.name && row.lanes == 1 && is_runnable(row, have); });
}

bool is_known(std::string_view name, CpuFeatures have) {
  for (const Sha256Backend& row : sha256_backends) {
    if (name == row.name && is_runnable(row, have)) return true;
  }
  return false;
}

}  // namespace

bool is_permitted(const Sha256Backend& row, const char* wanted, CpuFeatures have) {
  const std::string_view name = as_name(wanted);
  if (!is_runnable(row, have)) return false;
  return name.empty() || name == row.name || (&row == &last_resort() && !has_row_for_one(name, have));
}

const Sha256Backend& choose_sha256_backend(const char* wanted, CpuFeatures have) {
  const std::string_view name = as_name(wanted);
  if (name.empty() || is_known(name, have)) {
    for (const Sha256Backend& row : sha256_backends) {
      if (row.lanes == 1 && is_permitted(row, wanted, have)) return row;
    }
  }
  throw Error(ErrorCode::usage, "cannot use DROVER_SHA256=" + printable(name, 40) + ": the rows are " + list_names(have));
}

const char* wanted_sha256_backend() {
  static const char* const wanted = std::getenv("DROVER_SHA256");
  return wanted;
}

const Sha256Backend& sha256_backend() {
  static const Sha256Backend& chosen = choose_sha256_backend(wanted_sha256_backend(), cpu_features());
  return chosen;
}

}  // namespace drover
