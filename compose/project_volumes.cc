#include "compose/project_volumes.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/config_hash.h"
#include "compose/labels.h"

#include <algorithm>

namespace drover::compose {
namespace {

const engine::Volume* find_volume_of(const ProjectState& state, const std::string& name) {
  const auto found =
      std::find_if(state.volumes.begin(), state.volumes.end(), [&](const engine::Volume& volume) { return volume.name == name; });
  return found == state.volumes.end() ? nullptr : &*found;
}

engine::VolumeRequest volume_request_of(const Project& project, const Volume& volume, const std::string& version) {
  engine::VolumeRequest request{
      .name = volume.name, .driver = volume.driver, .options = volume.driver_opts, .labels = volume.labels};
  request.labels[std::string(project_label)] = project.name;
  request.labels[std::string(volume_label)] = volume.key;
  request.labels[std::string(version_label)] = version;
  request.labels[std::string(config_hash_label)] = config_hash(volume);
  return request;
}

std::string difference(const engine::Volume& found, const Volume& volume) {
  std::vector<std::string> paths;
  if (found.driver != (volume.driver.empty() ? "local" : volume.driver)) paths.emplace_back("driver");
  if (found.options != volume.driver_opts) paths.emplace_back("driver_opts");
  if (paths.empty()) paths.emplace_back("labels");
  return join(paths, ", ");
}

Error changed(const engine::Volume& found, const Volume& volume) {
  const std::string name = printable(volume.name, 120);
  return Error(ErrorCode::data_safety,
               "volume " + name + " was made from another definition (" + difference(found, volume) +
                   "), and making it again would lose its data; change volumes." + printable(volume.key, 120) +
                   " back, or give it another name, or save the data (docker run --rm -v " + name +
                   ":/from:ro -v \"$PWD\":/to busybox tar -C /from -cf /to/" + name +
                   ".tar .), remove the volume by hand (docker volume rm " + name + ") and try again");
}

Error absent(const Volume& volume) {
  const std::string name = printable(volume.name, 120);
  return Error(ErrorCode::refused, "volume " + name + " is external and not there; create it with docker volume create " + name);
}

}  // namespace

VolumePlan plan_volumes(const Project& project, const ProjectState& state, const std::string& version) {
  VolumePlan plan;
  for (const Volume& volume : project.volumes) {
    const engine::Volume* found = find_volume_of(state, volume.name);
    if (volume.is_external) {
      if (!found) throw absent(volume);
      continue;
    }
    if (!found) {
      plan.missing.emplace(volume.key, volume_request_of(project, volume, version));
      continue;
    }
    const std::string owner = label_of(found->labels, project_label);
    const std::string hash = label_of(found->labels, config_hash_label);
    if (owner != project.name) {
      plan.notes.push_back("volume " + volume.name + " was not made for this project" +
                           (owner.empty() ? "" : " but for " + owner) +
                           ": used as it is; `external: true` says that it is meant");
    } else if (!hash.empty() && hash != config_hash(volume)) {
      throw changed(*found, volume);
    }
  }
  return plan;
}

std::vector<const engine::Volume*> find_twins(const Project& project, const ProjectState& state) {
  std::map<std::string, const Volume*> wanted;
  for (const Volume& volume : project.volumes) {
    if (volume.is_external) continue;
    if (find_volume_of(state, volume.name)) return {};
    wanted.emplace(volume.key, &volume);
  }
  std::vector<const engine::Volume*> twins;
  for (const engine::Volume& volume : state.volumes) {
    const std::string owner = label_of(volume.labels, project_label);
    if (owner == project.name) return {};
    if (owner.empty() || !wanted.contains(label_of(volume.labels, volume_label))) continue;
    const auto directories = state.other_projects.find(owner);
    if (directories == state.other_projects.end() || directories->second.contains(project.directory.string()))
      twins.push_back(&volume);
  }
  return twins;
}

void refuse_lost_volumes(const Project& project, const ProjectState& state) {
  for (const engine::Volume* twin : find_twins(project, state)) {
    if (twin->size_bytes && *twin->size_bytes == 0) continue;
    const std::string owner = printable(label_of(twin->labels, project_label), 120);
    throw Error(ErrorCode::data_safety,
                "project " + project.name + " would get new, empty volumes while volume " + printable(twin->name, 120) +
                    " of project " + owner + " has data under the same key (" +
                    printable(label_of(twin->labels, volume_label), 120) + "); to go on with it say -p " + owner +
                    " or `name: " + owner + "`, for new volumes --allow-new-volumes");
  }
}

}  // namespace drover::compose
