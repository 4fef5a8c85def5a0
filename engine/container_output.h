// What a container prints, past and present, and its processes: logs, attach, top. Thread rule and errors are the Client's.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/hijack.h"
#include "engine/log_frames.h"
#include "engine/timestamp.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::engine {

struct LogOptions {
  bool standard_output = true;
  bool standard_error = true;
  bool follow = false;                    // goes on until the container ends, or ctx.stop
  bool timestamps = false;                // in front of each line: RFC 3339 and a space
  std::optional<Timestamp> since = {};
  std::optional<Timestamp> until = {};    // API 1.35
  std::optional<std::int64_t> tail = {};  // the last so many lines; nothing: all
  std::chrono::milliseconds head_max{60'000};  // within which the engine has to begin its answer: it does so before the first line
};

// GET /containers/{id}/logs. Pieces are cut anywhere, not at lines. A container with a terminal has standard output alone. An
// engine failure (501) when the container's log driver keeps nothing to read.
void read_container_logs(const Context& ctx, Client& client, std::string_view container, const LogOptions& options,
                         const LogFrames::Handler& on_output);

struct AttachOptions {
  bool standard_input = false;
  bool standard_output = true;
  bool standard_error = true;
  bool past_output = false;      // what it printed before as well
  std::string detach_keys = {};  // of a terminal: "ctrl-p,ctrl-q"
};

// POST /containers/{id}/attach: its streams, as they go on; `format` is always told. Use converse(). Attach before the start, and
// nothing is missed. Other clients may be attached to the same streams.
Hijacked attach_container(const Context& ctx, Client& client, std::string_view container, const AttachOptions& options = {});

struct TerminalSize {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

// POST /containers/{id}/resize: of its terminal; a conflict when it does not run.
void resize_container(const Context& ctx, Client& client, std::string_view container, const TerminalSize& size);

struct ProcessTable {
  std::vector<std::string> titles = {};             // "PID", "CMD", ...
  std::vector<std::vector<std::string>> rows = {};  // a process each, as wide as the titles
};

// GET /containers/{id}/top: by the ps of the engine's machine with these arguments; empty: "-ef".
ProcessTable list_container_processes(const Context& ctx, Client& client, std::string_view container,
                                      std::string_view ps_arguments = {});

// Pure; absent and null members are fine.
ProcessTable parse_process_table(const nlohmann::json& answer);

}  // namespace drover::engine
