#include "store/verify.h"

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "store/blob_file.h"
#include "store/closure.h"

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

class BlobChecker {
 public:
  BlobChecker(const std::filesystem::path& root, const StoredBlob& blob) : path_(blob_path(root, blob.digest)), blob_(blob) {}

  // Why it is damaged; nothing when it is sound. `found` is its size in bytes, zero when it has gone meanwhile.
  std::optional<std::string> check(const Context& ctx, std::uint64_t& found) {
    const std::string id = blob_.digest.to_string();
    ProgressEvent event{.kind = ProgressEvent::Kind::started, .phase = "verify", .id = id, .label = id, .done = 0, .total = blob_.size, .text = {}};
    ctx.progress->on(event);
    std::optional<std::string> why = hash(ctx, event);
    found = event.done;
    event.kind = why ? ProgressEvent::Kind::failed : ProgressEvent::Kind::finished;
    event.text = why ? std::string_view(*why) : std::string_view();
    ctx.progress->on(event);
    return why;
  }

 private:
  std::optional<std::string> hash(const Context& ctx, ProgressEvent& event) const {
    try {
      const std::optional<OpenBlob> file = open_blob(path_);
      if (!file) return std::nullopt;  // discarded by another process since it was listed; missing, if anything
      event.kind = ProgressEvent::Kind::advanced;
      const Digest actual = hash_file(ctx, *file, blob_.digest.algorithm(), path_, [&](std::uint64_t n) {
        event.done += n;
        ctx.progress->on(event);
      });
      if (actual == blob_.digest) return std::nullopt;
      return "its " + std::to_string(event.done) + " bytes have digest " + actual.to_string();
    } catch (const Error& e) {
      if (e.code() == ErrorCode::interrupted) throw;
      return std::string(e.what());  // a disk that cannot read it: as good as damaged
    }
  }

  std::filesystem::path path_;
  StoredBlob blob_;
};

void check_blobs(const Context& ctx, const BlobStore& store, const Needs& needs, std::vector<StoredBlob> blobs, std::size_t jobs,
                 VerifyReport& report) {
  // The largest first, so that no thread is left with one at the end.
  std::stable_sort(blobs.begin(), blobs.end(), [](const StoredBlob& a, const StoredBlob& b) { return a.size > b.size; });
  std::vector<std::optional<std::string>> why(blobs.size());
  std::vector<std::uint64_t> bytes(blobs.size());
  parallel_for_each(ctx, blobs.size(), std::max<std::size_t>(jobs, 1), [&](const Context& inner, std::size_t i) {
    why[i] = BlobChecker(store.root(), blobs[i]).check(inner, bytes[i]);
  });
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    ++report.checked;
    report.bytes += bytes[i];
    if (why[i]) report.damaged.push_back(make_fault(needs, blobs[i].digest, *why[i]));
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
  check_blobs(ctx, store, needs, std::move(listing.blobs), options.jobs, report);
  for (const auto& [digest, need] : needs.blobs) {
    if (!store.find_size(digest)) report.missing.push_back(make_fault(needs, digest, "it is not in the store"));
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
