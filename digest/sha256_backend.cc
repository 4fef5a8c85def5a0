#include "digest/sha256_backend.h"

#include "base/error.h"
#include "base/text.h"

#include <cstdlib>
#include <string>
#include <string_view>

namespace drover {

namespace {

std::string list_rows(CpuFeatures have) {
  std::string names;
  for (const Sha256Backend& row : sha256_backends) {
    if (!names.empty()) names += ", ";
    names += row.name;
    if (!is_runnable(row, have)) names += " (not on this CPU)";
  }
  return names;
}

}  // namespace

const Sha256Backend& choose_sha256_backend(const char* wanted, CpuFeatures have) {
  const std::string_view name = wanted != nullptr ? wanted : "";
  for (const Sha256Backend& row : sha256_backends) {
    if (name.empty() ? is_runnable(row, have) : name == row.name && is_runnable(row, have)) return row;
  }
  throw Error(ErrorCode::usage, "cannot use DROVER_SHA256=" + printable(name, 40) + ": the rows are " + list_rows(have));
}

const Sha256Backend& sha256_backend() {
  static const Sha256Backend& chosen = choose_sha256_backend(std::getenv("DROVER_SHA256"), cpu_features());
  return chosen;
}

}  // namespace drover
