#include "stack/prune_verdicts.h"

#include "base/text.h"

#include <algorithm>
#include <map>
#include <set>

namespace drover::stack {
namespace {

using engine::SnapshotContainer;
using engine::SnapshotVolume;

constexpr const char* anonymous_label = "com.docker.volume.anonymous";

// Engines before 23.0 did not label them; a name of 64 hex digits is what all engines give.
bool is_anonymous(const SnapshotVolume& volume) {
  if (volume.labels.contains(anonymous_label)) return true;
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const bool is_generated = volume.name.size() == 64 && std::all_of(volume.name.begin(), volume.name.end(), is_hex);
  return is_generated && volume.labels.empty() && volume.options.empty();
}

std::string owners_text(const std::vector<Owner>& owners) {
  std::vector<std::string> texts;
  for (const Owner& owner : owners) {
    std::string text = "project " + owner.project;
    if (!owner.services.empty()) text += " (" + join(std::vector<std::string>(owner.services.begin(), owner.services.end()), ", ") + ")";
    texts.push_back(std::move(text));
  }
  return "owned by " + join(texts, " and ");
}

// A project that is down looks as if it had never been: whoever is unsure about one volume is unsure about all.
std::string down_text(const PruneInput& input) {
  std::vector<std::string> here;
  std::vector<std::string> elsewhere;
  for (const std::string& name : input.down) {
    const std::set<std::string>& engines = input.ledger.projects.at(name).engines;
    const bool was_here = engines.empty() || engines.contains(input.snapshot.engine);
    (was_here ? here : elsewhere).push_back(was_here ? name : name + " (seen on " + *engines.begin() + ")");
  }
  std::vector<std::string> texts;
  if (here.size() == 1) texts.push_back("project " + here[0] + " is down; start it (docker compose -p " + here[0] + " up -d)");
  if (here.size() > 1) texts.push_back("projects " + join(here, ", ") + " are down; start them");
  if (elsewhere.size() == 1) texts.push_back("project " + elsewhere[0] + " does not run on this engine; see to it there");
  if (elsewhere.size() > 1) texts.push_back("projects " + join(elsewhere, ", ") + " do not run on this engine; see to them there");
  return join(texts, "; ");
}

class VolumeJudge {
 public:
  explicit VolumeJudge(const PruneInput& input) : input_(input) {
    for (const SnapshotContainer& container : input.snapshot.containers) {
      for (const std::string& volume : container.volumes) users_.emplace(volume, &container);
    }
  }

  void judge(const SnapshotVolume& volume, std::size_t index) {
    const std::vector<Owner> owners = owners_of(input_.ledger, volume.name);
    const bool is_named_by_user = is_asked_for(volume, owners);
    PruneItem item{.kind = PruneKind::volume,
                   .id = volume.name,
                   .names = {},
                   .bytes = volume.bytes.value_or(0),
                   .reason = {},
                   .created = volume.created,
                   .is_named = is_named_by_user || !is_anonymous(volume)};
    const auto user = users_.find(volume.name);
    if (user != users_.end()) {
      const SnapshotContainer& container = *user->second;
      const std::string name = container.name.empty() ? container.id.substr(0, 12) : container.name;
      item.reason = "used by container " + name + " (" + container.state + ")";
      if (!is_named_by_user) return keep(std::move(item));
      item.reason += "; remove the container first (docker rm " + name + ")";
      return refuse(std::move(item));
    }
    is_named_by_user ? judge_named(volume, std::move(item), owners, index) : judge_other(volume, std::move(item), owners, index);
  }

  PruneVerdicts verdicts;

 private:
  bool is_asked_for(const SnapshotVolume& volume, const std::vector<Owner>& owners) const {
    if (input_.policy.volumes.contains(volume.name)) return true;
    if (input_.policy.named_of.empty() || is_anonymous(volume)) return false;
    return std::any_of(owners.begin(), owners.end(), [&](const Owner& owner) { return owner.project == input_.policy.named_of; });
  }

  void judge_named(const SnapshotVolume& volume, PruneItem item, const std::vector<Owner>& owners, std::size_t index) {
    const bool is_at_risk = !owners.empty() || !input_.down.empty();
    if (is_at_risk && !input_.policy.force) {
      item.reason = owners.empty() ? down_text(input_) : owners_text(owners);
      item.reason += owners.empty() ? ", or add --force" : "; add --force if its data may go";
      return refuse(std::move(item));
    }
    item.reason = owners.empty() ? "named on the command line" : "named on the command line with --force; " + owners_text(owners);
    remove(volume, std::move(item), index);
  }

  void judge_other(const SnapshotVolume& volume, PruneItem item, const std::vector<Owner>& owners, std::size_t index) {
    if (!input_.policy.volumes.empty() || !input_.policy.named_of.empty()) {  // whoever names some means those
      item.reason = owners.empty() ? "not named on the command line" : owners_text(owners);
      return keep(std::move(item));
    }
    if (!input_.down.empty()) {
      item.reason = (owners.empty() ? "" : owners_text(owners) + "; ") + down_text(input_);
      item.reason += ", or name it with --volume " + volume.name + " --force";
      return refuse(std::move(item));
    }
    item.reason = reason_to_keep(volume, owners);
    if (!item.reason.empty()) return keep(std::move(item));
    item.reason = "anonymous, no container and no project for " + age_text(input_.now - last_used(volume).value_or(input_.now));
    remove(volume, std::move(item), index);
  }

  std::string reason_to_keep(const SnapshotVolume& volume, const std::vector<Owner>& owners) const {
    if (!owners.empty()) return owners_text(owners);
    if (!is_anonymous(volume)) return "named; --volume " + volume.name + " removes it";
    if (volume.driver != "local") return "of driver " + volume.driver + "; --volume removes it";
    if (!volume.options.empty()) return "has options, so its data may lie elsewhere; --volume removes it";
    return youth_text(input_, last_used(volume), "unused");
  }

  // The grace of a removed container's volume begins when it was seen in use last, not when it was made.
  std::optional<TimePoint> last_used(const SnapshotVolume& volume) const {
    const auto found = input_.ledger.volumes_used.find(volume.name);
    if (found == input_.ledger.volumes_used.end() || !volume.created) return volume.created;
    return std::max(*volume.created, found->second);
  }

  void keep(PruneItem item) { verdicts.keep.push_back(std::move(item)); }
  void refuse(PruneItem item) { verdicts.refused.push_back(std::move(item)); }
  void remove(const SnapshotVolume& volume, PruneItem item, std::size_t index) {
    verdicts.remove.push_back({.item = std::move(item), .used = last_used(volume).value_or(input_.now), .index = index});
  }

  const PruneInput& input_;
  std::multimap<std::string, const SnapshotContainer*> users_;
};

}  // namespace

PruneVerdicts judge_volumes(const PruneInput& input) {
  VolumeJudge judge(input);
  for (std::size_t i = 0; i < input.snapshot.volumes.size(); ++i) judge.judge(input.snapshot.volumes[i], i);
  return std::move(judge.verdicts);
}

}  // namespace drover::stack
