#include "digest/sha256_backend.h"

#include "base/error.h"
#include "base/text.h"

#include <cstdlib>
#include <string>
#include <string_view>

namespace drover {

namespace {

constexpr std::string_view last_resort = "portable";

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

bool is_known(std::string_view name, CpuFeatures have) {
  for (const Sha256Backend& row : sha256_backends) {
    if (name == row.name && is_runnable(row, have)) return true;
  }
  return false;
}

}  // namespace

bool is_permitted(const Sha256Backend& row, const char* wanted, CpuFeatures have) {
  const std::string_view name = as_name(wanted);
  return is_runnable(row, have) && (name.empty() || name == row.name || row.name == last_resort);
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
