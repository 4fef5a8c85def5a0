#include "compose/situation.h"

#include "compose/labels.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace drover::compose {
namespace {

using engine::ContainerDetails;

constexpr std::string_view newest_2 = "2.40.3";  // the last release of its epoch; what is written where nothing says another

// Numbers of a release in order: "2.40.3" is after "2.9.1".
std::vector<int> numbers_of(std::string_view version) {
  std::vector<int> numbers;
  int number = -1;
  for (const char c : version) {
    if (c >= '0' && c <= '9' && number < 100'000) {
      number = std::max(number, 0) * 10 + (c - '0');
    } else if (number >= 0 && c == '.') {
      numbers.push_back(std::exchange(number, -1));
    } else if (number >= 0) {
      break;
    }
  }
  if (number >= 0) numbers.push_back(number);
  return numbers;
}

// Of the newest docker compose that made something of the project. Others know their own epoch alone.
std::string version_found(const Project& project, const ProjectState& state) {
  std::string newest;
  const auto see = [&](const std::map<std::string, std::string>& labels) {
    const std::string version = label_of(labels, version_label);
    if (label_of(labels, project_label) != project.name || !epoch_of_release(version)) return;
    if (newest.empty() || numbers_of(newest) < numbers_of(version)) newest = version;
  };
  for (const ContainerDetails& container : state.containers) see(container.config.labels);
  for (const engine::Network& network : state.networks) see(network.labels);
  return newest;
}

std::string version_of(HashEpoch epoch) {
  if (epoch == HashEpoch::compose_2_36) return std::string(newest_2);
  for (const HashEpochRow& row : hash_epochs())
    if (row.epoch == epoch) return std::string(row.first_release);
  return {};
}

void choose_labels(Situation& situation) {
  const UpOptions& options = *situation.options;
  const std::string found = version_found(*situation.project, situation.state);
  situation.epoch = options.epoch.value_or(epoch_of_release(found).value_or(HashEpoch::compose_2_36));
  situation.version = options.version;
  if (!situation.version.empty()) return;
  situation.version = epoch_of_release(found) == situation.epoch ? found : version_of(situation.epoch);
}

// Depth first: dependencies, then the service. The loader has refused cycles.
class ServiceOrder {
 public:
  explicit ServiceOrder(const Project& project) : project_(project) {}

  std::vector<const Service*> sort() {
    for (const Service& service : project_.services) visit(service);
    return std::move(sorted_);
  }

 private:
  void visit(const Service& service) {
    if (!seen_.insert(service.name).second) return;
    for (const Dependency& dependency : service.depends_on)
      for (const Service& other : project_.services)
        if (other.name == dependency.service) visit(other);
    sorted_.push_back(&service);
  }

  const Project& project_;
  std::set<std::string> seen_;
  std::vector<const Service*> sorted_;
};

bool is_over(const ContainerDetails& container) {
  return container.state.status == "exited" || container.state.status == "dead";
}

void sort_containers(Situation& situation) {
  std::set<std::string> known(situation.project->disabled_services.begin(), situation.project->disabled_services.end());
  for (const Service& service : situation.project->services) known.insert(service.name);
  for (const ContainerDetails& container : situation.state.containers) {
    if (label_of(container, config_hash_label).empty() || container.state.status == "removing") continue;
    const std::string service = label_of(container, service_label);
    if (is_one_off(container)) {
      if (is_over(container)) situation.orphans.push_back(&container);
    } else if (known.contains(service)) {
      situation.containers[service].push_back(&container);
    } else {
      situation.orphans.push_back(&container);
    }
  }
}

}  // namespace

const NetworkPlace* Situation::find_network(const std::string& key) const {
  const auto found =
      std::find_if(networks.begin(), networks.end(), [&](const NetworkPlace& place) { return place.model->key == key; });
  return found == networks.end() ? nullptr : &*found;
}

Situation look_at(const Project& project, const ProjectState& state, const UpOptions& options) {
  Situation situation{
      .project = std::make_shared<const Project>(project), .options = std::make_shared<const UpOptions>(options), .state = state};
  choose_labels(situation);
  situation.services = ServiceOrder(*situation.project).sort();
  situation.networks = find_networks(*situation.project, state, situation.version);
  sort_containers(situation);
  return situation;
}

std::vector<const NetworkPlace*> networks_of(const Situation& situation, const Service& service) {
  std::vector<const NetworkPlace*> places;
  if (!service.network_mode.empty()) return places;
  for (const ServiceNetwork& network : service.networks)
    if (const NetworkPlace* place = situation.find_network(network.network)) places.push_back(place);
  return places;
}

}  // namespace drover::compose
