#include "compose/config_hash.h"

#include "base/text.h"
#include "compose/bound_model.h"
#include "compose/go_json.h"
#include "compose/quantity.h"
#include "digest/digest.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

namespace drover::compose {
namespace {

using Json = nlohmann::ordered_json;

using HostPath = HashEpochRow::HostPath;

constexpr HashEpochRow rows[] = {
    {.epoch = HashEpoch::compose_2_24,
     .first_release = "2.24.0",
     .has_dependencies = true,
     .has_profiles = true,
     .has_short_devices = true,
     .has_unset_variables = false,
     .has_decimal_modes = true,
     .has_old_network_order = true},
    {.epoch = HashEpoch::debian_2_26_1,
     .first_release = "2.26.1",
     .has_dependencies = true,
     .has_profiles = true,
     .has_decimal_modes = true,
     .has_old_network_order = true},
    {.epoch = HashEpoch::compose_2_29,
     .first_release = "2.29.0",
     .has_dependencies = true,
     .has_profiles = true,
     .has_short_devices = true,
     .has_decimal_modes = true,
     .has_old_network_order = true},
    {.epoch = HashEpoch::compose_2_30,
     .first_release = "2.30.0",
     .has_profiles = true,
     .has_decimal_modes = true,
     .has_old_network_order = true},
    {.epoch = HashEpoch::compose_2_31, .first_release = "2.31.0", .has_decimal_modes = true, .has_old_network_order = true},
    {.epoch = HashEpoch::compose_2_34, .first_release = "2.34.0", .has_old_network_order = true},
    {.epoch = HashEpoch::compose_2_36, .first_release = "2.36.0"},
    {.epoch = HashEpoch::compose_5_0_0, .first_release = "5.0.0", .host_path = HostPath::when_not_true},
    {.epoch = HashEpoch::compose_5_0_2, .first_release = "5.0.2", .host_path = HostPath::when_refused},
};

constexpr std::string_view debian_release = "2.26.1-";  // with Debian's own revision behind

// Major, minor, patch.
using Release = std::array<std::uint64_t, 3>;

std::optional<Release> parse_release(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  text = text.substr(0, text.find_first_of("-+"));
  const std::vector<std::string_view> parts = split(text, '.');
  Release release{};
  if (parts.size() > release.size()) return std::nullopt;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = parse_uint(parts[i]);
    if (!number) return std::nullopt;
    release[i] = *number;
  }
  return release;
}

const HashEpochRow& rules_of(HashEpoch epoch) {
  return *std::find_if(std::begin(rows), std::end(rows), [&](const HashEpochRow& row) { return row.epoch == epoch; });
}

class ServiceText {
 public:
  ServiceText(const Service& service, HashEpoch epoch, const SharedContainers& shared)
      : service_(service), rules_(rules_of(epoch)), shared_(shared), config_(*service.config) {}

  std::string print() {
    put_shared();
    put_platform();
    Json text = Json::object();
    for (const ModelShape& shape : model_shapes())
      if (shape.name == "Service") add_members(text, shape);
    return to_go_json(without_extensions(text), JsonLayout::compact);
  }

 private:
  void put_shared() {
    if (shared_.network_mode) config_["network_mode"] = *shared_.network_mode;
    if (shared_.ipc) config_["ipc"] = *shared_.ipc;
    if (shared_.pid) config_["pid"] = *shared_.pid;
    if (shared_.volumes_from) config_["volumes_from"] = *shared_.volumes_from;
  }

  // docker compose gives the default platform only to what it may build.
  void put_platform() {
    if (service_.has_build && service_.platform) config_["platform"] = *service_.platform;
  }

  bool is_hashed(std::string_view key) const {
    static const std::set<std::string_view> never = {"build", "pull_policy", "scale", "env_file"};
    if (never.contains(key)) return false;
    if (key == "depends_on") return rules_.has_dependencies;
    if (key == "profiles") return rules_.has_profiles;
    return true;
  }

  void add_members(Json& text, const ModelShape& shape) {
    for (const std::string_view word : split(shape.members, ' ')) {
      std::string key(word.substr(0, word.find(':')));
      if (key.ends_with('!')) key.pop_back();
      const auto member = config_.find(key);
      if (member == config_.end() || !is_hashed(key)) continue;
      Json value = of_epoch(key, *member);
      if (!value.empty() || key == "command" || key == "entrypoint" || value.is_object()) text[key] = std::move(value);
    }
  }

  Json of_epoch(const std::string& key, Json value) const {
    if (key == "deploy") value.erase("replicas");
    if (key == "devices" && rules_.has_short_devices) return short_devices(value);
    if (key == "environment" && !rules_.has_unset_variables) return without_nulls(value);
    if ((key == "configs" || key == "secrets") && rules_.has_decimal_modes) return with_decimal_modes(value);
    if (key == "networks" && rules_.has_old_network_order) return with_old_order(value);
    if (key == "volumes" && rules_.host_path != HostPath::when_true) return with_opt_out(value);
    return value;
  }

  static Json short_devices(const Json& devices) {
    Json list = Json::array();
    for (const Json& device : devices) {
      std::string text = device.value("source", "") + ":" + device.value("target", "");
      if (const std::string permissions = device.value("permissions", ""); permissions != "rwm") text += ":" + permissions;
      list.push_back(text);
    }
    return list;
  }

  // An environment that is left empty is not printed, as an array of nothing is not.
  static Json without_nulls(const Json& environment) {
    Json kept = Json::object();
    for (auto variable = environment.begin(); variable != environment.end(); ++variable)
      if (!variable->is_null()) kept[variable.key()] = *variable;
    return kept.empty() ? Json::array() : kept;
  }

  static Json with_decimal_modes(Json references) {
    for (Json& reference : references) {
      const auto mode = reference.find("mode");
      if (mode == reference.end()) continue;
      const auto written = reference.find(text_mode_key);
      const bool is_text = written != reference.end();
      *mode = is_text ? parse_integer(written->get<std::string>()).value_or(0) : std::stoll(mode->get<std::string>(), nullptr, 8);
    }
    return references;
  }

  static Json with_old_order(const Json& networks) {
    static constexpr std::string_view order[] = {"priority",
                                                 "gw_priority",
                                                 "aliases",
                                                 "interface_name",
                                                 "ipv4_address",
                                                 "ipv6_address",
                                                 "link_local_ips",
                                                 "mac_address",
                                                 "driver_opts"};
    Json ordered = Json::object();
    for (auto network = networks.begin(); network != networks.end(); ++network) {
      if (!network->is_object()) {
        ordered[network.key()] = *network;
        continue;
      }
      Json members = Json::object();
      for (const std::string_view key : order)
        if (const auto member = network->find(key); member != network->end()) members[std::string(key)] = *member;
      ordered[network.key()] = std::move(members);
    }
    return ordered;
  }

  // true is not printed any more, false is; what was not written is false in the first of these releases and true in later ones.
  Json with_opt_out(Json volumes) const {
    for (Json& volume : volumes) {
      const auto bind = volume.find("bind");
      if (bind == volume.end()) continue;
      const bool is_refused = bind->contains(refused_host_path_key);
      const bool is_true = bind->contains("create_host_path") || (!is_refused && rules_.host_path == HostPath::when_refused);
      Json members = Json::object();
      for (const std::string_view key : {"selinux", "propagation", "create_host_path", "recursive"}) {
        const std::string name(key);
        if (key == "create_host_path") {
          if (!is_true) members[name] = false;
        } else if (bind->contains(name)) {
          members[name] = (*bind)[name];
        }
      }
      *bind = std::move(members);
    }
    return volumes;
  }

  const Service& service_;
  const HashEpochRow& rules_;
  const SharedContainers& shared_;
  Json config_;
};

std::string hash_of(const std::string& text) {
  return Digest::of(text).hex();
}

}  // namespace

std::span<const HashEpochRow> hash_epochs() {
  return rows;
}

std::optional<HashEpoch> epoch_of_release(std::string_view version) {
  const auto release = parse_release(version);
  if (!release) return std::nullopt;
  if (version.starts_with(debian_release)) return HashEpoch::debian_2_26_1;
  std::optional<HashEpoch> epoch;
  for (const HashEpochRow& row : rows)
    if (row.epoch != HashEpoch::debian_2_26_1 && *release >= *parse_release(row.first_release)) epoch = row.epoch;
  return epoch;
}

std::string hashed_text(const Service& service, HashEpoch epoch, const SharedContainers& shared) {
  return ServiceText(service, epoch, shared).print();
}

std::string config_hash(const Service& service, HashEpoch epoch, const SharedContainers& shared) {
  return hash_of(hashed_text(service, epoch, shared));
}

std::string config_hash(const Network& network) {
  return hash_of(to_go_json(without_extensions(*network.config), JsonLayout::compact));
}

std::string config_hash(const Volume& volume) {
  Json text = Json::object();
  const Json config = without_extensions(*volume.config);
  for (auto member = config.begin(); member != config.end(); ++member) {
    if (!config.contains("driver") && text.contains("name") && !text.contains("driver")) text["driver"] = "local";
    text[member.key()] = *member;
  }
  if (!text.contains("driver")) text["driver"] = "local";
  return hash_of(to_go_json(text, JsonLayout::compact));
}

}  // namespace drover::compose
