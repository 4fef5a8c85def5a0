#include "stack/perform_step.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/container_files.h"
#include "engine/containers.h"
#include "engine/engine_failure.h"
#include "engine/exec.h"
#include "engine/networks.h"
#include "engine/volumes.h"
#include "store/tar_writer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

namespace drover::stack {
namespace {

using namespace compose;

constexpr std::size_t hook_output_bytes_max = 4096;
constexpr std::size_t tar_name_bytes_max = 100;  // store/tar_writer.h

// All of `wanted`, and perhaps more.
bool has_all(const std::map<std::string, std::string>& labels, const nlohmann::json& wanted) {
  if (!wanted.is_object()) return true;
  return std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& item) {
    const auto found = labels.find(item.key());
    return found != labels.end() && item.value() == found->second;
  });
}

net::BodySource source_of(std::string bytes) {
  return [bytes = std::move(bytes), at = std::size_t{0}](std::span<std::byte> space) mutable {
    const std::size_t count = std::min(space.size(), bytes.size() - at);
    std::memcpy(space.data(), bytes.data() + at, count);
    at += count;
    return count;
  };
}

class Performer {
 public:
  Performer(const Context& ctx, engine::Client& client, const CreatedIds& created) : ctx_(ctx), client_(client), created_(created) {}

  Deed operator()(const CreateNetwork& create) const {
    const std::string warning = engine::create_network(ctx_, client_, create.request).warning;
    if (!warning.empty()) ctx_.warn("network " + create.request.name + ": " + printable(warning));
    return {};
  }
  Deed operator()(const RemoveNetwork& remove) const {
    engine::remove_network(ctx_, client_, remove.id);
    return {};
  }
  Deed operator()(const ConnectNetwork& connect) const {
    engine::connect_network(ctx_, client_, connect.network, id_of(connect.container), connect.settings);
    return {};
  }
  Deed operator()(const DisconnectNetwork& disconnect) const {
    engine::disconnect_network(ctx_, client_, disconnect.network, id_of(disconnect.container), {.force = true});
    return {};
  }
  Deed operator()(const CreateVolume& create) const {
    engine::create_volume(ctx_, client_, create.request);
    return {};
  }
  Deed operator()(const RemoveVolume& remove) const {
    engine::remove_volume(ctx_, client_, remove.name);
    return {};
  }
  Deed operator()(const CreateContainer& create) const {
    const CreateBody body = create.body(created_);
    const engine::CreatedContainer made = engine::create_container(ctx_, client_, {.name = create.name, .platform = body.platform}, *body.body);
    for (const std::string& warning : made.warnings) ctx_.warn("container " + create.name + ": " + printable(warning));
    return {.created_id = made.id};
  }
  Deed operator()(const WriteFile& file) const;
  Deed operator()(const StartContainer& start) const {
    return {.has_started = engine::start_container(ctx_, client_, id_of(start.container))};
  }
  Deed operator()(const StopContainer& stop) const {
    engine::stop_container(ctx_, client_, id_of(stop.container), {.timeout = stop.timeout});
    return {};
  }
  Deed operator()(const RestartContainer& restart) const {
    engine::restart_container(ctx_, client_, id_of(restart.container), {.timeout = restart.timeout});
    return {};
  }
  Deed operator()(const RenameContainer& rename) const;
  Deed operator()(const RemoveContainer& remove) const {
    engine::remove_container(ctx_, client_, id_of(remove.container), {.volumes = remove.with_anonymous_volumes, .force = remove.force});
    return {};
  }
  Deed operator()(const RunHook& run) const;
  Deed operator()(const Await&) const { throw Error(ErrorCode::failed, "a wait is no call"); }

 private:
  std::string id_of(const ContainerTarget& target) const {
    std::string id = resolve(target, created_);
    if (id.empty()) throw Error(ErrorCode::failed, "the container of step #" + std::to_string(target.step) + " was not created");
    return id;
  }

  const Context& ctx_;
  engine::Client& client_;
  const CreatedIds& created_;
};

// While a container ends, 20.10 refuses: "sandbox … not found" (404), since it wants to tell the container's networks of the new name.
Deed Performer::operator()(const RenameContainer& rename) const {
  constexpr std::chrono::milliseconds pause{50};
  constexpr int tries_max = 40;
  const std::string id = id_of(rename.container);
  for (int tries = 1;; ++tries) {
    try {
      engine::rename_container(ctx_, client_, id, rename.to);
      return {};
    } catch (const engine::EngineFailure& failure) {
      const bool may_pass = failure.status == 404 || failure.status == 500;
      if (!may_pass || tries == tries_max) throw;
      const auto details = engine::find_container(ctx_, client_, id);
      if (!details || details->name == rename.to) throw;
    }
    ctx_.clock->sleep_for(pause, ctx_.stop);
    ctx_.check_stop();
  }
}

// From the root, so that the engine makes the folders on the way, as `docker compose` does; a long path from its folder.
Deed Performer::operator()(const WriteFile& file) const {
  std::string folder = "/";
  std::string name(file.path.substr(std::min(file.path.find_first_not_of('/'), file.path.size())));
  if (name.size() > tar_name_bytes_max) {
    const std::size_t slash = file.path.rfind('/');
    folder = file.path.substr(0, slash);
    name = file.path.substr(slash + 1);
  }
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(ctx_.clock->system_now().time_since_epoch());
  std::string tar;
  store::TarWriter writer([&](std::span<const std::byte> bytes) { tar += as_text(bytes); });
  writer.add(name, file.content, {.mode = file.mode, .uid = file.uid, .gid = file.gid, .time = now.count()});
  writer.finish();
  engine::write_container_files(ctx_, client_, id_of(file.container), folder, source_of(std::move(tar)));
  return {};
}

Deed Performer::operator()(const RunHook& run) const {
  if (!run.hook.command || run.hook.command->empty()) return {};
  std::vector<std::string> environment;  // a variable without a value is unset
  for (const auto& [name, value] : run.hook.environment) environment.push_back(value ? name + "=" + *value : name);
  const engine::ExecRequest request{.command = *run.hook.command,
                                    .env = std::move(environment),
                                    .working_dir = run.hook.working_dir,
                                    .user = run.hook.user,
                                    .is_privileged = run.hook.is_privileged};
  std::string output;  // its end
  const std::int64_t code = engine::run_exec(ctx_, client_, id_of(run.container), request, {}, [&](engine::OutputStream, std::span<const std::byte> bytes) {
    output += as_text(bytes);
    if (output.size() > 2 * hook_output_bytes_max) output.erase(0, output.size() - hook_output_bytes_max);
  });
  if (code == 0) return {};
  const std::string_view end = trim(output);
  throw Error(ErrorCode::engine, "it exited with code " + std::to_string(code) +
                                     (end.empty() ? "" : ": " + printable(end.substr(end.size() - std::min<std::size_t>(end.size(), 300)))));
}

// Whether what a step is for is so.
class Looker {
 public:
  Looker(const Context& ctx, engine::Client& client, const CreatedIds& created) : ctx_(ctx), client_(client), created_(created) {}

  Aim operator()(const CreateNetwork& create) const {
    const auto network = engine::find_network(ctx_, client_, create.request.name);
    return {network && network->name == create.request.name && has_all(network->labels, create.request.labels)};
  }
  Aim operator()(const RemoveNetwork& remove) const { return {!engine::find_network(ctx_, client_, remove.id)}; }
  Aim operator()(const ConnectNetwork& connect) const;
  Aim operator()(const DisconnectNetwork& disconnect) const {
    const auto details = find(disconnect.container);
    return {!details || !details->network_settings.networks.contains(disconnect.network)};
  }
  Aim operator()(const CreateVolume&) const { return {}; }  // doing it again does no harm
  Aim operator()(const RemoveVolume& remove) const { return {!engine::find_volume(ctx_, client_, remove.name)}; }
  // Never started, and with every label that ours gets, the hash of its configuration among them.
  Aim operator()(const CreateContainer& create) const {
    const auto details = engine::find_container(ctx_, client_, create.name);
    if (!details || details->name != create.name || details->state.status != "created") return {};
    const auto body = create.body(created_).body;
    const auto labels = body->find("Labels");
    if (labels == body->end() || !has_all(details->config.labels, *labels)) return {};
    return {true, details->id};
  }
  Aim operator()(const WriteFile&) const { return {}; }
  // Whether one that has ended was started by us cannot be told from one that ran before: it is started again, as `up` does anyway.
  Aim operator()(const StartContainer& start) const {
    const auto details = find(start.container);
    return {details && details->state.is_running};
  }
  Aim operator()(const StopContainer& stop) const {
    const auto details = find(stop.container);
    return {!details || !details->state.is_running};
  }
  Aim operator()(const RestartContainer&) const { return {}; }
  Aim operator()(const RenameContainer& rename) const {
    const auto details = find(rename.container);
    return {details && details->name == rename.to};
  }
  Aim operator()(const RemoveContainer& remove) const;
  Aim operator()(const RunHook&) const { return {}; }
  Aim operator()(const Await&) const { return {}; }

 private:
  std::optional<engine::ContainerDetails> find(const ContainerTarget& target) const {
    const std::string id = resolve(target, created_);
    if (id.empty()) return std::nullopt;
    return engine::find_container(ctx_, client_, id);
  }

  const Context& ctx_;
  engine::Client& client_;
  const CreatedIds& created_;
};

// With the addresses that are asked for: else it is connected, but not as it should be.
Aim Looker::operator()(const ConnectNetwork& connect) const {
  const auto details = find(connect.container);
  if (!details) return {};
  const auto endpoint = details->network_settings.networks.find(connect.network);
  if (endpoint == details->network_settings.networks.end()) return {};
  const engine::EndpointIpam& is = endpoint->second.ipam;
  const engine::EndpointIpam& wanted = connect.settings.ipam;
  return {is.ipv4_address == wanted.ipv4_address && is.ipv6_address == wanted.ipv6_address};
}

// Somebody else may be at it: "removal of container … is already in progress".
Aim Looker::operator()(const RemoveContainer& remove) const {
  constexpr std::chrono::milliseconds pause{100};
  constexpr int looks_max = 600;  // a minute
  for (int looks = 0; looks < looks_max; ++looks) {
    const auto details = find(remove.container);
    if (!details) return {true};
    if (details->state.status != "removing") return {};
    ctx_.clock->sleep_for(pause, ctx_.stop);
    ctx_.check_stop();
  }
  return {};
}

}  // namespace

Deed perform_step(const Context& ctx, engine::Client& client, const Step& step, const CreatedIds& created) {
  return std::visit(Performer(ctx, client, created), step.action);
}

Aim look_for_aim(const Context& ctx, engine::Client& client, const Step& step, const CreatedIds& created) {
  return std::visit(Looker(ctx, client, created), step.action);
}

std::string resolve(const ContainerTarget& target, const CreatedIds& created) {
  if (!target.id.empty()) return target.id;
  const auto found = created.find(target.step);
  return found == created.end() ? std::string() : found->second;
}

}  // namespace drover::stack
