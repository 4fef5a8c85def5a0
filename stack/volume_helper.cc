#include "stack/volume_helper.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/container_files.h"
#include "engine/containers.h"
#include "engine/image_transfer.h"
#include "engine/images.h"
#include "engine/json_fields.h"
#include "engine/snapshot.h"
#include "engine/volumes.h"
#include "stack/byte_pipe.h"
#include "store/folder_listing.h"

#include <nlohmann/json.hpp>

#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

namespace drover::stack {
namespace {

constexpr const char* mount_point = "/volume";
constexpr std::size_t xattr_bytes_max = 64U << 10U;  // the kernel's own limit for a value and for all names of a file (xattr(7))

// An empty tar: two zero blocks.
engine::FilesystemImport empty_import(const StateFolder& state) {
  auto left = std::make_shared<std::size_t>(1024);
  engine::FilesystemImport import;
  import.source = [left](std::span<std::byte> out) {
    const std::size_t count = std::min(out.size(), *left);
    std::fill_n(out.begin(), count, std::byte{0});
    *left -= count;
    return count;
  };
  import.changes = {std::string("LABEL ") + engine::helper_label + "=" + engine::to_request_text(state.root().string())};
  return import;
}

enum class HelperAccess { read, write };

// The container and its image, for as long as this lives.
class Helper {
 public:
  Helper(const Context& ctx, engine::Client& client, const StateFolder& state, const std::string& volume, HelperAccess access)
      : ctx_(ctx), client_(client), image_(engine::import_filesystem(ctx, client, empty_import(state)).to_string()) {
    const nlohmann::json mount{{"Type", "volume"},
                               {"Source", volume},
                               {"Target", mount_point},
                               {"ReadOnly", access == HelperAccess::read},
                               {"VolumeOptions", {{"NoCopy", true}}}};
    const nlohmann::json body{{"Image", image_},
                              {"Cmd", {"-"}},
                              {"Labels", {{engine::helper_label, state.root().string()}}},
                              {"HostConfig", {{"NetworkMode", "none"}, {"Mounts", nlohmann::json::array({mount})}}}};
    try {
      container_ = engine::create_container(ctx, client, {}, body).id;
    } catch (...) {
      remove_image();
      throw;
    }
  }

  // What was made goes also when the run is being stopped.
  ~Helper() {
    try {
      engine::remove_container(ctx_.without_stop(), client_, container_);
    } catch (const Error& error) {
      ctx_.warn("cannot remove drover's own container " + container_.substr(0, 12) + ": " + error.what());
    }
    remove_image();
  }
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  const std::string& container() const { return container_; }

 private:
  void remove_image() {
    try {
      engine::remove_image(ctx_.without_stop(), client_, image_);
    } catch (const Error& error) {
      ctx_.debug("drover's own empty image stays for now: " + std::string(error.what()));
    }
  }

  Context ctx_;
  engine::Client& client_;
  std::string image_;
  std::string container_;
};

std::map<std::string, std::string> read_xattrs(const std::string& path) {
  std::map<std::string, std::string> xattrs;
  std::string names(xattr_bytes_max, '\0');
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  if (length <= 0) return xattrs;
  std::string value(xattr_bytes_max, '\0');
  for (const std::string_view name : split(std::string_view(names).substr(0, static_cast<std::size_t>(length)), '\0')) {
    if (name.empty()) continue;
    const ssize_t size = ::lgetxattr(path.c_str(), std::string(name).c_str(), value.data(), value.size());
    if (size >= 0) xattrs.emplace(name, value.substr(0, static_cast<std::size_t>(size)));
  }
  return xattrs;
}

// Where the volume's files lie on this machine; empty when they cannot be seen.
std::filesystem::path visible_folder(const engine::Client& client, const engine::Volume& volume) {
  std::error_code ignored;
  if (client.endpoint().unix_socket.empty() || volume.mountpoint.empty()) return {};
  const std::filesystem::directory_iterator entries(volume.mountpoint, ignored);
  return ignored ? std::filesystem::path() : std::filesystem::path(volume.mountpoint);
}

// SELinux labels belong to the host, not to the data.
store::XattrSource xattrs_in(const std::filesystem::path& folder) {
  if (folder.empty()) return {};
  return [folder](const std::string& path) {
    std::map<std::string, std::string> xattrs = read_xattrs((folder / path).string());
    xattrs.erase("security.selinux");
    return xattrs;
  };
}

// The engine's own word of a volume is not taken for it where its folder can be looked at: what is not in the archive would be lost.
void compare_with_folder(const Context& ctx, const engine::Volume& volume, const std::filesystem::path& folder, const store::TreeListing& archived) {
  const auto warn = [&](const std::string& why) { ctx.warn("the archive of volume " + printable(volume.name) + " is not compared with the volume's folder: " + why); };
  if (folder.empty()) return warn("it cannot be seen from here; of extended attributes, only capabilities are archived");
  if (volume.driver != "local") return warn("its driver is " + printable(volume.driver));
  if (!volume.options.empty()) return warn("it has options, so its data may lie elsewhere");
  const store::FolderListing there = store::list_folder(ctx, folder);
  if (!there.unreadable.empty()) return warn("cannot read " + there.unreadable);
  const std::string difference = store::difference_of_contents(archived, there);
  if (difference.empty()) return;
  throw Error(ErrorCode::digest_mismatch, "the archive of volume " + printable(volume.name) + " is not what is in " + folder.string() + ": " + difference +
                                              "; end what writes there, then try again");
}

// Of the volume's folder, as ".".
store::TreeListing read_tree(const Context& ctx, engine::Client& client, const Helper& helper, const store::XattrSource& xattrs) {
  BytePipe pipe(ctx, [&](const Context& inner, const BytePipe::Push& push) {
    engine::read_container_files(inner, client, helper.container(), std::string(mount_point) + "/.", push);
  });
  return store::list_tree(ctx, [&](std::span<std::byte> out) { return pipe.read(out); }, xattrs);
}

std::string file_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return text.data();
}

}  // namespace

void remove_stale_helpers(const Context& ctx, engine::Client& client, const StateFolder& state) {
  store::remove_stale_drafts(state.archive_folder());
  const engine::Filters ours{{"label", {std::string(engine::helper_label) + "=" + state.root().string()}}};
  // An engine that does not know the filter would answer with everything.
  const auto is_ours = [&](const std::map<std::string, std::string>& labels) {
    const auto found = labels.find(engine::helper_label);
    return found != labels.end() && found->second == state.root().string();
  };
  for (const engine::ContainerSummary& container : engine::list_containers(ctx, client, {.filters = ours})) {
    if (is_ours(container.labels)) engine::remove_container(ctx, client, container.id);
  }
  for (const engine::ImageSummary& image : engine::list_images(ctx, client, {.all = true, .filters = ours})) {
    if (is_ours(image.labels)) engine::remove_image(ctx, client, image.id.to_string());
  }
}

std::filesystem::path archive_volume(const Context& ctx, engine::Client& client, const StateFolder& state, const std::string& volume,
                                     const std::filesystem::path& folder) {
  const std::optional<engine::Volume> found = engine::find_volume(ctx, client, volume);
  if (!found) throw Error(ErrorCode::not_found, "the engine has no volume " + printable(volume));
  if (volume.find('/') != std::string::npos) throw Error(ErrorCode::invalid, "volume " + printable(volume) + " has a name that is a path");
  create_directories_durably(folder);
  const auto now = ctx.clock->system_now();
  store::VolumeArchive about{.volume = found->name, .driver = found->driver, .labels = found->labels, .options = found->options};
  about.time = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::filesystem::path visible = visible_folder(client, *found);

  const Helper helper(ctx, client, state, volume, HelperAccess::read);
  BytePipe pipe(ctx, [&](const Context& inner, const BytePipe::Push& push) {
    engine::read_container_files(inner, client, helper.container(), std::string(mount_point) + "/.", push);
  });
  std::filesystem::path file = folder / (volume + "-" + file_time(now) + ".tar.zst");
  for (int copy = 2; std::filesystem::exists(file); ++copy) file = folder / (volume + "-" + file_time(now) + "-" + std::to_string(copy) + ".tar.zst");
  about = store::write_volume_archive(ctx, file, about, [&](std::span<std::byte> out) { return pipe.read(out); },
                                      {.xattrs = xattrs_in(visible), .check = [&](const store::TreeListing& archived) { compare_with_folder(ctx, *found, visible, archived); }});
  if (about.entries == 0) {  // an engine sends the folder itself at least, but leaves out what it cannot read
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    throw Error(ErrorCode::invalid, "the engine sent nothing of volume " + printable(volume) + ", not even its folder");
  }
  return file;
}

RestoredVolume restore_volume(const Context& ctx, engine::Client& client, const StateFolder& state, const std::filesystem::path& file,
                              const std::string& name) {
  const store::VolumeArchive archive = store::read_volume_archive(file);
  store::VolumeArchiveReader whole(file);
  const store::TreeListing wanted = store::list_tree(ctx, [&](std::span<std::byte> out) { return whole.read(out); });
  if (store::digest_of(wanted) != archive.tree) {
    throw Error(ErrorCode::invalid, file.string() + " is damaged: its files are not those that were archived");
  }
  const std::string volume = name.empty() ? archive.volume : name;
  if (engine::find_volume(ctx, client, volume)) {
    throw Error(ErrorCode::refused, "there is a volume " + printable(volume) + " already; restore under another name with --volume NAME");
  }
  engine::create_volume(ctx, client, {.name = volume, .driver = archive.driver, .options = archive.options, .labels = archive.labels});
  const Helper helper(ctx, client, state, volume, HelperAccess::write);
  // Options may point at data that outlived the volume: a folder of the host, a share.
  const store::TreeListing there = read_tree(ctx, client, helper, {});
  if (std::any_of(there.begin(), there.end(), [](const auto& entry) { return entry.first != "." && entry.first != "./"; })) {
    throw Error(ErrorCode::data_safety, "nothing was restored: volume " + printable(volume) + " was made and is not empty, its options point at data that is there" +
                                            " already; remove the volume (docker volume rm " + printable(volume) + "), move that data away, then restore");
  }
  store::VolumeArchiveReader files(file);
  BytePipe tar(ctx, [&](const Context& inner, const BytePipe::Push& push) {
    store::write_tree(inner, [&](std::span<std::byte> out) { return files.read(out); }, mount_point + 1, [&](std::span<const std::byte> bytes) {
      if (!push(bytes)) throw Error(ErrorCode::engine, "the engine took no more of the archive");
    });
  });
  engine::write_container_files(ctx, client, helper.container(), "/", [&](std::span<std::byte> out) { return tar.read(out); });

  const std::optional<engine::Volume> made = engine::find_volume(ctx, client, volume);
  const std::filesystem::path visible = made ? visible_folder(client, *made) : std::filesystem::path();
  const std::string difference = store::difference_of(wanted, read_tree(ctx, client, helper, xattrs_in(visible)));
  if (!difference.empty()) {
    throw Error(ErrorCode::digest_mismatch, "volume " + printable(volume) + " is there, but not as it was: " + difference +
                                                (visible.empty() ? "; its attributes cannot be seen from here" : ""));
  }
  return {.archive = archive, .volume = volume};
}

}  // namespace drover::stack
