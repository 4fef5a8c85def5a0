#include "tests/compose/engine_model.h"

#include "compose/host_ports.h"
#include "compose/labels.h"
#include "digest/digest.h"
#include "tests/support/subnet.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace drover::compose {

using Json = nlohmann::json;

namespace {

struct Image {
  std::string id;
  Json config = Json::object();
};

std::runtime_error refusal(const std::string& text) {
  return std::runtime_error("engine: " + text);
}

// The object, or an empty one; a reference, so that its items may be walked.
const Json& part(const Json& object, const std::string& key) {
  static const Json empty = Json::object();
  const auto member = object.find(key);
  return member == object.end() || member->is_null() ? empty : *member;
}

// "/data:/data:rw" and named volumes alike.
Json mount_of_bind(const std::string& bind) {
  const std::size_t colon = bind.find(':');
  const std::string source = bind.substr(0, colon);
  const std::string rest = bind.substr(colon + 1);
  const bool is_volume = !source.starts_with('/');
  return {{"Type", is_volume ? "volume" : "bind"},
          {"Name", is_volume ? source : ""},
          {"Source", source},
          {"Destination", rest.substr(0, rest.find(':'))},
          {"RW", rest.find(":ro") == std::string::npos}};
}

// As engines from 25.0 on at create and connect, and all at start.
void check_address(const engine::Network& network, const Json& endpoint) {
  const std::string address = part(endpoint, "IPAMConfig").value("IPv4Address", "");
  const auto& pools = network.ipam.pools;
  const bool has_pool = std::any_of(pools.begin(), pools.end(), [&](const auto& pool) { return test::is_in_subnet(address, pool.subnet); });
  if (!address.empty() && !pools.empty() && !has_pool) throw refusal("no configured subnet of " + network.name + " contains the IP address " + address);
}

std::set<std::string> host_ports(const Json& container) {
  std::set<std::string> ports;
  for (const auto& [port, bindings] : part(container["HostConfig"], "PortBindings").items())
    for (const Json& binding : bindings)
      if (const std::string text = binding.value("HostPort", ""); !text.empty() && text.find('-') == std::string::npos)
        ports.insert(text + port.substr(port.find('/')));
  return ports;
}

// What it publishes once it runs: without an address on every IPv4 one; the choice from a range is left out.
Json published(const Json& container) {
  Json ports = Json::object();
  for (const auto& [port, bindings] : part(container["HostConfig"], "PortBindings").items())
    for (const Json& binding : bindings) {
      const std::string host_port = binding.value("HostPort", "");
      const std::string address = binding.value("HostIp", "");
      if (host_port.empty() || host_port.find('-') != std::string::npos) continue;
      ports[port].push_back({{"HostIp", address.empty() ? "0.0.0.0" : address}, {"HostPort", host_port}});
    }
  return ports;
}

}  // namespace

struct EngineModel::Parts {
  std::map<std::string, Json> containers;  // by ID
  std::map<std::string, engine::Network> networks;
  std::map<std::string, engine::Volume> volumes;
  std::map<std::string, Image> images;
  CreatedIds created;
  int clock = 0;

  std::string new_id(const std::string& kind) { return Digest::of(kind + std::to_string(++clock)).hex(); }

  std::string now() {
    ++clock;
    const std::string text = "2026-01-01T00:00:00." + std::to_string(100'000'000 + clock) + "Z";  // nanoseconds, nine digits
    return text;
  }

  Json& find(const std::string& id) {
    const auto found = containers.find(id);
    if (found == containers.end()) throw refusal("no such container " + id);
    return found->second;
  }

  Json* find_named(const std::string& name) {
    for (auto& [id, container] : containers)
      if (container["Name"] == "/" + name) return &container;
    return nullptr;
  }

  engine::Network* find_network(const std::string& name) {
    if (const auto by_id = networks.find(name); by_id != networks.end()) return &by_id->second;
    for (auto& [id, network] : networks)
      if (network.name == name) return &network;
    return nullptr;
  }

  std::string id_of(const ContainerTarget& target) const { return target.id.empty() ? created.at(target.step) : target.id; }

  std::string create(const std::string& name, const Json& body, engine::ApiVersion api);
  Json mounts(const Json& body, const Json& image);
  void start(Json& container);
  void stop(Json& container, int exit_code);
};

std::string EngineModel::Parts::create(const std::string& name, const Json& body, engine::ApiVersion api) {
  if (find_named(name)) throw refusal("the name " + name + " is taken");
  const auto image = images.find(body["Image"].get<std::string>());
  if (image == images.end()) throw refusal("no such image " + body["Image"].get<std::string>());
  const std::string id = new_id("container");
  Json config = body;
  config.erase("HostConfig");
  config.erase("NetworkingConfig");
  for (const auto& [key, value] : image->second.config.items()) {
    if (key == "Env") {
      for (const Json& line : value) config["Env"].push_back(line);
    } else if (!config.contains(key)) {
      config[key] = value;
    }
  }
  Json networks_there = Json::object();
  for (const auto& [network, endpoint] : part(part(body, "NetworkingConfig"), "EndpointsConfig").items()) {
    const engine::Network* there = find_network(network);
    if (there && api.minor >= 44) check_address(*there, endpoint);
    networks_there[network] = endpoint;
    networks_there[network]["NetworkID"] = "";
  }
  containers[id] = {{"Id", id},
                    {"Name", "/" + name},
                    {"Created", now()},
                    {"Image", image->second.id},
                    {"State",
                     {{"Status", "created"},
                      {"Running", false},
                      {"StartedAt", "0001-01-01T00:00:00Z"},
                      {"FinishedAt", "0001-01-01T00:00:00Z"},
                      {"ExitCode", 0}}},
                    {"Config", config},
                    {"HostConfig", body.value("HostConfig", Json::object())},
                    {"Mounts", mounts(body, image->second.config)},
                    {"NetworkSettings", {{"Networks", networks_there}}}};
  return id;
}

Json EngineModel::Parts::mounts(const Json& body, const Json& image) {
  const Json host = body.value("HostConfig", Json::object());
  Json list = Json::array();
  for (const Json& bind : host.value("Binds", Json::array())) list.push_back(mount_of_bind(bind.get<std::string>()));
  for (const Json& mount : host.value("Mounts", Json::array()))
    list.push_back({{"Type", mount["Type"]},
                    {"Name", mount["Type"] == "volume" ? mount.value("Source", "") : ""},
                    {"Source", mount.value("Source", "")},
                    {"Destination", mount["Target"]},
                    {"RW", !mount.value("ReadOnly", false)}});
  for (const auto& [target, nothing] : part(image, "Volumes").items()) {
    const bool is_covered =
        std::any_of(list.begin(), list.end(), [&](const Json& mount) { return mount["Destination"] == target; });
    if (!is_covered) list.push_back({{"Type", "volume"}, {"Name", ""}, {"Source", ""}, {"Destination", target}, {"RW", true}});
  }
  for (Json& mount : list) {
    if (mount["Type"] != "volume") continue;
    if (mount["Name"] == "") {
      mount["Name"] = new_id("volume");
      volumes[mount["Name"]] = {.name = mount["Name"], .driver = "local", .labels = {{"com.docker.volume.anonymous", ""}}};
    }
    if (!volumes.contains(mount["Name"]))
      throw refusal("volume " + mount["Name"].get<std::string>() + " would be made without labels");
  }
  return list;
}

void EngineModel::Parts::start(Json& container) {
  Json& state = container["State"];
  if (state["Running"] == true) return;
  const std::string mode = container["HostConfig"].value("NetworkMode", "");
  if (mode.starts_with("container:") && find(mode.substr(10))["State"]["Running"] != true)
    throw refusal("cannot join the network of a container that does not run");
  for (auto& [name, endpoint] : container["NetworkSettings"]["Networks"].items()) {
    const std::string known = endpoint.value("NetworkID", "");
    const engine::Network* network = find_network(known.empty() ? name : known);
    if (!network) throw refusal("network " + (known.empty() ? name : known) + " not found");
    check_address(*network, endpoint);
    endpoint["NetworkID"] = network->id;
  }
  const std::set<std::string> needed = host_ports(container);
  for (const auto& [id, other] : containers) {
    if (other["State"]["Running"] != true) continue;
    for (const std::string& port : host_ports(other))
      if (needed.contains(port)) throw refusal("port " + port + " is already allocated");
    for (const auto& [name, endpoint] : container["NetworkSettings"]["Networks"].items()) {
      const std::string address = endpoint.value("IPAMConfig", Json::object()).value("IPv4Address", "");
      const Json there = other["NetworkSettings"]["Networks"].value(name, Json::object());
      if (!address.empty() && there.value("IPAMConfig", Json::object()).value("IPv4Address", "") == address)
        throw refusal("address " + address + " already in use");
    }
  }
  container["NetworkSettings"]["Ports"] = published(container);
  state["Status"] = "running";
  state["Running"] = true;
  state["StartedAt"] = now();
  const Json check = container["Config"].value("Healthcheck", Json::object()).value("Test", Json::array());
  if (!check.empty() && check[0] != "NONE") state["Health"] = {{"Status", "healthy"}};
}

void EngineModel::Parts::stop(Json& container, int exit_code) {
  Json& state = container["State"];
  if (state["Running"] != true) return;
  container["NetworkSettings"]["Ports"] = Json::object();
  state["Status"] = "exited";
  state["Running"] = false;
  state["Paused"] = false;
  state["ExitCode"] = exit_code;
  state["FinishedAt"] = now();
}

EngineModel::EngineModel() : parts_(std::make_unique<Parts>()) {}

EngineModel::~EngineModel() = default;

EngineModel::EngineModel(const EngineModel& other) : api(other.api), parts_(std::make_unique<Parts>(*other.parts_)) {}

EngineModel& EngineModel::operator=(const EngineModel& other) {
  api = other.api;
  parts_ = std::make_unique<Parts>(*other.parts_);
  return *this;
}

void EngineModel::set_image(const std::string& reference, const std::string& content, const Json& config) {
  parts_->images[reference] = {.id = Digest::of(content).to_string(), .config = config};
}

void EngineModel::set_image(const std::string& reference, const std::string& content) {
  set_image(reference, content, Json::object());
}

void EngineModel::remove_image(const std::string& reference) {
  parts_->images.erase(reference);
}

void EngineModel::add_network(const engine::NetworkRequest& request) {
  const std::string id = parts_->new_id("network");
  parts_->networks[id] = {.id = id,
                          .name = request.name,
                          .driver = request.driver,
                          .is_internal = request.is_internal,
                          .is_attachable = request.is_attachable,
                          .has_ipv6 = request.has_ipv6.value_or(false),
                          .ipam = request.ipam,
                          .options = request.options,
                          .labels = request.labels};
}

void EngineModel::add_volume(const engine::VolumeRequest& request, std::optional<std::int64_t> size_bytes) {
  parts_->volumes[request.name] = {.name = request.name,
                                   .driver = request.driver.empty() ? "local" : request.driver,
                                   .labels = request.labels,
                                   .options = request.options,
                                   .size_bytes = size_bytes};
}

Json& EngineModel::container(const std::string& name) {
  Json* found = parts_->find_named(name);
  if (!found) throw refusal("no container " + name);
  return *found;
}

std::string EngineModel::add_container(const std::string& name, const Json& body, bool runs) {
  const std::string id = parts_->create(name, body, api);
  if (runs) parts_->start(parts_->find(id));
  return id;
}

void EngineModel::start(const std::string& name) {
  parts_->start(container(name));
}

void EngineModel::stop(const std::string& name, int exit_code) {
  parts_->stop(container(name), exit_code);
}

void EngineModel::rename(const std::string& from, const std::string& to) {
  if (parts_->find_named(to)) throw refusal("the name " + to + " is taken");
  container(from)["Name"] = "/" + to;
}

void EngineModel::remove(const std::string& name) {
  parts_->containers.erase(container(name)["Id"].get<std::string>());
}

namespace {

// What a wait is for: here it comes true at once, or never.
void await(const Await& wait, Json& container) {
  Json& state = container["State"];
  const bool runs = state["Running"] == true;
  if (wait.until == Await::Until::completed) {
    state["Running"] = false;
    state["Status"] = "exited";
    return;
  }
  if (!runs && wait.is_required) throw refusal("wait for " + container["Name"].get<std::string>() + ", which does not run");
}

}  // namespace

void EngineModel::apply(const Step& step) {
  Parts& parts = *parts_;
  if (const auto* create = std::get_if<CreateContainer>(&step.action)) {
    parts.created[step.id] = step.is_done ? step.done_id : parts.create(create->name, *create->body(parts.created).body, api);
    return;
  }
  if (step.is_done) return;
  if (const auto* create = std::get_if<CreateNetwork>(&step.action)) {
    if (parts.find_network(create->request.name)) throw refusal("there is a network " + create->request.name);
    add_network(create->request);
  } else if (const auto* removal = std::get_if<RemoveNetwork>(&step.action)) {
    for (const auto& [id, container] : parts.containers)
      for (const auto& [name, endpoint] : container["NetworkSettings"]["Networks"].items())
        if (endpoint["NetworkID"] == removal->id && container["State"]["Running"] == true)
          throw refusal("the network has active endpoints");
    if (parts.networks.erase(removal->id) == 0) throw refusal("no network " + removal->id);
  } else if (const auto* connect = std::get_if<ConnectNetwork>(&step.action)) {
    const engine::Network* network = parts.find_network(connect->network);
    if (!network) throw refusal("no network " + connect->network);
    Json& place = parts.find(parts.id_of(connect->container))["NetworkSettings"]["Networks"][connect->network];
    if (!place.is_null()) throw refusal("is in network " + connect->network + " already");
    check_address(*network, engine::to_json(connect->settings));
    place = engine::to_json(connect->settings);
    place["NetworkID"] = network->id;
  } else if (const auto* disconnect = std::get_if<DisconnectNetwork>(&step.action)) {
    if (parts.find(parts.id_of(disconnect->container))["NetworkSettings"]["Networks"].erase(disconnect->network) == 0)
      throw refusal("is not in network " + disconnect->network);
  } else if (const auto* volume = std::get_if<CreateVolume>(&step.action)) {
    add_volume(volume->request);
  } else if (const auto* file = std::get_if<WriteFile>(&step.action)) {
    if (parts.find(parts.id_of(file->container))["State"]["Running"] == true)
      throw refusal("a file is written into a container that runs");
  } else if (const auto* start = std::get_if<StartContainer>(&step.action)) {
    parts.start(parts.find(parts.id_of(start->container)));
  } else if (const auto* stop = std::get_if<StopContainer>(&step.action)) {
    parts.stop(parts.find(parts.id_of(stop->container)), 143);
  } else if (const auto* restart = std::get_if<RestartContainer>(&step.action)) {
    Json& container = parts.find(parts.id_of(restart->container));
    parts.stop(container, 143);
    parts.start(container);
  } else if (const auto* renaming = std::get_if<RenameContainer>(&step.action)) {
    Json& container = parts.find(parts.id_of(renaming->container));
    if (container["Name"] != "/" + renaming->from) throw refusal("is not named " + renaming->from);
    if (parts.find_named(renaming->to)) throw refusal("the name " + renaming->to + " is taken");
    container["Name"] = "/" + renaming->to;
  } else if (const auto* gone = std::get_if<RemoveContainer>(&step.action)) {
    const std::string id = parts.id_of(gone->container);
    if (parts.find(id)["State"]["Running"] == true && !gone->force) throw refusal("a container that runs is removed");
    parts.containers.erase(id);
  } else if (const auto* hook = std::get_if<RunHook>(&step.action)) {
    if (parts.find(parts.id_of(hook->container))["State"]["Running"] != true)
      throw refusal("a hook in a container that does not run");
  } else if (const auto* wait = std::get_if<Await>(&step.action)) {
    await(*wait, parts.find(parts.id_of(wait->container)));
  } else {
    throw refusal("a step that must not be: " + std::string(operation_of(step.action)));
  }
}

void EngineModel::apply(const Plan& plan) {
  parts_->created.clear();
  for (const Step& step : plan.steps) apply(step);
}

ProjectState EngineModel::state(const std::string& project) const {
  ProjectState state{.api = api};
  for (const auto& [id, container] : parts_->containers) {
    auto details = engine::parse_container_details(container);
    const std::string owner = label_of(*details, project_label);
    if (owner == project) {
      state.containers.push_back(std::move(*details));
      continue;
    }
    state.names_taken[details->name] = id;
    for (const HostPort& port : ports_held_by(*details)) state.ports_taken.push_back({details->name, port.address, port.port, port.protocol});
    if (!owner.empty()) state.other_projects[owner].insert(label_of(*details, working_directory_label));
  }
  std::sort(state.containers.begin(), state.containers.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& [id, network] : parts_->networks) state.networks.push_back(network);
  for (engine::Network& network : state.networks)
    for (const auto& [id, container] : parts_->containers)
      if (container["NetworkSettings"]["Networks"].value(network.name, Json::object()).value("NetworkID", "") == network.id &&
          container["State"]["Running"] == true)
        network.members.push_back({.container_id = id, .name = container["Name"].get<std::string>().substr(1)});
  for (const auto& [name, volume] : parts_->volumes) state.volumes.push_back(volume);
  for (const auto& [reference, image] : parts_->images)
    state.images[reference] = {.id = image.id, .platform = "linux/amd64", .config = engine::parse_container_config(image.config)};
  return state;
}

std::vector<std::string> EngineModel::names() const {
  std::vector<std::string> names;
  for (const auto& [id, container] : parts_->containers)
    names.push_back(container["Name"].get<std::string>().substr(1) + " " + container["State"]["Status"].get<std::string>());
  std::sort(names.begin(), names.end());
  return names;
}

bool EngineModel::has_volume(const std::string& name) const {
  return parts_->volumes.contains(name);
}

std::vector<std::string> EngineModel::volume_names() const {
  std::vector<std::string> names;
  for (const auto& [name, volume] : parts_->volumes) names.push_back(name);
  return names;
}

}  // namespace drover::compose
