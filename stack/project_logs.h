// What the containers of a compose project print, line by line, all of them together.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "engine/client.h"
#include "engine/container_output.h"
#include "stack/project_containers.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace drover::stack {

struct LogLine {
  std::string container;  // its name
  std::string service = {};
  engine::OutputStream stream = engine::OutputStream::standard_output;
  std::string time = {};  // RFC 3339, as the engine wrote it; empty where its log driver keeps none
  std::string text = {};  // without its end; broken UTF-8 and control characters are as they came
};

// A line that never ends is handed over in pieces of this size.
inline constexpr std::size_t log_line_bytes_max = 1U << 20U;

struct ProjectLogsOptions {
  ContainerChoice choice = {};                // stopped containers are read as well
  std::set<std::string> known_services = {};  // that may have no container
  std::optional<std::int64_t> index = {};     // only the containers with this number of their services
  std::optional<engine::Timestamp> since = {};
  std::optional<engine::Timestamp> until = {};
  std::optional<std::int64_t> tail = {};  // the last so many lines of each container
  bool follows = false;                   // goes on until none of the containers runs, also with those that start meanwhile
};

// Called by one thread at a time. What it throws ends the reading, and comes out.
using LogSink = std::function<void(const LogLine&)>;

// In the order of the lines' times; when it follows, in the order in which they come. `on_containers` is called first, with those
// that are read. Returns why a container's log could not be read, one line each; throws what the list of containers throws, and
// interrupted.
std::vector<Error> read_project_logs(const Context& ctx,
                                     engine::Client& client,
                                     const ProjectLogsOptions& options,
                                     const std::function<void(const std::vector<engine::ContainerSummary>&)>& on_containers,
                                     const LogSink& on_line);

// Puts lines together from pieces that are cut anywhere, standard output and error apart, and takes the time off their front.
class LogLines {
 public:
  LogLines(LogLine about, LogSink on_line) : about_(std::move(about)), on_line_(std::move(on_line)) {}

  void feed(engine::OutputStream stream, std::span<const std::byte> bytes);
  // The last line may have no end.
  void finish();

 private:
  void emit(engine::OutputStream stream, std::string& line);

  LogLine about_;
  LogSink on_line_;
  std::string open_[3];  // by stream
};

}  // namespace drover::stack
