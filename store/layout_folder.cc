#include "store/layout_folder.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "store/index_json.h"

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace drover::store {
namespace {

constexpr std::uint64_t oci_layout_bytes_max = 4096;
constexpr std::string_view oci_layout_text = R"({"imageLayoutVersion":"1.0.0"})";

// What a store holds before its oci-layout file is written, or what a fresh file system holds.
bool is_harmless(std::string_view name) {
  constexpr std::string_view known[] = {"blobs", "ingest", store_lock_name, index_lock_name, "lost+found"};
  return std::find(std::begin(known), std::end(known), name) != std::end(known) || name.starts_with(".oci-layout.") ||
         name.starts_with(".index.json.");
}

void refuse_other_folders(const std::filesystem::path& root) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!is_harmless(name)) {
      throw Error(ErrorCode::refused, "cannot make a store in " + root.string() + ": it holds other things (" + printable(name, 80) +
                                          "); give an empty folder or a new one with --store");
    }
  }
  if (error) throw io_error("cannot list", root.string(), error.value());
}

dev_t device_of(const std::filesystem::path& folder) {
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) throw io_error("cannot stat", folder.string());
  return info.st_dev;
}

void refuse_split_file_systems(const std::filesystem::path& root) {
  const dev_t ingest = device_of(root / "ingest");
  for (const char* name : {"blobs", "blobs/sha256", "blobs/sha512"}) {
    std::error_code ignored;
    if (!std::filesystem::exists(root / name, ignored) || device_of(root / name) == ingest) continue;
    throw Error(ErrorCode::refused, "cannot use the store " + root.string() + ": " + name +
                                        " and ingest are on different file systems, where a finished blob cannot be moved into place at "
                                        "once; put the whole folder on one");
  }
}

void make_root(const std::filesystem::path& root) {
  if (std::filesystem::is_directory(root)) return;
  create_directories_durably(root, 0700);
  if (chmod(root.c_str(), 0700) != 0) throw io_error("cannot set the mode of", root.string());
}

}  // namespace

void make_folder(const std::filesystem::path& folder, unsigned mode) {
  if (mkdir(folder.c_str(), mode) != 0) {
    if (errno == EEXIST && std::filesystem::is_directory(folder)) return;
    throw io_error("cannot create directory", folder.string());
  }
  if (chmod(folder.c_str(), mode) != 0) throw io_error("cannot set the mode of", folder.string());
  sync_directory(folder.parent_path());
}

void check_layout(const std::filesystem::path& root) {
  const std::optional<std::string> text = try_read_file(root / "oci-layout", oci_layout_bytes_max);
  if (!text) {
    throw Error(ErrorCode::not_found, "there is no store in " + root.string() + "; pull an image first, or name another with --store");
  }
  const nlohmann::json json = nlohmann::json::parse(*text, nullptr, false);
  const auto version = json.is_object() ? json.find("imageLayoutVersion") : json.end();
  if (!json.is_object() || version == json.end() || !version->is_string()) {
    throw Error(ErrorCode::invalid, "cannot use the store " + root.string() +
                                        ": its file oci-layout is damaged; when the rest is a store, write {\"imageLayoutVersion\":\"1.0.0\"} into it");
  }
  if (!version->get<std::string>().starts_with("1.")) {
    throw Error(ErrorCode::unsupported, "cannot use the store " + root.string() + ": OCI layout version " +
                                            printable(version->get<std::string>(), 40) + " is not known to this drover");
  }
}

void prepare_layout(const std::filesystem::path& root) {
  make_root(root);
  const bool is_new = !std::filesystem::exists(root / "oci-layout");
  if (is_new) refuse_other_folders(root);
  make_folder(root / "blobs", 0755);
  make_folder(root / "blobs/sha256", 0755);
  make_folder(root / "ingest", 0700);
  refuse_split_file_systems(root);
  if (is_new) write_file_durably(root / "oci-layout", oci_layout_text, 0644);
  check_layout(root);
}

}  // namespace drover::store
