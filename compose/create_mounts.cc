#include "compose/create_mounts.h"

#include "base/error.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace drover::compose {
namespace {

using Json = nlohmann::json;

constexpr int minor_of_image_mounts = 48;

const Volume* find_volume(const Project& project, const std::string& key) {
  const auto found =
      std::find_if(project.volumes.begin(), project.volumes.end(), [&](const Volume& volume) { return volume.key == key; });
  return found == project.volumes.end() ? nullptr : &*found;
}

const FileObject& find_object(const std::vector<FileObject>& objects, const std::string& key) {
  const auto found = std::find_if(objects.begin(), objects.end(), [&](const FileObject& object) { return object.key == key; });
  if (found == objects.end()) throw Error(ErrorCode::invalid, "no such config or secret: " + printable(key, 80));
  return *found;
}

bool is_plain_bind(const Mount& mount) {
  return !mount.has_bind_options ||
         (mount.creates_host_path.value_or(false) && mount.propagation.empty() && mount.recursive.empty());
}

bool is_plain_volume(const Mount& mount) {
  return mount.labels.empty() && mount.subpath.empty() && mount.is_copied;
}

// "source:target:rw,z"
std::string bind_text(const std::string& source, const Mount& mount) {
  std::string text = source + ":" + mount.target + (mount.is_read_only ? ":ro" : ":rw");
  for (const std::string& option : {mount.selinux, mount.propagation})
    if (!option.empty()) text += "," + option;
  return text;
}

Json bind_options(const Mount& mount) {
  Json options = Json::object();
  if (!mount.propagation.empty()) options["Propagation"] = mount.propagation;
  if (mount.creates_host_path.value_or(false)) options["CreateMountpoint"] = true;
  if (mount.recursive == "disabled") options["NonRecursive"] = true;
  if (mount.recursive == "writable") options["ReadOnlyNonRecursive"] = true;
  if (mount.recursive == "readonly") options["ReadOnlyForceRecursive"] = true;
  return options;
}

Json volume_options(const Mount& mount) {
  Json options = Json::object();
  if (!mount.is_copied) options["NoCopy"] = true;
  if (!mount.subpath.empty()) options["Subpath"] = mount.subpath;
  if (!mount.labels.empty()) options["Labels"] = mount.labels;
  return options;
}

Json tmpfs_options(const Mount& mount) {
  Json options = Json::object();
  if (mount.tmpfs_bytes != 0) options["SizeBytes"] = mount.tmpfs_bytes;
  if (mount.tmpfs_mode != 0) options["Mode"] = mount.tmpfs_mode;
  return options;
}

Json mount_json(const std::string& type, const std::string& source, const std::string& target, bool is_read_only) {
  Json json = {{"Type", type}, {"Target", target}};
  if (!source.empty()) json["Source"] = source;
  if (is_read_only) json["ReadOnly"] = true;
  return json;
}

// Gathers both forms; what comes first has its target.
class MountList {
 public:
  MountList(const Project& project, const Service& service, const MountContext& context)
      : project_(project), service_(service), context_(context) {}

  void add_volumes() {
    for (const Mount& mount : service_.volumes) add_volume(mount);
    for (const auto& [target, name] : context_.anonymous_volumes)
      if (!mounts_.contains(target) && !has_bind(target)) mounts_[target] = mount_json("volume", name, target, false);
  }

  void
  add_files(const std::vector<FileReference>& references, const std::vector<FileObject>& objects, const std::string& folder) {
    for (const FileReference& reference : references) {
      const FileObject& object = find_object(objects, reference.source);
      const bool is_absolute = reference.target.starts_with('/');
      const std::string target =
          is_absolute ? reference.target : folder + (reference.target.empty() ? reference.source : reference.target);
      if (!object.environment.empty() || object.content) {
        require_writable(object);
        continue;
      }
      if (!mounts_.contains(target) && !has_bind(target)) mounts_[target] = mount_json("bind", object.file, target, true);
    }
  }

  void put(Json& host) const {
    if (!binds_.empty()) host["Binds"] = binds_;
    if (!mounts_.empty()) {
      Json list = Json::array();
      for (const auto& [target, mount] : mounts_) list.push_back(mount);
      host["Mounts"] = std::move(list);
    }
  }

 private:
  bool has_bind(const std::string& target) const {
    return std::any_of(service_.volumes.begin(), service_.volumes.end(), [&](const Mount& mount) {
      return mount.target == target && !mount.source.empty();
    });
  }

  void require_writable(const FileObject& object) const {
    if (service_.is_read_only && object.content && !object.content->empty())
      throw Error(ErrorCode::invalid,
                  "service " + service_.name + " is read-only: " + object.key + " cannot be copied into it, use `file`");
  }

  void add_volume(const Mount& mount) {
    if (mount.type == "bind" && is_plain_bind(mount)) {
      binds_.push_back(bind_text(mount.source, mount));
      return;
    }
    const Volume* volume = mount.type == "volume" && !mount.source.empty() ? find_volume(project_, mount.source) : nullptr;
    if (volume && is_plain_volume(mount)) {
      binds_.push_back(bind_text(volume->name, mount));
      return;
    }
    if (mount.type == "image" && context_.api_minor < minor_of_image_mounts)
      throw Error(ErrorCode::unsupported,
                  "service " + service_.name + ": a mounted image needs an engine with API 1." +
                      std::to_string(minor_of_image_mounts) + " or later");
    std::string source = volume ? volume->name : mount.source;
    const auto kept = context_.anonymous_volumes.find(mount.target);
    if (mount.type == "volume" && source.empty() && kept != context_.anonymous_volumes.end()) source = kept->second;
    Json json = mount_json(mount.type, source, mount.target, mount.is_read_only);
    if (!mount.consistency.empty()) json["Consistency"] = mount.consistency;
    if (mount.type == "bind" && mount.has_bind_options) json["BindOptions"] = bind_options(mount);
    if (const Json options = volume_options(mount); mount.type == "volume" && !options.empty()) json["VolumeOptions"] = options;
    if (const Json options = tmpfs_options(mount); mount.type == "tmpfs" && !options.empty()) json["TmpfsOptions"] = options;
    if (mount.type == "image" && !mount.subpath.empty()) json["ImageOptions"] = {{"Subpath", mount.subpath}};
    mounts_[mount.target] = std::move(json);
  }

  const Project& project_;
  const Service& service_;
  const MountContext& context_;
  std::vector<std::string> binds_;
  std::map<std::string, Json> mounts_;  // by target
};

}  // namespace

void put_mounts(const Project& project, const Service& service, const MountContext& context, Json& host_config) {
  MountList mounts(project, service, context);
  mounts.add_volumes();
  mounts.add_files(service.secrets, project.secrets, "/run/secrets/");
  mounts.add_files(service.configs, project.configs, "/");
  mounts.put(host_config);
  if (service.tmpfs.empty()) return;
  Json tmpfs = Json::object();
  for (const std::string& entry : service.tmpfs) {
    const std::size_t colon = entry.find(':');
    tmpfs[entry.substr(0, colon)] = colon == std::string::npos ? std::string() : entry.substr(colon + 1);
  }
  host_config["Tmpfs"] = std::move(tmpfs);
}

}  // namespace drover::compose
