// A helper program that runs beside this one until it is ended, for those that run_process() is too short for.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover {

// Started without a shell, with no input, its output dropped, its standard error kept, and in a session of its own: a terminal's Ctrl-C
// is not meant for it. It is ended with this object, and by the kernel when this process ends in whatever way. Thread-safe.
class ChildProcess {
 public:
  // Throws io when it cannot be started.
  ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments);
  // SIGTERM, and SIGKILL when it has not ended two seconds later.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // 128 + signal when it was killed by one; nothing while it runs.
  std::optional<int> exit_code() const;
  // Waits for its end, at most that long; what it wrote before is in error_text() then.
  std::optional<int> wait_for(std::chrono::milliseconds duration) const;
  // How much it has written to its standard error.
  std::uint64_t error_bytes() const;
  // What it wrote there after the first `since` bytes, at most the last 16 KiB.
  std::string error_text(std::uint64_t since = 0) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover
