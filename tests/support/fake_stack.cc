#include "tests/support/fake_stack.h"

#include "base/text.h"
#include "tests/support/fake_image_store.h"
#include "tests/support/subnet.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::test {
namespace {

using nlohmann::json;

constexpr std::int64_t event_nanoseconds = 100'000'000;

FakeEngine::Answer refusal(int status, const std::string& message) { return {.status = status, .body = json{{"message", message}}.dump()}; }

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size();
    out += is_escape ? static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)) : text[i];
    if (is_escape) i += 2;
  }
  return out;
}

std::string parameter(std::string_view target, std::string_view name) {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {};
  for (const std::string_view pair : split(target.substr(mark + 1), '&')) {
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=') return decoded(pair.substr(name.size() + 1));
  }
  return {};
}

std::string frame(const std::string& text) {
  if (text.empty()) return {};
  return std::string{1, 0, 0, 0, 0, 0, static_cast<char>(text.size() >> 8U), static_cast<char>(text.size())} + text;
}

std::map<std::string, std::string> texts(const json& object) { return object.is_object() ? object.get<std::map<std::string, std::string>>() : std::map<std::string, std::string>(); }

// Null where there is none.
const json& member(const json& object, const char* name) {
  static const json none;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : none;
}

std::string text_member(const json& object, const char* name) {
  const json& text = member(object, name);
  return text.is_string() ? text.get<std::string>() : std::string();
}

std::string address_of(const json& endpoint) { return text_member(member(endpoint, "IPAMConfig"), "IPv4Address"); }

std::vector<std::string> subnets_of(const json& body) {
  std::vector<std::string> subnets;
  for (const json& pool : member(member(body, "IPAM"), "Config")) subnets.push_back(text_member(pool, "Subnet"));
  return subnets;
}

json ipam(const std::vector<std::string>& subnets) {
  json pools = json::array();
  for (const std::string& subnet : subnets) pools.push_back({{"Subnet", subnet}});
  return {{"Driver", "default"}, {"Config", pools}};
}

}  // namespace

FakeStack::FakeStack(FakeEngine& engine) : engine_(engine) {
  engine.answer_with([this](const EngineRequest& request) { return answer(request); });
}

FakeStack::~FakeStack() {
  let_stop();
  engine_.answer_with({});
}

void FakeStack::set_behaviour(const std::string& image, FakeImageBehaviour behaviour) {
  const std::scoped_lock lock(mutex_);
  behaviours_[image] = std::move(behaviour);
}

std::string FakeStack::add_running(const std::string& name, const std::string& image, const json& body) {
  json whole = body;
  whole["Image"] = image;
  const std::scoped_lock lock(mutex_);
  const Answer made = create({.method = "POST", .target = "/v1.41/containers/create?name=" + name, .headers = {}, .body = whole.dump()});
  Container& container = containers_.at(json::parse(made.body).at("Id"));
  container.status = "running";
  container.health = behaviour(container).health;
  deeds_.clear();
  return container.id;
}

void FakeStack::add_network(const std::string& name, std::map<std::string, std::string> labels, std::map<std::string, std::string> options) {
  const std::scoped_lock lock(mutex_);
  networks_[name] = {.id = "net" + std::to_string(++made_), .labels = std::move(labels), .options = std::move(options)};
}

void FakeStack::let_stop() {
  const std::scoped_lock lock(mutex_);
  may_stop_ = true;
  changed_.notify_all();
}

std::string FakeStack::text() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [id, container] : containers_) lines.push_back(container.name + " " + container.image + " " + container.status + "\n");
  std::sort(lines.begin(), lines.end());
  for (const auto& [name, network] : networks_) {
    std::string line = "network " + name;
    for (const std::string& subnet : network.subnets) line += " " + subnet;
    for (const auto& [key, value] : network.options) line += " " + key + "=" + value;
    std::vector<std::string> members;
    for (const auto& [id, container] : containers_) {
      const auto found = container.networks.find(name);
      if (found != container.networks.end()) members.push_back(container.name + "(" + found->second + ")");
    }
    std::sort(members.begin(), members.end());
    lines.push_back(line + ": " + join(members, " ") + "\n");
  }
  return join(lines, "");
}

std::string FakeStack::id_of(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, container] : containers_) if (container.name == name) return id;
  return {};
}

std::map<std::string, std::string> FakeStack::files_of(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, container] : containers_) if (container.name == name) return container.files;
  return {};
}

void FakeStack::lose_answer(const std::string& kind, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  losses_.push_back(kind + " " + name);
}

void FakeStack::refuse(const std::string& kind, const std::string& name, int status, std::function<void()> then) {
  const std::scoped_lock lock(mutex_);
  refusals_.push_back({kind + " " + name, status, std::move(then)});
}

void FakeStack::restart() {
  const std::scoped_lock lock(mutex_);
  for (auto& [id, container] : containers_) {
    if (container.status == "running") end(container, 137);
  }
  for (auto& [id, container] : containers_) {
    if (container.restart_policy == "always" && container.status == "exited" && port_taken_by(container).empty()) {
      container.status = "running";
      tell(container, "start");
    }
  }
}

std::vector<std::string> FakeStack::deeds() const {
  const std::scoped_lock lock(mutex_);
  return deeds_;
}

std::optional<FakeEngine::Answer> FakeStack::answer(const EngineRequest& request) {
  std::unique_lock lock(mutex_);
  return route(lock, request);
}

std::optional<FakeEngine::Answer> FakeStack::route(std::unique_lock<std::mutex>& lock, const EngineRequest& request) {
  const std::size_t version = request.target.find('/', 1);
  if (version == std::string::npos) return std::nullopt;
  const std::string target = request.target.substr(version);
  const std::vector<std::string_view> parts = split(std::string_view(target).substr(1, target.find('?') - 1), '/');
  const std::string object = parts.size() > 1 ? decoded(parts[1]) : "";
  const std::string action = parts.size() > 2 ? std::string(parts[2]) : "";
  if (parts[0] == "containers" && object == "create") {
    if (auto fault = scripted("create", parameter(target, "name")); fault && !fault->is_lost) return fault;
    Answer made = create(request);
    if (std::erase(losses_, "create " + parameter(target, "name")) > 0) made.is_lost = true;
    return made;
  }
  if (parts[0] == "containers" && object == "json") return Answer{.body = list().dump()};
  if (parts[0] == "networks" && object.empty()) return Answer{.body = list_networks().dump()};
  if (parts[0] == "containers") return answer_container(lock, request, object, action);
  if (parts[0] == "exec" && action == "start") {
    const Container* const container = find(object.substr(4));
    return Answer{.raw = "HTTP/1.1 101 UPGRADED\r\nApi-Version: 1.41\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" +
                         frame(container == nullptr ? "" : behaviour(*container).hook_output)};
  }
  if (parts[0] == "exec") {
    const Container* const container = find(object.substr(4));
    return Answer{.body = json{{"ID", object}, {"Running", false}, {"ExitCode", container == nullptr ? 1 : behaviour(*container).hook_exit_code}}.dump()};
  }
  if (parts[0] == "networks" && !object.empty()) return answer_network(request, object, action);
  if (parts[0] == "volumes" && object == "create") {
    note("create", json::parse(request.body).at("Name"));
    return Answer{.status = 201, .body = json{{"Name", json::parse(request.body).at("Name")}}.dump()};
  }
  return std::nullopt;
}

FakeStack::Container* FakeStack::find(const std::string& name) {
  for (auto& [id, container] : containers_) if (id == name || container.name == name) return &container;
  return nullptr;
}

std::optional<FakeEngine::Answer> FakeStack::scripted(const std::string& kind, const std::string& name) {
  const auto found = std::find_if(refusals_.begin(), refusals_.end(), [&](const Refusal& refusal) { return refusal.key == kind + " " + name; });
  if (found == refusals_.end()) return std::nullopt;
  const Refusal scripted = *found;
  refusals_.erase(found);
  if (scripted.then) scripted.then();
  return refusal(scripted.status, "scripted: no " + kind + " of " + name);
}

std::optional<FakeEngine::Answer> FakeStack::answer_container(std::unique_lock<std::mutex>& lock, const EngineRequest& request, const std::string& name, const std::string& action) {
  Container* const container = find(name);
  if (container == nullptr) return refusal(404, "No such container: " + name);
  if (request.method == "GET" && action == "json") return Answer{.body = inspect(*container).dump()};
  if (request.method == "GET" && action == "logs") return logs(*container);
  const std::string kind = request.method == "DELETE" ? "remove" : action == "archive" ? "write" : action;
  const std::string key = kind + " " + container->name;
  if (auto fault = scripted(kind, container->name)) return fault;
  std::optional<Answer> answer;
  if (kind == "start") answer = start(*container);
  if (kind == "stop") answer = stop(lock, *container);
  if (kind == "restart") {
    answer = stop(lock, *container);
    if (answer->status < 400) answer = start(*container);
  }
  if (kind == "rename") answer = rename(*container, parameter(request.target, "name"));
  if (kind == "remove") answer = remove(*container, parameter(request.target, "force") == "1");
  if (kind == "write") answer = write(*container, request);
  if (kind == "exec") {
    note("exec", container->name);
    answer = container->status == "running" ? Answer{.status = 201, .body = json{{"Id", "exec" + container->id}}.dump()} : refusal(409, "Container " + name + " is not running");
  }
  if (answer && std::erase(losses_, key) > 0) answer->is_lost = true;
  return answer;
}

FakeEngine::Answer FakeStack::create(const EngineRequest& request) {
  const json body = json::parse(request.body);
  Container container{.id = {}, .name = parameter(request.target, "name"), .image = body.at("Image")};
  if (const Container* const holder = find(container.name)) {
    return refusal(409, "Conflict. The container name \"/" + container.name + "\" is already in use by container \"" + holder->id + "\".");
  }
  if (const std::string& text = behaviours_[container.image].create_refusal; !text.empty()) return refusal(400, text);
  const std::string number = std::to_string(++made_);
  container.id = number + std::string(64 - number.size(), 'e');
  container.labels = texts(member(body, "Labels"));
  const json& host = member(body, "HostConfig");
  for (const auto& [port, bindings] : member(host, "PortBindings").items()) {
    for (const json& binding : bindings) container.host_ports.push_back(text_member(binding, "HostPort"));
  }
  container.restart_policy = text_member(member(host, "RestartPolicy"), "Name");
  for (const auto& [network, endpoint] : member(member(body, "NetworkingConfig"), "EndpointsConfig").items()) {
    if (const std::string text = refused_address(network, address_of(endpoint)); !text.empty()) return refusal(400, text);
    container.networks[network] = address_of(endpoint);
  }
  note("create", container.name);
  const std::string id = container.id;
  containers_[id] = std::move(container);
  return {.status = 201, .body = json{{"Id", id}, {"Warnings", json::array()}}.dump()};
}

// As engines from 25.0 on at create and connect, and all at start; of a network that is not there, or has no subnet here, nothing is known.
std::string FakeStack::refused_address(const std::string& network, const std::string& address) const {
  const auto found = networks_.find(network);
  if (found == networks_.end() || address.empty()) return {};
  const std::vector<std::string>& subnets = found->second.subnets;
  const bool has_pool = std::any_of(subnets.begin(), subnets.end(), [&](const std::string& subnet) { return is_in_subnet(address, subnet); });
  return has_pool || subnets.empty() ? "" : "invalid config for network " + network + ": invalid endpoint settings: no configured subnet or ip-range contain the IP address " + address;
}

std::string FakeStack::port_taken_by(const Container& container) const {
  for (const auto& [id, other] : containers_) {
    if (id == container.id || other.status != "running") continue;
    for (const std::string& port : container.host_ports) {
      if (std::find(other.host_ports.begin(), other.host_ports.end(), port) != other.host_ports.end()) return port;
    }
  }
  return {};
}

FakeEngine::Answer FakeStack::start(Container& container) {
  if (container.status == "running") return {.status = 304};
  const FakeImageBehaviour& own = behaviour(container);
  if (!own.start_refusal.empty()) return refusal(500, own.start_refusal);
  if (const std::string port = port_taken_by(container); !port.empty()) {
    return refusal(500, "driver failed programming external connectivity on endpoint " + container.name + ": Bind for 0.0.0.0:" + port + " failed: port is already allocated");
  }
  for (const auto& [network, address] : container.networks) {
    if (const std::string text = refused_address(network, address); !text.empty()) return refusal(500, text);
  }
  note("start", container.name);
  container.status = "running";
  container.health = own.health.empty() ? "" : "starting";
  tell(container, "start");
  if (own.exits_with) {
    end(container, *own.exits_with);
    if (container.restart_policy == "always") {
      // It comes up and goes down again until somebody stops it; told thrice.
      for (int i = 0; i < 3; ++i) {
        ++container.restart_count;
        tell(container, "start");
        tell(container, "die");
      }
      container.status = "restarting";
    }
    return {.status = 204};
  }
  if (own.health == "healthy" || own.health == "unhealthy") {
    container.health = own.health;
    tell(container, "health_status: " + own.health);
  }
  return {.status = 204};
}

FakeEngine::Answer FakeStack::stop(std::unique_lock<std::mutex>& lock, Container& container) {
  if (container.status != "running" && container.status != "restarting") return {.status = 304};
  const std::string id = container.id;
  note("stop", container.name);
  if (behaviour(container).stops_when_told) changed_.wait(lock, [this] { return may_stop_; });
  if (Container* const still = find(id)) end(*still, 0);
  return {.status = 204};
}

FakeEngine::Answer FakeStack::rename(Container& container, const std::string& name) {
  if (find(name) != nullptr) return refusal(409, "Conflict. The container name \"/" + name + "\" is already in use by container \"" + find(name)->id + "\".");
  note("rename", container.name);
  container.name = name;
  return {.status = 204};
}

FakeEngine::Answer FakeStack::remove(Container& container, bool is_forced) {
  if (container.status == "running" && !is_forced) return refusal(409, "You cannot remove a running container " + container.id + ". Stop the container before attempting removal or force remove");
  note("remove", container.name);
  if (container.status == "running") end(container, 137);
  tell(container, "destroy");
  containers_.erase(std::string(container.id));
  return {.status = 204};
}

FakeEngine::Answer FakeStack::write(Container& container, const EngineRequest& request) {
  note("write", container.name);
  for (const auto& [path, content] : read_tar(request.body)) container.files[path] = content;
  return {.status = 200};
}

FakeEngine::Answer FakeStack::logs(const Container& container) const { return {.status = 200, .body = frame(behaviour(container).log)}; }

std::optional<FakeEngine::Answer> FakeStack::answer_network(const EngineRequest& request, const std::string& name, const std::string& action) {
  if (name == "create") {
    const json body = json::parse(request.body);
    const std::string own = body.at("Name");
    if (networks_.contains(own)) return refusal(409, "network with name " + own + " already exists");
    note("create", own);
    networks_[own] = {.id = "net" + std::to_string(++made_), .labels = texts(member(body, "Labels")), .options = texts(member(body, "Options")), .subnets = subnets_of(body)};
    return Answer{.status = 201, .body = json{{"Id", networks_[own].id}}.dump()};
  }
  const auto found = std::find_if(networks_.begin(), networks_.end(), [&](const auto& entry) { return entry.first == name || entry.second.id == name; });
  if (found == networks_.end()) return refusal(404, "network " + name + " not found");
  if (request.method == "GET") return Answer{.body = json{{"Id", found->second.id}, {"Name", found->first}, {"Labels", found->second.labels}, {"Options", found->second.options}, {"IPAM", ipam(found->second.subnets)}}.dump()};
  if (request.method == "DELETE") {
    const bool is_used = std::any_of(containers_.begin(), containers_.end(), [&](const auto& entry) { return entry.second.status == "running" && entry.second.networks.contains(found->first); });
    if (is_used) return refusal(403, "error while removing network: network " + name + " has active endpoints");
    note("remove", found->first);
    networks_.erase(found);
    return Answer{.status = 204};
  }
  const json body = json::parse(request.body);
  Container* const container = find(body.at("Container"));
  if (container == nullptr) return refusal(404, "No such container: " + body.at("Container").get<std::string>());
  if (auto fault = scripted(action, container->name)) return fault;
  note(action, container->name);
  if (action == "connect") {
    if (container->networks.contains(found->first)) return refusal(403, "endpoint with name " + container->name + " already exists in network " + found->first);
    const std::string address = address_of(member(body, "EndpointConfig"));
    if (const std::string text = refused_address(found->first, address); !text.empty()) return refusal(400, text);
    container->networks[found->first] = address;
  } else {
    container->networks.erase(found->first);
  }
  Answer answer{.status = 200};
  if (std::erase(losses_, action + " " + container->name) > 0) answer.is_lost = true;
  return answer;
}

void FakeStack::end(Container& container, std::int64_t code) {
  container.status = "exited";
  container.exit_code = code;
  tell(container, "die");
}

void FakeStack::tell(const Container& container, const std::string& action) {
  clock_ += event_nanoseconds;
  engine_.tell_event(json{{"Type", "container"},
                          {"Action", action},
                          {"Actor", {{"ID", container.id}, {"Attributes", {{"name", container.name}, {"exitCode", std::to_string(container.exit_code)}}}}},
                          {"time", clock_ / 1'000'000'000},
                          {"timeNano", clock_}}
                         .dump());
}

const FakeImageBehaviour& FakeStack::behaviour(const Container& container) const {
  static const FakeImageBehaviour ordinary;
  const auto found = behaviours_.find(container.image);
  return found == behaviours_.end() ? ordinary : found->second;
}

json FakeStack::list() const {
  json containers = json::array();
  for (const auto& [id, container] : containers_) {
    const bool runs = container.status == "running";
    std::string status = runs ? "Up 3 minutes" : container.status == "exited" ? "Exited (" + std::to_string(container.exit_code) + ") 2 minutes ago" : "Created";
    if (runs && !container.health.empty()) status += container.health == "starting" ? " (health: starting)" : " (" + container.health + ")";
    containers.push_back({{"Id", id},
                          {"Names", {"/" + container.name}},
                          {"Image", container.image},
                          {"Command", "run --for ever and a day"},
                          {"Created", 1'700'000'000},
                          {"State", container.status},
                          {"Status", status},
                          {"Labels", container.labels}});
  }
  return containers;
}

json FakeStack::list_networks() const {
  json networks = json::array();
  for (const auto& [name, network] : networks_) networks.push_back({{"Id", network.id}, {"Name", name}, {"Labels", network.labels}, {"Options", network.options}, {"IPAM", ipam(network.subnets)}});
  return networks;
}

json FakeStack::inspect(const Container& container) const {
  const bool runs = container.status == "running" || container.status == "restarting";
  json state{{"Status", container.status}, {"Running", runs}, {"Restarting", container.status == "restarting"}, {"ExitCode", container.exit_code}};
  if (!container.health.empty()) {
    json log = json::array();
    if (container.health == "unhealthy") log.push_back({{"ExitCode", 1}, {"Output", behaviour(container).probe_output}});
    state["Health"] = {{"Status", container.health}, {"Log", log}};
  }
  json networks = json::object();
  for (const auto& [name, address] : container.networks) {
    const auto network = networks_.find(name);
    const bool is_known = network != networks_.end() && container.status != "created";
    networks[name] = {{"NetworkID", is_known ? network->second.id : ""}, {"IPAMConfig", {{"IPv4Address", address}}}};
  }
  return {{"Id", container.id},
          {"Name", "/" + container.name},
          {"RestartCount", container.restart_count},
          {"State", state},
          {"Config", {{"Labels", container.labels}, {"Tty", false}}},
          {"HostConfig", {{"RestartPolicy", {{"Name", container.restart_policy}}}}},
          {"NetworkSettings", {{"Networks", networks}}}};
}

}  // namespace drover::test
