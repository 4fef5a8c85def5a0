#include "net/ca_bundle.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <utility>

namespace drover::net {
namespace {

// Debian's bundle of 140 authorities has 220 KB.
constexpr std::uint64_t bundle_bytes_max = 8 * 1024 * 1024;

std::string read_certificates(const std::filesystem::path& file) {
  std::optional<std::string> text = try_read_file(file, bundle_bytes_max);
  if (!text) throw Error(ErrorCode::not_found, "CA certificate file " + file.string() + " does not exist");
  if (text->find("-----BEGIN ") == std::string::npos) {
    throw Error(ErrorCode::invalid, "CA certificate file " + file.string() + " holds no certificate in PEM form");
  }
  return *std::move(text) + "\n";
}

std::string read_authorities(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return read_certificates(path);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".crt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::string text;
  for (const std::filesystem::path& file : files) text += read_certificates(file);
  return text;
}

// OpenSSL finds an authority by a hash of its name: "5f15c80c.0".
bool is_hashed(const std::string& folder) {
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (name.size() == 10 && name.ends_with(".0") && parse_hex(name.substr(0, 8))) return true;
  }
  return false;
}

}  // namespace

CaBundles::CaBundles(std::string system_file, std::string system_folder)
    : system_file_(std::move(system_file)), system_folder_(is_hashed(system_folder) ? std::move(system_folder) : std::string()) {}

TrustedAuthorities CaBundles::with(const std::vector<std::filesystem::path>& files) {
  if (files.empty()) return {.folder = system_folder_, .file = system_folder_.empty() ? system_file_ : std::string()};
  const std::lock_guard lock(mutex_);
  auto& bundle = bundles_[files];
  if (!bundle) {
    std::string text;
    if (system_folder_.empty() && !system_file_.empty()) text = try_read_file(system_file_, bundle_bytes_max).value_or("") + "\n";
    for (const std::filesystem::path& file : files) text += read_authorities(file);
    bundle = std::make_shared<const std::string>(std::move(text));
  }
  return {.pem = bundle, .folder = system_folder_};
}

}  // namespace drover::net
