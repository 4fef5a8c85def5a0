#include "manifest/selection.h"

#include "base/text.h"
#include "manifest/media_type.h"

#include <algorithm>
#include <limits>

namespace drover {

namespace {

constexpr std::size_t listed_platforms_max = 20;
constexpr std::size_t no_platform_rank = std::numeric_limits<std::size_t>::max();

bool is_attestation(const Descriptor& entry) {
  const auto type = entry.annotations.find("vnd.docker.reference.type");
  return type != entry.annotations.end() && type->second == "attestation-manifest";
}

// The artifactType of an image is the media type of its configuration (OCI image-spec v1.1 descriptor.md).
bool is_artifact(const Descriptor& entry) {
  const std::string type = parse_media_type(entry.artifact_type);
  return !entry.artifact_type.empty() && type != media_type::oci_config && type != media_type::docker_config;
}

struct Verdict {
  std::optional<std::size_t> rank;
  std::string reason;
};

// Why an entry is no image of any platform; empty where it is one.
std::string skip_reason(const Descriptor& entry) {
  if (is_schema1_media_type(entry.media_type)) return "skipped, schema 1 is not supported";
  if (!is_index_media_type(entry.media_type) && !is_manifest_media_type(entry.media_type)) return "skipped, not an image but " + entry.media_type;
  if (is_attestation(entry)) return "skipped, attestation";
  if (is_artifact(entry)) return "skipped, artifact of type " + printable(entry.artifact_type, 80);
  if (entry.platform && entry.platform->is_unknown()) return "skipped, unknown platform";
  return {};
}

Verdict judge(const Descriptor& entry, const Platform& wanted) {
  if (std::string reason = skip_reason(entry); !reason.empty()) return {std::nullopt, std::move(reason)};
  if (!entry.platform) return {no_platform_rank, "names no platform, tried last"};
  if (const auto rank = match_rank(wanted, *entry.platform)) return {rank, "fits (rank " + std::to_string(*rank) + ")"};
  return {std::nullopt, "does not run on " + wanted.to_string()};
}

std::string line_of(const Descriptor& entry) {
  const std::string platform = entry.platform ? printable(entry.platform->to_string(), 80) : "-";
  return platform + ' ' + std::string(entry.digest.algorithm_name()) + ':' + entry.digest.short_hex() + ": ";
}

std::string chosen_reason(std::size_t rank) {
  return rank == no_platform_rank ? "chosen (names no platform, nothing better)" : "chosen (rank " + std::to_string(rank) + ")";
}

}  // namespace

Selection select_manifest(const Index& index, const Platform& wanted) {
  struct Candidate {
    std::size_t rank;
    std::size_t position;
  };
  std::vector<Candidate> candidates;
  Selection selection;
  for (std::size_t i = 0; i < index.manifests.size(); ++i) {
    Verdict verdict = judge(index.manifests[i], wanted);
    if (verdict.rank) candidates.push_back({*verdict.rank, i});
    selection.reasons.push_back(line_of(index.manifests[i]) + verdict.reason);
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.rank < b.rank; });
  for (const Candidate& candidate : candidates) selection.candidates.push_back(index.manifests[candidate.position]);
  if (candidates.empty()) return selection;
  const auto [rank, position] = candidates.front();
  selection.chosen = index.manifests[position];
  selection.reasons[position] = line_of(*selection.chosen) + chosen_reason(rank);
  return selection;
}

std::string list_platforms(const Index& index) {
  std::vector<std::string> names;
  std::size_t more = 0;
  for (const Descriptor& entry : index.manifests) {
    if (!entry.platform || !skip_reason(entry).empty()) continue;
    std::string name = printable(entry.platform->to_string(), 80);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    if (names.size() < listed_platforms_max) names.push_back(std::move(name));
    else ++more;
  }
  return join(names, ", ") + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

}  // namespace drover
