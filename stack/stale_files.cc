#include "stack/stale_files.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "compose/labels.h"
#include "digest/digest.h"
#include "engine/container_files.h"
#include "stack/byte_pipe.h"
#include "store/volume_archive.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>

namespace drover::stack {
namespace {

using compose::FileObject;
using compose::FileReference;
using compose::Project;
using compose::Service;
using engine::ContainerDetails;

constexpr std::uint64_t proc_bytes_max = 1U << 20U;

// A process of that number is the container's own: an engine elsewhere, or another PID namespace, has numbers of its own.
bool is_visible(const ContainerDetails& container) {
  if (container.state.pid <= 0) return false;
  const std::string folder = "/proc/" + std::to_string(container.state.pid);
  for (const char* file : {"/cgroup", "/mountinfo"}) {
    try {
      if (read_file(folder + file, proc_bytes_max).find(container.id) != std::string::npos) return true;
    } catch (const Error&) {
    }
  }
  return false;
}

// As the container's own processes would: its links lead nowhere outside of it (openat2(2), RESOLVE_IN_ROOT).
std::optional<struct stat> stat_inside(std::int64_t pid, const std::string& path) {
  const UniqueFd root(::open(("/proc/" + std::to_string(pid) + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0) return std::nullopt;
  struct open_how how {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  const UniqueFd file(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
  struct stat result {};
  if (file.get() < 0 || ::fstat(file.get(), &result) != 0) return std::nullopt;
  return result;
}

std::optional<struct stat> stat_outside(const std::string& path) {
  struct stat result {};
  if (::stat(path.c_str(), &result) != 0) return std::nullopt;
  return result;
}

class Search {
 public:
  Search(const Context& ctx, engine::Client& client, const Project& project) : ctx_(ctx), client_(client), project_(project) {}

  void look_at(const Service& service, const ContainerDetails& container) {
    if (!container.state.is_running) return;
    look_at_binds(service, container);
    look_at_files(service, container, service.configs, project_.configs, "/");
    look_at_files(service, container, service.secrets, project_.secrets, "/run/secrets/");
  }

  StaleFiles take() {
    std::stable_sort(result_.files.begin(), result_.files.end(), [](const StaleFile& a, const StaleFile& b) {
      return std::tie(a.service, a.container) < std::tie(b.service, b.container);
    });
    if (!hidden_.empty())
      result_.notes.push_back("mounted files of " + join(std::vector<std::string>(hidden_.begin(), hidden_.end()), ", ") +
                              " were not looked at: their processes cannot be seen from here");
    return std::move(result_);
  }

 private:
  void note(const Service& service, const ContainerDetails& container, const std::string& path, std::string why, bool is_written = false) {
    result_.files.push_back({service.name, container.name, path, std::move(why), is_written});
  }

  void look_at_binds(const Service& service, const ContainerDetails& container) {
    for (const engine::Mount& mount : container.mounts) {
      if (mount.type != "bind") continue;
      const std::optional<struct stat> outside = stat_outside(mount.source);
      if (outside && S_ISDIR(outside->st_mode)) continue;
      if (!is_visible(container)) {
        hidden_.insert(container.name);
        return;
      }
      const std::optional<struct stat> inside = stat_inside(container.state.pid, mount.target);
      if (!inside || S_ISDIR(inside->st_mode)) continue;  // mounted over, or a folder that is gone on the host
      if (!outside) {
        note(service, container, mount.target, printable(mount.source) + " is gone since it was mounted");
      } else if (inside->st_dev != outside->st_dev || inside->st_ino != outside->st_ino) {
        note(service, container, mount.target, printable(mount.source) + " is another file since it was mounted");
      }
    }
  }

  void look_at_files(const Service& service, const ContainerDetails& container, const std::vector<FileReference>& references,
                     const std::vector<FileObject>& objects, const std::string& folder) {
    for (const FileReference& reference : references) {
      const auto object = std::find_if(objects.begin(), objects.end(), [&](const FileObject& one) { return one.key == reference.source; });
      if (object == objects.end()) continue;
      const std::string target =
          reference.target.starts_with('/') ? reference.target : folder + (reference.target.empty() ? reference.source : reference.target);
      if (object->content) {
        look_at_content(service, container, target, *object);
      } else if (!object->file.empty()) {
        look_at_time(service, container, target, *object);
      }
    }
  }

  // One that was replaced is told by its inode already; this one was written to where it is.
  void look_at_time(const Service& service, const ContainerDetails& container, const std::string& target, const FileObject& object) {
    const std::optional<struct stat> file = stat_outside(object.file);
    if (!file || !container.state.started || !is_visible(container)) return;
    const auto changed = std::chrono::seconds(file->st_mtim.tv_sec) + std::chrono::nanoseconds(file->st_mtim.tv_nsec);
    if (changed <= container.state.started->time_since_epoch()) return;
    const bool is_told = std::any_of(result_.files.begin(), result_.files.end(), [&](const StaleFile& one) {
      return one.container == container.name && one.path == target;
    });
    if (!is_told) note(service, container, target, printable(object.file) + " was changed since the container's start");
  }

  void look_at_content(const Service& service, const ContainerDetails& container, const std::string& target, const FileObject& object) {
    const std::string wanted = Digest::of(*object.content).to_string();
    try {
      BytePipe tar(ctx_, [&](const Context& ctx, const BytePipe::Push& push) {
        engine::read_container_files(ctx, client_, container.id, target, [&](std::span<const std::byte> bytes) { return push(bytes); });
      });
      const store::TreeListing listing = store::list_tree(ctx_, [&](std::span<std::byte> out) { return tar.read(out); });
      const bool is_same = std::any_of(listing.begin(), listing.end(), [&](const auto& entry) { return entry.second.find(wanted) != std::string::npos; });
      if (!is_same) note(service, container, target, "the content of " + printable(object.key) + " is another one now", true);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found) throw;
      note(service, container, target, printable(object.key) + " is not in the container", true);
    }
  }

  const Context& ctx_;
  engine::Client& client_;
  const Project& project_;
  StaleFiles result_;
  std::set<std::string> hidden_;
};

}  // namespace

StaleFiles find_stale_files(const Context& ctx, engine::Client& client, const Project& project, const compose::ProjectState& state) {
  Search search(ctx, client, project);
  for (const ContainerDetails& container : state.containers) {
    if (compose::is_one_off(container)) continue;
    const std::string name = compose::label_of(container, compose::service_label);
    const auto service = std::find_if(project.services.begin(), project.services.end(), [&](const Service& one) { return one.name == name; });
    if (service != project.services.end()) search.look_at(*service, container);
  }
  return search.take();
}

}  // namespace drover::stack
