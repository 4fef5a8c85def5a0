// Which certificate authorities to trust: the system's, and others besides them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace drover::net {

// Where TLS looks for authorities: in both, if both are set.
struct TrustedAuthorities {
  std::shared_ptr<const std::string> pem = {};  // shared: a transfer may outlive its transport's cache
  std::string folder = {};                      // one file an authority under OpenSSL's hashed name
  std::string file = {};                        // a bundle; not beside `pem`
};

class CaBundles {
 public:
  // The system's bundle and its hashed folder; either may be missing. The folder is preferred: only the authorities that a handshake
  // needs are read from it, where the bundle means parsing all 140 for every connection.
  CaBundles(std::string system_file, std::string system_folder);

  // The system's authorities and those of `files` (PEM files, or folders of *.crt files). Files are read once per list and kept. Throws
  // not_found or io when one cannot be read, invalid when it has no certificate. Thread-safe.
  TrustedAuthorities with(const std::vector<std::filesystem::path>& files);

 private:
  const std::string system_file_;
  const std::string system_folder_;  // empty when it is not hashed
  std::mutex mutex_;
  std::map<std::vector<std::filesystem::path>, std::shared_ptr<const std::string>> bundles_;
};

}  // namespace drover::net
