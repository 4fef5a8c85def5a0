#include "store/gc.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "store/blob_file.h"
#include "store/layout_folder.h"
#include "store/reach.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <set>

namespace drover::store {
namespace {

// What it would be called in an image; only for the order of removal and for people.
GcKind sniff_kind(const std::filesystem::path& root, const Digest& digest) {
  try {
    const std::optional<std::string> document = read_if_document(root, digest);
    if (!document) return GcKind::blob;
    return std::holds_alternative<Index>(parse_document(*document, "")) ? GcKind::index : GcKind::manifest;
  } catch (const Error&) {
    return GcKind::blob;  // damaged, or JSON of another kind
  }
}

// "ingest/sha256-<hex>" of "ingest/sha256-<hex>.part": files of one download belong together.
std::string group_of(const std::string& path) { return path.substr(0, path.find('.', path.rfind('/') + 1)); }

bool is_lock_held(const std::filesystem::path& lock) {
  std::error_code ignored;
  return std::filesystem::exists(lock, ignored) && !FileLock::try_acquire(lock, FileLock::Mode::exclusive).has_value();
}

void add_leftover(const std::filesystem::path& root, const std::string& path, std::vector<GcListing::Leftover>& leftovers) {
  struct stat info {};
  if (lstat((root / path).c_str(), &info) != 0 || S_ISDIR(info.st_mode)) return;
  leftovers.push_back({.path = path,
                       .bytes = static_cast<std::uint64_t>(info.st_size),
                       .changed = time_of_change(info),
                       .is_in_use = false});
}

std::vector<GcListing::Leftover> list_leftovers(const std::filesystem::path& root) {
  std::vector<GcListing::Leftover> leftovers;
  std::error_code error;
  for (const char* folder : {"ingest", "."}) {
    if (!std::filesystem::is_directory(root / folder)) continue;
    for (std::filesystem::directory_iterator entry(root / folder, error), end; !error && entry != end; entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (std::string_view(folder) == "ingest") {
        add_leftover(root, "ingest/" + name, leftovers);
      } else if (name.starts_with(".index.json.") || name.starts_with(".oci-layout.")) {
        add_leftover(root, name, leftovers);
      }
    }
    if (error) throw io_error("cannot list", (root / folder).string(), error.value());
  }
  std::sort(leftovers.begin(), leftovers.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  // Asked after the times were taken: taking a lock that is free changes nothing, but may make a download that starts now wait.
  for (GcListing::Leftover& leftover : leftovers) {
    if (leftover.path.starts_with("ingest/")) leftover.is_in_use = is_lock_held(root / (group_of(leftover.path) + ".lock"));
  }
  return leftovers;
}

// A group is as young as its youngest file.
std::map<std::string, std::chrono::system_clock::time_point> youngest_by_group(const std::vector<GcListing::Leftover>& leftovers) {
  std::map<std::string, std::chrono::system_clock::time_point> youngest;
  for (const GcListing::Leftover& leftover : leftovers) {
    auto& time = youngest.try_emplace(group_of(leftover.path), leftover.changed).first->second;
    time = std::max(time, leftover.changed);
  }
  return youngest;
}

std::string grace_text(std::chrono::seconds grace) { return format_seconds(static_cast<double>(grace.count())); }

void plan_blob(const GcListing::Blob& blob, const GcPolicy& policy, std::chrono::system_clock::time_point now, GcPlan& plan) {
  GcItem item{.kind = blob.kind, .id = blob.digest.to_string(), .bytes = blob.bytes, .names = blob.needed_by, .reason = {}};
  if (!blob.needed_by.empty()) {
    item.reason = "needed by " + blob.needed_by.front();
    if (blob.needed_by.size() > 1) item.reason += " and " + std::to_string(blob.needed_by.size() - 1) + " more";
  } else if (blob.changed > now - policy.blob_grace) {
    item.reason = "no image needs it, but it is younger than " + grace_text(policy.blob_grace);
  } else {
    item.reason = "no image needs it";
    plan.remove.push_back(std::move(item));
    return;
  }
  plan.keep.push_back(std::move(item));
}

void plan_leftover(const GcListing::Leftover& leftover, std::chrono::system_clock::time_point youngest,
                   std::chrono::system_clock::time_point now, GcPlan& plan) {
  GcItem item{.kind = GcKind::leftover, .id = leftover.path, .bytes = leftover.bytes, .names = {}, .reason = {}};
  if (leftover.is_in_use) {
    item.reason = "in use by another drover";
  } else if (youngest > now - plan.policy.leftover_grace) {
    item.reason = "younger than " + grace_text(plan.policy.leftover_grace) + ", a download may go on with it";
  } else {
    item.reason = "left over, older than " + grace_text(plan.policy.leftover_grace);
    plan.remove.push_back(std::move(item));
    return;
  }
  plan.keep.push_back(std::move(item));
}

void append_text(std::string& text, std::string_view verb, const GcItem& item) {
  text += std::string(verb) + " " + std::string(to_string(item.kind)) + " " + printable(item.id) + " " + format_bytes(item.bytes) + ": " +
          printable(item.reason) + "\n";
}

std::set<std::string> ids_of(const std::vector<GcItem>& items) {
  std::set<std::string> ids;
  for (const GcItem& item : items) ids.insert(item.id);
  return ids;
}

class Remover {
 public:
  Remover(const Context& ctx, std::filesystem::path root) : ctx_(ctx), root_(std::move(root)) {}

  // Of one kind after the other, each on the disk before the next begins: what refers to others goes before them.
  GcReport remove(const GcPlan& planned, const GcPlan& now) {
    const std::set<std::string> removable = ids_of(now.remove);
    const std::set<std::string> kept = ids_of(now.keep);
    for (const GcKind kind : {GcKind::index, GcKind::manifest, GcKind::blob, GcKind::leftover}) {
      for (const GcItem& item : planned.remove) {
        if (item.kind != kind) continue;
        if (removable.contains(item.id)) {
          ctx_.check_stop();
          remove_item(item);
        } else if (kept.contains(item.id)) {
          report_.kept.push_back(item);
        }
      }
      sync();
    }
    return std::move(report_);
  }

 private:
  void remove_item(const GcItem& item) {
    const std::filesystem::path path = item.kind == GcKind::leftover ? root_ / item.id : blob_path(root_, Digest::parse(item.id));
    if (unlink(path.c_str()) != 0) {
      if (errno == ENOENT) return;
      throw io_error("cannot remove", path.string());
    }
    touched_.push_back(path.parent_path());
    ++report_.removed;
    report_.bytes += item.bytes;
  }

  void sync() {
    std::sort(touched_.begin(), touched_.end());
    touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
    for (const std::filesystem::path& folder : touched_) sync_directory(folder);
    touched_.clear();
  }

  const Context& ctx_;
  std::filesystem::path root_;
  GcReport report_;
  std::vector<std::filesystem::path> touched_;
};

}  // namespace

std::string_view to_string(GcKind kind) {
  constexpr std::array<std::string_view, 4> names = {"index", "manifest", "blob", "leftover"};
  return names.at(static_cast<std::size_t>(kind));
}

GcListing read_gc_listing(const std::filesystem::path& root) {
  GcListing listing;
  // Blobs first: one that comes while we look is not in the list, one that a new tag begins to need is seen as needed.
  const BlobListing stored = list_blobs(root);
  const std::map<Digest, std::vector<std::string>> reachable = read_reachable(root);
  for (const StoredBlob& blob : stored.blobs) {
    const auto needed = reachable.find(blob.digest);
    const bool is_needed = needed != reachable.end();
    listing.blobs.push_back({.digest = blob.digest,
                             .bytes = blob.size,
                             .changed = blob.changed,
                             .kind = is_needed ? GcKind::blob : sniff_kind(root, blob.digest),
                             .needed_by = is_needed ? needed->second : std::vector<std::string>()});
  }
  listing.leftovers = list_leftovers(root);
  return listing;
}

GcPlan plan_gc(const GcListing& listing, const GcPolicy& policy, std::chrono::system_clock::time_point now) {
  GcPlan plan{.policy = policy, .keep = {}, .remove = {}, .bytes = 0};
  for (const GcListing::Blob& blob : listing.blobs) plan_blob(blob, policy, now, plan);
  const auto youngest = youngest_by_group(listing.leftovers);
  for (const GcListing::Leftover& leftover : listing.leftovers) plan_leftover(leftover, youngest.at(group_of(leftover.path)), now, plan);
  std::stable_sort(plan.remove.begin(), plan.remove.end(), [](const GcItem& a, const GcItem& b) { return a.kind < b.kind; });
  for (const GcItem& item : plan.remove) plan.bytes += item.bytes;
  return plan;
}

GcPlan plan_gc(const Context& ctx, const BlobStore& store, const GcPolicy& policy) {
  return plan_gc(read_gc_listing(store.root()), policy, ctx.clock->system_now());
}

std::string to_text(const GcPlan& plan) {
  std::string text;
  for (const GcItem& item : plan.remove) append_text(text, "remove", item);
  for (const GcItem& item : plan.keep) append_text(text, "keep", item);
  text += "remove " + std::to_string(plan.remove.size()) + ", " + format_bytes(plan.bytes) + "; keep " + std::to_string(plan.keep.size()) + "\n";
  return text;
}

GcReport apply_gc(const Context& ctx, const std::filesystem::path& root, const GcPlan& plan) {
  check_layout(root);
  const std::optional<FileLock> lock = FileLock::try_acquire(root / store_lock_name, FileLock::Mode::exclusive);
  if (!lock) throw Error(ErrorCode::locked, "cannot clean the store " + root.string() + ": another drover uses it; try again when it is done");
  const GcPlan now = plan_gc(read_gc_listing(root), plan.policy, ctx.clock->system_now());
  return Remover(ctx, root).remove(plan, now);
}

}  // namespace drover::store
