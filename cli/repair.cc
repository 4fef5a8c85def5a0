#include "cli/repair.h"

#include "manifest/manifest.h"

#include <algorithm>
#include <set>

namespace drover::cli {
namespace {

bool is_faulty(const Digest& digest, const store::VerifyReport& report) {
  const auto names = [&](const store::BlobFault& fault) { return fault.digest == digest; };
  return std::any_of(report.damaged.begin(), report.damaged.end(), names) || std::any_of(report.missing.begin(), report.missing.end(), names);
}

// Pulls by digest, so that a tag that has moved at the registry does not change what the store says it holds.
std::vector<Error> pull_again(const Context& ctx, registry::Client& registry, store::BlobStore& store, const store::Tag& tag,
                              const registry::PullOptions& options) {
  const Reference pinned = Reference::parse(tag.name).with_digest(tag.descriptor.digest);
  const bool had_pinned_tag = store.find_tag(pinned.to_string()).has_value();
  const registry::PullReport report = registry::pull(ctx, registry, store, {pinned}, options);
  if (!had_pinned_tag) store.remove_tag(pinned.to_string());
  std::vector<Error> failures;
  for (const registry::PulledImage& image : report.images) {
    if (image.error) failures.push_back(*image.error);
  }
  return failures;
}

void distrust_damaged(store::BlobStore& store, const store::VerifyReport& report) {
  std::vector<Digest> digests;
  for (const store::BlobFault& fault : report.damaged) digests.push_back(fault.digest);
  store.distrust(digests);
}

// While a damaged index hides what it names, nobody knows what is needed: the caller calls this when all that tags need is well.
std::vector<Digest> discard_unneeded(store::BlobStore& store, const store::VerifyReport& report) {
  std::vector<Digest> removed;
  for (const store::BlobFault& fault : report.damaged) {
    if (!fault.needed_by.empty()) continue;
    store.discard(fault.digest);
    removed.push_back(fault.digest);
  }
  return removed;
}

}  // namespace

std::vector<std::string> tags_to_repair(const store::VerifyReport& report) {
  std::set<std::string> names;
  for (const auto* faults : {&report.damaged, &report.missing}) {
    for (const store::BlobFault& fault : *faults) names.insert(fault.needed_by.begin(), fault.needed_by.end());
  }
  return {names.begin(), names.end()};
}

registry::PlatformChoice held_platforms(const store::BlobStore& store, const Descriptor& root, const store::VerifyReport& report,
                                        const registry::PlatformChoice& fallback) {
  if (is_faulty(root.digest, report)) return fallback;
  const Document document = parse_document(store.read(root.digest, manifest_bytes_max), root.media_type);
  const auto* index = std::get_if<Index>(&document);
  if (index == nullptr) return {.all = true, .wanted = {}};  // one manifest: all of it
  registry::PlatformChoice held;
  for (const Descriptor& child : index->manifests) {
    if (!child.platform || child.platform->is_unknown()) continue;
    if (store.find_size(child.digest) || is_faulty(child.digest, report)) held.wanted.push_back(*child.platform);
  }
  return held.wanted.empty() ? fallback : held;
}

RepairRound repair(const Context& ctx, registry::Client& registry, store::BlobStore& store, const store::VerifyReport& report,
                   const registry::PullOptions& options) {
  RepairRound round;
  std::vector<std::pair<store::Tag, registry::PullOptions>> pulls;
  for (const std::string& name : tags_to_repair(report)) {
    const auto tag = store.find_tag(name);
    if (!tag) continue;  // somebody removed it since
    registry::PullOptions tag_options = options;
    try {
      tag_options.platforms = held_platforms(store, tag->descriptor, report, options.platforms);
    } catch (Error& error) {
      round.failures.push_back(error.add_frame("cannot repair " + name));
      continue;
    }
    pulls.emplace_back(*tag, tag_options);
  }
  if (pulls.empty() && round.failures.empty() && report.unusable.empty()) {
    round.removed = discard_unneeded(store, report);
    return round;
  }
  distrust_damaged(store, report);
  for (const auto& [tag, tag_options] : pulls) {
    try {
      const std::vector<Error> more = pull_again(ctx, registry, store, tag, tag_options);
      round.failures.insert(round.failures.end(), more.begin(), more.end());
    } catch (Error& error) {
      if (error.code() == ErrorCode::interrupted || error.code() == ErrorCode::io || error.code() == ErrorCode::no_space) throw;
      round.failures.push_back(error.add_frame("cannot repair " + tag.name));
    }
  }
  store.distrust({});
  return round;
}

}  // namespace drover::cli
