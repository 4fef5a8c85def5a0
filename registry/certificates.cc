#include "registry/certificates.h"

#include "base/error.h"

#include <algorithm>
#include <string>
#include <system_error>

namespace drover::registry {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> list_files(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator it(directory, failed), end; !failed && it != end; it.increment(failed)) files.push_back(it->path());
  std::sort(files.begin(), files.end());
  return files;
}

HostCertificates read_directory(const fs::path& directory, const std::vector<fs::path>& files) {
  HostCertificates found{directory, {}};
  for (const fs::path& file : files) {
    if (file.extension() == ".crt") found.tls.ca_file = directory;  // all of them
    if (file.extension() != ".cert" || !found.tls.client_cert.empty()) continue;
    const fs::path key = fs::path(file).replace_extension(".key");
    if (std::find(files.begin(), files.end(), key) == files.end()) {
      throw Error(ErrorCode::invalid, "client certificate " + file.string() + " has no key beside it (" + key.filename().string() +
                                          "); authorities end in .crt");
    }
    found.tls.client_cert = file;
    found.tls.client_key = key;
  }
  return found;
}

bool is_certificate(const fs::path& file) { return file.extension() == ".crt" || file.extension() == ".cert"; }

}  // namespace

std::optional<HostCertificates> find_certificates(const std::vector<fs::path>& directories, std::string_view host_and_port) {
  // The name becomes one path component and never leaves the folder.
  if (host_and_port.empty() || host_and_port.front() == '.' || host_and_port.find('/') != std::string_view::npos) return std::nullopt;
  for (const fs::path& directory : directories) {
    const fs::path folder = directory / host_and_port;
    const std::vector<fs::path> files = list_files(folder);
    if (std::any_of(files.begin(), files.end(), is_certificate)) return read_directory(folder, files);
  }
  return std::nullopt;
}

}  // namespace drover::registry
