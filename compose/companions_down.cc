#include "base/text.h"
#include "compose/companion_steps.h"
#include "compose/labels.h"
#include "compose/project_networks.h"
#include "compose/companions.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace drover::compose {
namespace {

// So is an anonymous volume that was carried over from an earlier container: the engine does not remove it with this one.
bool is_mounted_by_name(const Details& container, const std::string& volume) {
  const auto& mounts = container.host_config.mounts;
  const auto& binds = container.host_config.binds;
  return std::any_of(mounts.begin(), mounts.end(), [&](const auto& mount) { return mount.type == "volume" && mount.source == volume; }) ||
         std::any_of(binds.begin(), binds.end(), [&](const std::string& bind) { return bind.starts_with(volume + ":"); });
}

// Steps of one `down`, and what is left to stand in the way of networks and volumes.
class Down {
 public:
  Down(const Project& project, const ProjectState& state, const DownOptions& options)
      : project_(project), state_(state), options_(options), steps_(project) {}

  Plan plan() {
    const std::set<std::string> chosen = chosen_services(project_, state_, options_.services);
    take_services_down(chosen);
    take_others_down(chosen);
    remove_networks();
    remove_volumes();
    return steps_.take();
  }

 private:
  bool is_known(const std::string& service) const {
    const auto has_name = [&](const Service& each) { return each.name == service; };
    return std::any_of(project_.services.begin(), project_.services.end(), has_name) ||
           std::find(project_.disabled_services.begin(), project_.disabled_services.end(), service) !=
               project_.disabled_services.end();
  }

  std::vector<const engine::Volume*> anonymous_volumes_of(const Details& container) const {
    std::vector<const engine::Volume*> volumes;
    for (const engine::Mount& mount : container.mounts) {
      for (const engine::Volume& volume : state_.volumes) {
        if (mount.type == "volume" && volume.name == mount.name && volume.is_anonymous()) volumes.push_back(&volume);
      }
    }
    return volumes;
  }

  // Stop, if it runs, and remove; the step that stops it, or nothing.
  std::vector<int>
  take_down(const Service& service, const Details& container, const std::string& cause, const std::vector<int>& before) {
    std::vector<int> ends;
    if (is_active(container)) ends.push_back(steps_.add_stop(service, container, options_.timeout, cause, before));
    removals_[container.id] = steps_.add(
        {.action = RemoveContainer{.container = {.id = container.id}, .with_anonymous_volumes = options_.remove_volumes},
         .resource = "container " + container.name,
         .cause = cause,
         .depends_on = ends,
         .group = service_of(container),
         .is_destructive = true});
    if (!options_.remove_volumes) return ends;
    for (const engine::Volume* volume : anonymous_volumes_of(container)) {
      if (is_mounted_by_name(container, volume->name)) {
        carried_over_.insert(volume->name);
      } else {
        steps_.note("anonymous volume " + volume->name + " of container " + container.name + " is removed with it");
      }
    }
    return ends;
  }

  void take_services_down(const std::set<std::string>& chosen) {
    const std::vector<Service> services = services_in_order(project_, state_);
    for (auto service = services.rbegin(); service != services.rend(); ++service) {
      const std::vector<int> before = steps_.ends_of_dependents(services, service->name);
      std::vector<int> ends;
      const std::vector<const Details*> containers = containers_of(state_, service->name);
      if (chosen.contains(service->name)) {
        for (const Details* container : containers)
          ends = merged(std::move(ends), take_down(*service, *container, "asked to take down", before));
        steps_.tell(service->name, containers.empty() ? "none" : "remove");
      }
      steps_.set_ends(service->name, ends.empty() ? before : ends);
    }
  }

  // Orphans, and one-off containers that have ended, if asked; else they are named.
  void take_others_down(const std::set<std::string>& chosen) {
    std::vector<std::string> orphans;
    for (const Details& container : state_.containers) {
      const std::string service = service_of(container);
      if (removals_.contains(container.id)) continue;
      const bool is_orphan = is_one_off(container) ? !is_active(container) : !is_known(service) && !chosen.contains(service);
      if (!is_orphan) continue;
      if (!options_.remove_orphans) {
        orphans.push_back(container.name);
        continue;
      }
      const std::string cause =
          is_one_off(container) ? "a one-off container that has ended" : "orphan: no service " + service + " in the files";
      take_down({}, container, cause, {});
    }
    if (!orphans.empty())
      steps_.note("kept: " + join(orphans, ", ") + ", of no service in the files; --remove-orphans removes them");
  }

  bool is_external_network(const std::string& name) const {
    return std::any_of(project_.networks.begin(), project_.networks.end(), [&](const Network& network) {
      return network.is_external && network.name == name;
    });
  }

  // Those in it, or that are to be in it when they start, and are not removed.
  std::vector<std::string> left_in(const engine::Network& network) const {
    std::set<std::string> names;
    for (const engine::NetworkMember& member : network.members) {
      if (!removals_.contains(member.container_id)) names.insert(member.name);
    }
    for (const Details& container : state_.containers) {
      if (!removals_.contains(container.id) && container.network_settings.networks.contains(network.name))
        names.insert(container.name);
    }
    return {names.begin(), names.end()};
  }

  std::vector<int> removals_in(const engine::Network& network) const {
    std::vector<int> ids;
    for (const Details& container : state_.containers) {
      const auto removal = removals_.find(container.id);
      if (removal != removals_.end() && container.network_settings.networks.contains(network.name))
        ids.push_back(removal->second);
    }
    return merged(std::move(ids), {});
  }

  void remove_networks() {
    for (const engine::Network& network : state_.networks) {
      if (label_of(network.labels, project_label) != project_.name || is_external_network(network.name)) continue;
      if (const std::vector<std::string> left = left_in(network); !left.empty()) {
        steps_.note("network " + network.name + " stays: " + join(left, ", ") + (left.size() == 1 ? " is" : " are") + " in it");
        continue;
      }
      steps_.add({.action = RemoveNetwork{.id = network.id, .request = request_of(network, state_.api)},
                  .resource = "network " + network.name,
                  .cause = "asked to take down",
                  .depends_on = removals_in(network)});
    }
  }

  bool is_external_volume(const std::string& name) const {
    return std::any_of(project_.volumes.begin(), project_.volumes.end(), [&](const Volume& volume) {
      return volume.is_external && volume.name == name;
    });
  }

  // Who mounts it and is not removed; empty for nobody.
  std::string user_of(const engine::Volume& volume) const {
    for (const Details& container : state_.containers) {
      const bool mounts = std::any_of(container.mounts.begin(), container.mounts.end(), [&](const engine::Mount& mount) {
        return mount.type == "volume" && mount.name == volume.name;
      });
      if (mounts && !removals_.contains(container.id)) return container.name;
    }
    const auto outside = options_.volume_users.find(volume.name);
    return outside == options_.volume_users.end() ? std::string() : outside->second;
  }

  std::vector<int> removals_of_users(const engine::Volume& volume) const {
    std::vector<int> ids;
    for (const Details& container : state_.containers) {
      for (const engine::Mount& mount : container.mounts) {
        if (mount.type == "volume" && mount.name == volume.name && removals_.contains(container.id))
          ids.push_back(removals_.at(container.id));
      }
    }
    return merged(std::move(ids), {});
  }

  // Nothing in a carried-over volume says whose it is: those that the files name are somebody's, and so is what anyone else mounts.
  void remove_carried_over(const engine::Volume& volume) {
    const bool is_declared = std::any_of(
        project_.volumes.begin(), project_.volumes.end(), [&](const Volume& declared) { return declared.name == volume.name; });
    if (is_declared || !engine::is_anonymous_name(volume.name)) {
      steps_.note("volume " + volume.name + " stays: it is mounted by its name");
    } else {
      remove_unused(volume);
    }
  }

  void remove_unused(const engine::Volume& volume) {
    if (const std::string user = user_of(volume); !user.empty()) {
      steps_.note("volume " + volume.name + " stays: container " + user + " uses it");
      return;
    }
    steps_.add({.action = RemoveVolume{volume.name},
                .resource = "volume " + volume.name,
                .cause = "--volumes",
                .depends_on = removals_of_users(volume),
                .is_destructive = true});
  }

  // Beside those that were carried over, only what the label says is the project's own: a volume that was there before may be somebody else's.
  void remove_volumes() {
    std::vector<std::string> kept;
    for (const engine::Volume& volume : state_.volumes) {
      if (carried_over_.contains(volume.name)) remove_carried_over(volume);
      if (label_of(volume.labels, project_label) != project_.name || is_external_volume(volume.name) || volume.is_anonymous())
        continue;
      if (!options_.remove_volumes) {
        kept.push_back(volume.name);
      } else {
        remove_unused(volume);
      }
    }
    if (!kept.empty())
      steps_.note("kept: volume " + join(kept, ", ") + "; --volumes removes " + (kept.size() == 1 ? "it" : "them"));
  }

  const Project& project_;
  const ProjectState& state_;
  const DownOptions& options_;
  StepList steps_;
  std::map<std::string, int> removals_;  // steps, by the container's ID
  std::set<std::string> carried_over_;   // anonymous volumes of removed containers that do not go with them
};

}  // namespace

Plan plan_down(const Project& project, const ProjectState& state, const DownOptions& options) {
  return Down(project, state, options).plan();
}

}  // namespace drover::compose
