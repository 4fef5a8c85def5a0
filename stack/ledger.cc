#include "stack/ledger.h"

#include "compose/labels.h"
#include "engine/images.h"

#include <algorithm>

namespace drover::stack {
namespace {

void own(Ledger& ledger, const std::string& project, const std::string& volume, const std::string& service, TimePoint seen) {
  Ledger::Volume& entry = ledger.projects[project].volumes[volume];
  if (!service.empty()) entry.services.insert(service);
  entry.last_seen = std::max(entry.last_seen, seen);
}

void see_project(Ledger& ledger, const std::string& project, const std::string& engine, TimePoint seen) {
  Ledger::Project& entry = ledger.projects[project];
  entry.last_seen = std::max(entry.last_seen, seen);
  entry.engines.insert(engine);
}

// The ledger keeps whole seconds, an event has fractions of the same one.
bool is_forgotten(const Ledger& ledger, const std::string& project, const std::string& engine, TimePoint time) {
  const auto found = ledger.forgotten.find(project);
  if (found == ledger.forgotten.end()) return false;
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  return std::any_of(found->second.begin(), found->second.end(), [&](const auto& entry) {
    return (entry.first == engine || entry.first == every_engine) && second <= entry.second;
  });
}

void see_container(Ledger& ledger, const std::string& engine, const engine::SnapshotContainer& container, TimePoint now) {
  if (container.labels.contains(engine::helper_label)) return;
  for (const std::string& volume : container.volumes) {
    TimePoint& used = ledger.volumes_used[volume];
    used = std::max(used, now);  // a clock may have stood still
  }
  const std::string project = project_of(container.labels);
  if (project.empty()) return;
  see_project(ledger, project, engine, now);
  for (const std::string& volume : container.volumes) own(ledger, project, volume, service_of(container.labels), now);
  const bool is_name = !container.image_reference.empty() && !container.image_reference.starts_with("sha256:");
  if (!is_name) return;
  const std::string service = service_of(container.labels);
  ledger.projects[project].images[service.empty() ? container.name : service] = engine::familiar_name_of(container.image_reference);
}

void see_images(Ledger& ledger, const engine::Snapshot& snapshot, TimePoint now) {
  std::set<std::string> used;
  for (const engine::SnapshotContainer& container : snapshot.containers) {
    if (container.image_id) used.insert(container.image_id->to_string());
  }
  const std::map<std::string, Ledger::Image> before = std::move(ledger.images[snapshot.engine]);
  std::map<std::string, Ledger::Image> after;
  for (const engine::SnapshotImage& image : snapshot.images) {
    const std::string id = image.id.to_string();
    const auto known = before.find(id);
    Ledger::Image& entry = after[id];
    if (known != before.end()) entry = known->second;
    if (known == before.end()) entry.first_seen = now;
    if (used.contains(id)) entry.last_used = now;
    for (const auto* names : {&image.tags, &image.repo_digests}) {
      for (const std::string& name : *names) entry.repositories.insert(repository_of(name));
    }
  }
  ledger.images[snapshot.engine] = std::move(after);
  std::erase_if(ledger.prefetched, [&](const Ledger::Prefetched& record) { return used.contains(record.image_id); });
}

// Engines make an anonymous volume a run; another engine's are not among this one's.
void trim_volumes_used(Ledger& ledger, const engine::Snapshot& snapshot, TimePoint now) {
  std::set<std::string> here;
  for (const engine::SnapshotVolume& volume : snapshot.volumes) here.insert(volume.name);
  std::erase_if(ledger.volumes_used, [&](const auto& entry) { return now - entry.second > volume_memory && !here.contains(entry.first); });
}

}  // namespace

std::string project_of(const std::map<std::string, std::string>& labels) {
  const std::string project = compose::label_of(labels, compose::project_label);
  return project.empty() ? compose::label_of(labels, "com.docker.stack.namespace") : project;
}

std::string service_of(const std::map<std::string, std::string>& labels) { return compose::label_of(labels, compose::service_label); }

Ledger observe(Ledger ledger, const engine::Snapshot& snapshot, TimePoint now) {
  for (const engine::SnapshotContainer& container : snapshot.containers) see_container(ledger, snapshot.engine, container, now);
  for (const engine::SnapshotVolume& volume : snapshot.volumes) {
    const std::string project = project_of(volume.labels);
    if (project.empty()) continue;
    see_project(ledger, project, snapshot.engine, now);
    own(ledger, project, volume.name, "", now);
  }
  for (const engine::SnapshotNetwork& network : snapshot.networks) {
    if (const std::string project = project_of(network.labels); !project.empty()) see_project(ledger, project, snapshot.engine, now);
  }
  for (const engine::SnapshotMount& mount : snapshot.past_mounts) {
    TimePoint& used = ledger.volumes_used[mount.volume];
    used = std::max(used, mount.time);
    const std::string project = project_of(mount.labels);
    if (project.empty() || is_forgotten(ledger, project, snapshot.engine, mount.time)) continue;
    see_project(ledger, project, snapshot.engine, mount.time);
    own(ledger, project, mount.volume, service_of(mount.labels), mount.time);
  }
  see_images(ledger, snapshot, now);
  trim_volumes_used(ledger, snapshot, now);
  return ledger;
}

Ledger observe(Ledger ledger, const ProjectWords& project, TimePoint now) {
  if (project.name.empty()) return ledger;
  for (const std::string& volume : project.volumes) own(ledger, project.name, volume, "", now);
  ledger.projects[project.name].declared = {project.images.begin(), project.images.end()};
  return ledger;
}

Ledger forget(Ledger ledger, const std::string& project, const std::string& engine, TimePoint now) {
  const auto found = ledger.projects.find(project);
  if (found == ledger.projects.end()) return ledger;
  ledger.forgotten[project][engine] = now;
  found->second.engines.erase(engine);
  if (engine == every_engine || found->second.engines.empty()) ledger.projects.erase(found);
  return ledger;
}

Ledger note_prefetched(Ledger ledger, const Ledger::Prefetched& record) {
  std::erase_if(ledger.prefetched, [&](const Ledger::Prefetched& old) {
    return old.reference == record.reference && old.project == record.project;
  });
  ledger.prefetched.push_back(record);
  return ledger;
}

std::vector<Owner> owners_of(const Ledger& ledger, std::string_view volume) {
  std::vector<Owner> owners;
  for (const auto& [name, project] : ledger.projects) {
    const auto found = project.volumes.find(std::string(volume));
    if (found != project.volumes.end()) owners.push_back({name, found->second.services, found->second.last_seen});
  }
  return owners;
}

std::string repository_of(std::string_view reference) {
  std::string_view name = reference.substr(0, reference.find('@'));
  const std::size_t colon = name.rfind(':');
  const std::size_t slash = name.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) name = name.substr(0, colon);
  return std::string(name);
}

}  // namespace drover::stack
