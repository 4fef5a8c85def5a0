#include "store/verify.h"

#include "base/error.h"
#include "base/text.h"
#include "manifest/media_type.h"
#include "store/blob_file.h"
#include "store/closure.h"
#include "store/hash_blobs.h"

#include <algorithm>
#include <map>
#include <set>

namespace drover::store {
namespace {

struct Need {
  Descriptor descriptor;
  std::vector<std::string> tags;
};

struct Needs {
  std::map<Digest, Need> blobs;
  // Tags whose documents could be read wrongly or not at all; what is wrong with the bytes is found by hashing them.
  std::vector<std::pair<std::string, ClosureProblem>> problems;
};

Needs read_needs(const BlobStore& store) {
  Needs needs;
  for (const Tag& tag : store.tags()) {
    LenientClosure found = read_closure_leniently(store.root(), tag.descriptor);
    for (const Descriptor& blob : found.closure.blobs) {
      needs.blobs.try_emplace(blob.digest, Need{.descriptor = blob, .tags = {}}).first->second.tags.push_back(tag.name);
    }
    for (ClosureProblem& problem : found.problems) needs.problems.emplace_back(tag.name, std::move(problem));
  }
  return needs;
}

BlobFault make_fault(const Needs& needs, const Digest& digest, std::string why) {
  BlobFault fault{.digest = digest, .descriptor = std::nullopt, .why = std::move(why), .needed_by = {}};
  const auto need = needs.blobs.find(digest);
  if (need != needs.blobs.end()) {
    fault.descriptor = need->second.descriptor;
    fault.needed_by = need->second.tags;
  }
  return fault;
}

void check_blobs(const Context& ctx, const BlobStore& store, const Needs& needs, const std::vector<StoredBlob>& blobs, std::size_t jobs,
                 VerifyReport& report) {
  const std::vector<BlobFinding> findings = hash_blobs(ctx, store.root(), blobs, jobs);
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    ++report.checked;
    report.bytes += findings[i].bytes;
    if (findings[i].why) report.damaged.push_back(make_fault(needs, blobs[i].digest, *findings[i].why));
  }
  std::sort(report.damaged.begin(), report.damaged.end(), [](const BlobFault& a, const BlobFault& b) { return a.digest < b.digest; });
}

bool is_named(const std::vector<BlobFault>& faults, const Digest& digest) {
  return std::any_of(faults.begin(), faults.end(), [&](const BlobFault& fault) { return fault.digest == digest; });
}

void add_tag_faults(const BlobStore& store, const Needs& needs, VerifyReport& report) {
  const auto is_reported = [&](const Digest& digest) { return is_named(report.damaged, digest) || is_named(report.missing, digest); };
  std::map<std::string, std::string> faults;  // the first of each tag
  for (const auto& [tag, problem] : needs.problems) {
    if (!is_reported(problem.descriptor.digest)) faults.try_emplace(tag, problem.error.what());
  }
  for (const auto& [digest, need] : needs.blobs) {
    const std::optional<std::uint64_t> size = store.find_size(digest);
    if (!size || *size == need.descriptor.size || is_reported(digest)) continue;
    for (const std::string& tag : need.tags) {
      faults.try_emplace(tag, "blob " + digest.to_string() + " has " + std::to_string(*size) + " bytes, its descriptor says " +
                                  std::to_string(need.descriptor.size));
    }
  }
  for (const auto& [name, why] : faults) report.unusable.push_back({.name = name, .why = why});
}

std::string describe(const BlobFault& fault) {
  const std::string needed = fault.needed_by.empty() ? "no image" : join(fault.needed_by, ", ");
  return fault.digest.to_string() + ": " + fault.why + "; needed by " + needed + "\n";
}

}  // namespace

VerifyReport verify(const Context& ctx, const BlobStore& store, const VerifyOptions& options) {
  const auto start = ctx.clock->now();
  VerifyReport report;
  const Needs needs = read_needs(store);
  BlobListing listing = list_blobs(store.root());
  check_blobs(ctx, store, needs, listing.blobs, options.jobs, report);
  for (const auto& [digest, need] : needs.blobs) {
    if (store.find_size(digest)) continue;
    if (is_foreign_layer_media_type(need.descriptor.media_type)) {
      report.left_out.push_back(make_fault(needs, digest, "a non-distributable layer, which its registry need not serve"));
    } else {
      report.missing.push_back(make_fault(needs, digest, "it is not in the store"));
    }
  }
  add_tag_faults(store, needs, report);
  report.foreign = std::move(listing.foreign);
  report.seconds = std::chrono::duration<double>(ctx.clock->now() - start).count();
  return report;
}

std::string to_text(const VerifyReport& report) {
  std::string text;
  for (const BlobFault& fault : report.damaged) text += "damaged " + describe(fault);
  for (const BlobFault& fault : report.missing) text += "missing " + describe(fault);
  for (const BlobFault& fault : report.left_out) text += "left out " + describe(fault);
  for (const TagFault& fault : report.unusable) text += "unusable " + fault.name + ": " + printable(fault.why) + "\n";
  for (const std::string& path : report.foreign) text += "foreign " + printable(path) + ": not a blob, left alone\n";
  text += std::to_string(report.checked) + " blobs, " + format_bytes(report.bytes) + " in " + format_seconds(report.seconds) + ": " +
          (report.is_sound() ? "sound"
                             : std::to_string(report.damaged.size()) + " damaged, " + std::to_string(report.missing.size()) + " missing, " +
                                   std::to_string(report.unusable.size()) + " unusable") +
          "\n";
  return text;
}

}  // namespace drover::store
