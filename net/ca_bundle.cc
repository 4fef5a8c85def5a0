#include "net/ca_bundle.h"

#include "base/error.h"
#include "base/file.h"

#include <algorithm>

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

}  // namespace

std::shared_ptr<const std::string> CaBundles::with(const std::vector<std::filesystem::path>& files) {
  const std::lock_guard lock(mutex_);
  auto& bundle = bundles_[files];
  if (!bundle) {
    std::string text = try_read_file(system_file_, bundle_bytes_max).value_or("") + "\n";
    for (const std::filesystem::path& file : files) text += read_authorities(file);
    bundle = std::make_shared<const std::string>(std::move(text));
  }
  return bundle;
}

}  // namespace drover::net
