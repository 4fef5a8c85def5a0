#include "stack/prune_verdicts.h"

#include "engine/images.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace drover::stack {
namespace {

using engine::SnapshotContainer;
using engine::SnapshotImage;

// "redis:7@sha256:…" names what "redis@sha256:…" does.
std::string plain_digest_name(const std::string& name) {
  const std::size_t at = name.find('@');
  return at == std::string::npos ? name : repository_of(name) + name.substr(at);
}

bool is_all_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// The images by what a person or a container may call them.
class ImageNames {
 public:
  explicit ImageNames(const std::vector<SnapshotImage>& images) : images_(images) {
    for (std::size_t i = 0; i < images.size(); ++i) {
      for (const auto* names : {&images[i].tags, &images[i].repo_digests}) {
        for (const std::string& name : *names) by_name_.emplace(name, i);
      }
    }
  }

  // By familiar tag, by digest, or by ID, whole or at least the 12 digits that docker shows.
  std::vector<std::size_t> find(const std::string& name) const {
    std::vector<std::size_t> found;
    const auto [begin, end] = by_name_.equal_range(plain_digest_name(name));
    for (auto entry = begin; entry != end; ++entry) found.push_back(entry->second);
    const std::string_view hex = std::string_view(name).substr(name.starts_with("sha256:") ? 7 : 0);
    if (hex.size() < 12 || !is_all_hex(hex)) return found;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (images_[i].id.to_string().substr(7).starts_with(hex)) found.push_back(i);
    }
    return found;
  }

 private:
  const std::vector<SnapshotImage>& images_;
  std::multimap<std::string, std::size_t> by_name_;
};

std::string describe(const SnapshotContainer& container) {
  return "container " + (container.name.empty() ? container.id.substr(0, 12) : container.name) + " (" + container.state + ")";
}

class ImageJudge {
 public:
  explicit ImageJudge(const PruneInput& input) : input_(input), reasons_(input.snapshot.images.size()) {
    const auto known = input.ledger.images.find(input.snapshot.engine);
    if (known != input.ledger.images.end()) seen_ = &known->second;
  }

  PruneVerdicts judge() {
    keep_used();
    keep_named_by_projects();
    keep_pinned();
    keep_recent_of_repositories();
    for (std::size_t i = 0; i < images().size(); ++i) {
      keep(i, prefetch_of(images()[i]));
      keep(i, youth_text(input_, arrival(images()[i]), "here"));
    }
    keep_parents();
    return verdicts();
  }

 private:
  const std::vector<SnapshotImage>& images() const { return input_.snapshot.images; }

  // The first reason is the one that is told.
  void keep(std::size_t index, std::string reason) {
    if (reasons_[index].empty()) reasons_[index] = std::move(reason);
  }

  const Ledger::Image* seen(const SnapshotImage& image) const {
    if (seen_ == nullptr) return nullptr;
    const auto found = seen_->find(image.id.to_string());
    return found == seen_->end() ? nullptr : &found->second;
  }

  std::optional<TimePoint> arrival(const SnapshotImage& image) const {
    if (image.arrived) return image.arrived;
    const Ledger::Image* entry = seen(image);
    return entry == nullptr ? std::nullopt : std::optional(entry->first_seen);
  }

  std::set<std::string> repositories(const SnapshotImage& image) const {
    std::set<std::string> names;
    if (const Ledger::Image* entry = seen(image)) names = entry->repositories;
    for (const auto* list : {&image.tags, &image.repo_digests}) {
      for (const std::string& name : *list) names.insert(repository_of(name));
    }
    return names;
  }

  void keep_used() {
    std::multimap<Digest, std::size_t> by_id;  // by manifest, too
    for (std::size_t i = 0; i < images().size(); ++i) {
      by_id.emplace(images()[i].id, i);
      for (const Digest& manifest : images()[i].manifests) by_id.emplace(manifest, i);
    }
    for (const SnapshotContainer& container : input_.snapshot.containers) {
      for (const auto* id : {&container.image_id, &container.image_manifest}) {
        if (!*id) continue;
        const auto [begin, end] = by_id.equal_range(**id);
        for (auto found = begin; found != end; ++found) use(found->second, "used by " + describe(container));
      }
    }
    // A tag that moved on: the container that is made anew will run what it names now.
    for (const SnapshotContainer& container : input_.snapshot.containers) {
      for (const std::string& name : {engine::familiar_name_of(container.image_reference), container.image_reference}) {
        for (const std::size_t i : names_.find(name)) use(i, "named by " + describe(container));  // digits may be a name or an ID
      }
    }
  }

  void use(std::size_t index, std::string reason) {
    keep(index, std::move(reason));
    in_use_.insert(index);
  }

  void keep_named_by_projects() {
    for (const auto& [project, entry] : input_.ledger.projects) {
      for (const auto& [service, reference] : entry.images) keep_named(reference, "named by project " + project + ", service " + service);
      for (const std::string& reference : entry.declared) keep_named(reference, "named by the compose file of project " + project);
    }
    for (std::size_t i = 0; i < images().size(); ++i) {
      const std::string builder = project_of(images()[i].labels);
      if (!images()[i].tags.empty() && input_.ledger.projects.contains(builder)) keep(i, "built for project " + builder);
    }
  }

  void keep_named(const std::string& reference, const std::string& reason) {
    for (const std::size_t i : names_.find(reference)) use(i, reason);
  }

  // For a rollback. Of a repository with several digests in use, each has its predecessor.
  void keep_recent_of_repositories() {
    std::map<std::string, std::vector<std::size_t>> members;
    std::map<std::string, std::size_t> users;
    for (std::size_t i = 0; i < images().size(); ++i) {
      for (const std::string& repository : repositories(images()[i])) {
        members[repository].push_back(i);
        if (in_use_.contains(i)) ++users[repository];
      }
    }
    for (auto& [repository, indexes] : members) {
      const auto used = users.find(repository);
      if (used == users.end() || input_.policy.keep == 0) continue;
      // Of what was seen first at the same moment, the one that was built later is taken for the later one.
      const auto moment = [&](std::size_t i) { return std::pair(arrival(images()[i]).value_or(input_.now), images()[i].built.value_or(TimePoint())); };
      std::stable_sort(indexes.begin(), indexes.end(), [&](std::size_t a, std::size_t b) { return moment(a) > moment(b); });
      const std::size_t each = std::min(input_.policy.keep, indexes.size());
      std::size_t count = std::min(indexes.size(), each + used->second - 1);
      while (count < indexes.size() && moment(indexes[count]) == moment(indexes[count - 1])) ++count;  // who knows which one is the last
      const std::string reason = "one of the last " + std::to_string(count) + " of " + repository + ", which is in use";
      for (std::size_t i = 0; i < count; ++i) keep(indexes[i], reason);
    }
  }

  void keep_pinned() {
    for (const auto& [name, time] : input_.ledger.pins) {
      for (const std::size_t i : names_.find(name)) keep(i, "pinned as " + name);
    }
  }

  std::string prefetch_of(const SnapshotImage& image) const {
    for (const Ledger::Prefetched& record : input_.ledger.prefetched) {
      if (record.image_id != image.id.to_string()) continue;
      const std::string project = record.project.empty() ? std::string() : " for project " + record.project;
      return "prefetched as " + record.reference + project + ", not applied yet";
    }
    return {};
  }

  void keep_parents() {
    std::map<Digest, std::size_t> by_id;
    for (std::size_t i = 0; i < images().size(); ++i) by_id.emplace(images()[i].id, i);
    for (std::size_t i = 0; i < images().size(); ++i) {
      if (reasons_[i].empty()) continue;
      // A cycle, which no engine has, ends at the first image that is kept already.
      for (std::optional<Digest> parent = images()[i].parent; parent;) {
        const auto found = by_id.find(*parent);
        if (found == by_id.end() || !reasons_[found->second].empty()) break;
        reasons_[found->second] = "parent of " + images()[i].id.to_string().substr(0, 19) + ", which stays";
        parent = images()[found->second].parent;
      }
    }
  }

  PruneItem item_of(const SnapshotImage& image, std::string reason) const {
    std::vector<std::string> names = image.tags;
    if (names.empty()) names = image.repo_digests;
    std::sort(names.begin(), names.end());  // engines list them as they like
    return {.kind = PruneKind::image, .id = image.id.to_string(), .names = std::move(names), .bytes = 0, .reason = std::move(reason)};
  }

  PruneVerdicts verdicts() const {
    PruneVerdicts out;
    for (std::size_t i = 0; i < images().size(); ++i) {
      const SnapshotImage& image = images()[i];
      if (!reasons_[i].empty()) {
        out.keep.push_back(item_of(image, reasons_[i]));
        continue;
      }
      const Ledger::Image* entry = seen(image);
      const TimePoint arrived = arrival(image).value_or(input_.now);
      const TimePoint used = entry != nullptr && entry->last_used ? std::max(*entry->last_used, arrived) : arrived;
      std::string reason = image.tags.empty() ? "dangling" : "unused";
      reason += entry != nullptr && entry->last_used ? ": not used for " : ": no container, project or pin; here for ";
      reason += age_text(input_.now - used);
      out.remove.push_back({.item = item_of(image, reason), .used = used, .index = i});
    }
    return out;
  }

  const PruneInput& input_;
  const std::map<std::string, Ledger::Image>* seen_ = nullptr;
  std::vector<std::string> reasons_;  // to keep, by index
  std::set<std::size_t> in_use_;      // by a container or a project
  ImageNames names_{input_.snapshot.images};
};

}  // namespace

PruneVerdicts judge_images(const PruneInput& input) { return ImageJudge(input).judge(); }

}  // namespace drover::stack
