// Which entry of an index a platform takes, and why.
#pragma once

#include "manifest/manifest.h"
#include "manifest/platform.h"

#include <optional>
#include <string>
#include <vector>

namespace drover {

struct Selection {
  std::optional<Descriptor> chosen;
  // Every entry that can be taken, best first; the chosen one is the first. The caller tries the next where an entry without a platform
  // turns out, by its configuration, to be for another.
  std::vector<Descriptor> candidates;
  // A line an entry, in index order, for --explain: "linux/arm64 sha256:…: chosen (rank 0)", "unknown/unknown sha256:…: skipped, attestation".
  std::vector<std::string> reasons;
};

// Best rank first, then index order. Attestations and artifacts are skipped; entries without a platform come last (nested indexes
// without a platform are the caller's to descend into).
Selection select_manifest(const Index& index, const Platform& wanted);

// "linux/amd64, linux/arm64": for error messages.
std::string list_platforms(const Index& index);

}  // namespace drover
