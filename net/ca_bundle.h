// Certificate authorities that are trusted besides the system's, as one PEM text.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace drover::net {

class CaBundles {
 public:
  // The system's bundle may be missing: then only the others are trusted.
  explicit CaBundles(std::filesystem::path system_file) : system_file_(std::move(system_file)) {}

  // The system's authorities and those of `files` (PEM files, or folders of *.crt files). Read once per list and kept. Throws
  // not_found or io when one cannot be read, invalid when it has no certificate. Thread-safe.
  std::shared_ptr<const std::string> with(const std::vector<std::filesystem::path>& files);

 private:
  const std::filesystem::path system_file_;
  std::mutex mutex_;
  std::map<std::vector<std::filesystem::path>, std::shared_ptr<const std::string>> bundles_;  // shared: transfers outlive a lookup
};

}  // namespace drover::net
