#include "compose/project_state.h"

#include "base/error.h"
#include "base/parallel.h"
#include "compose/config_hash.h"
#include "compose/labels.h"
#include "compose/project_volumes.h"
#include "engine/containers.h"
#include "engine/disk_usage.h"
#include "engine/engine_failure.h"
#include "engine/images.h"
#include "manifest/reference.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

namespace drover::compose {
namespace {

using Task = std::function<void(const Context&)>;

void run(const Context& ctx, const std::vector<Task>& tasks, std::size_t jobs) {
  parallel_for_each(ctx, tasks.size(), jobs, [&](const Context& inner, std::size_t i) { tasks[i](inner); });
}

// Was it made from another definition than the files have now? Then who is in it matters.
bool has_changed(const Project& project, const engine::Network& network) {
  const std::string hash = label_of(network.labels, config_hash_label);
  if (hash.empty() || label_of(network.labels, project_label) != project.name) return false;
  return std::any_of(project.networks.begin(), project.networks.end(), [&](const Network& model) {
    return !model.is_external && model.name == network.name && config_hash(model) != hash;
  });
}

class Reading {
 public:
  Reading(engine::Client& client, const Project& project, std::size_t jobs) : client_(client), project_(project), jobs_(jobs) {}

  ProjectState read(const Context& ctx) {
    state_.api = client_.api_version(ctx);
    run(ctx, lists(), jobs_);
    run(ctx, details(), jobs_);
    if (!find_twins(project_, state_).empty()) read_sizes(ctx);
    const auto place = [](const engine::ContainerDetails& container) { return std::tie(container.name, container.id); };
    std::sort(
        state_.containers.begin(), state_.containers.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
    return std::move(state_);
  }

 private:
  std::vector<Task> lists() {
    std::vector<Task> tasks = {[this](const Context& ctx) { sort_out(engine::list_containers(ctx, client_)); },
                               [this](const Context& ctx) { state_.networks = engine::list_networks(ctx, client_); },
                               [this](const Context& ctx) { state_.volumes = engine::list_volumes(ctx, client_); }};
    std::set<std::string> images;
    for (const Service& service : project_.services) images.insert(image_of(project_, service));
    for (const std::string& image : images) tasks.emplace_back([this, image](const Context& ctx) { read_image(ctx, image); });
    return tasks;
  }

  void sort_out(const std::vector<engine::ContainerSummary>& containers) {
    for (const engine::ContainerSummary& container : containers) {
      const std::string owner = label_of(container.labels, project_label);
      if (owner == project_.name) {
        ids_.push_back(container.id);
        continue;
      }
      state_.names_taken[container.name] = container.id;
      note_ports(container);
      if (!owner.empty()) state_.other_projects[owner].insert(label_of(container.labels, working_directory_label));
    }
  }

  // A name that is none is the file's fault.
  std::optional<engine::ImageDetails> find_image(const Context& ctx, const std::string& name) {
    try {
      return engine::find_image(ctx, client_, name);
    } catch (const engine::EngineFailure& failure) {
      const auto user = std::find_if(project_.services.begin(), project_.services.end(),
                                     [&](const Service& service) { return image_of(project_, service) == name; });
      if (failure.status == 400 && user != project_.services.end()) require_name(*user, name);
      throw;
    }
  }

  static void require_name(const Service& service, const std::string& name) {
    try {
      Reference::parse(name);
    } catch (Error& error) {
      const SourceLocation& at = service.location;
      throw error.add_frame(at.file.string() + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": services." +
                            service.name + ".image");
    }
  }

  void note_ports(const engine::ContainerSummary& container) {
    if (container.state != "running" && container.state != "paused") return;
    for (const engine::PublishedPort& port : container.ports)
      if (port.public_port > 0)
        state_.ports_taken.push_back({container.name, port.ip, static_cast<std::uint64_t>(port.public_port), port.type});
  }

  void read_image(const Context& ctx, const std::string& name) {
    const auto image = find_image(ctx, name);
    if (!image) return;
    ImageFacts facts{.id = image->id.to_string(), .platform = image->platform.to_string(), .config = image->config};
    if (image->available_manifests)
      for (const auto& [manifest, held] : *image->available_manifests) facts.manifests.insert(manifest.to_string());
    const std::lock_guard lock(mutex_);
    state_.images[name] = std::move(facts);
  }

  std::vector<Task> details() {
    std::vector<Task> tasks;
    for (const std::string& id : ids_) tasks.emplace_back([this, id](const Context& ctx) { read_container(ctx, id); });
    for (engine::Network& network : state_.networks)
      if (has_changed(project_, network))
        tasks.emplace_back([this, &network](const Context& ctx) { read_members(ctx, network); });
    return tasks;
  }

  void read_container(const Context& ctx, const std::string& id) {
    auto container = engine::find_container(ctx, client_, id);
    if (!container) return;
    const std::lock_guard lock(mutex_);
    state_.containers.push_back(std::move(*container));
  }

  void read_members(const Context& ctx, engine::Network& network) {
    if (auto found = engine::find_network(ctx, client_, network.id)) network.members = std::move(found->members);
  }

  void read_sizes(const Context& ctx) {
    const engine::DiskUsage usage =
        engine::read_disk_usage(ctx, client_, {.images = false, .containers = false, .volumes = true, .build_cache = false});
    std::map<std::string, std::optional<std::int64_t>> sizes;
    for (const engine::Volume& volume : usage.volumes.items) sizes[volume.name] = volume.size_bytes;
    for (engine::Volume& volume : state_.volumes) volume.size_bytes = sizes[volume.name];
  }

  engine::Client& client_;
  const Project& project_;
  std::size_t jobs_;
  std::mutex mutex_;
  std::vector<std::string> ids_;
  ProjectState state_;
};

}  // namespace

ProjectState read_project_state(const Context& ctx, engine::Client& client, const Project& project, std::size_t jobs) {
  return Reading(client, project, jobs).read(ctx);
}

std::string image_of(const Project& project, const Service& service) {
  return service.image.value_or(project.name + "-" + service.name);
}

}  // namespace drover::compose
