// Processes beside a running container's own: create, start, resize, inspect, and all of it in one call. Errors are the Client's.
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/container_output.h"
#include "engine/hijack.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::engine {

struct ExecRequest {
  std::vector<std::string> command;
  std::vector<std::string> env = {};   // "NAME=value", besides the container's
  std::string working_dir = {};        // API 1.35
  std::string user = {};               // "uid:gid" or names; empty: the container's
  std::string detach_keys = {};
  bool is_privileged = false;
  bool has_tty = false;
  bool standard_input = false;
  bool standard_output = true;
  bool standard_error = true;
};

// POST /containers/{id}/exec; its ID. A conflict when the container does not run, or is paused.
std::string create_exec(const Context& ctx, Client& client, std::string_view container, const ExecRequest& request);

struct ExecStart {
  bool has_tty = false;                             // as at its creation
  std::optional<TerminalSize> terminal_size = {};   // from the start: API 1.42
};

// POST /exec/{id}/start: its streams, `format` always told. Use converse(). A command that is not there is told in the output,
// with exit code 126 or 127.
Hijacked start_exec(const Context& ctx, Client& client, std::string_view exec, const ExecStart& start = {});
// The same with nobody listening; returns when it has started.
void start_exec_detached(const Context& ctx, Client& client, std::string_view exec);
// POST /exec/{id}/resize.
void resize_exec(const Context& ctx, Client& client, std::string_view exec, const TerminalSize& size);

struct ExecDetails {
  std::string id;
  std::string container_id = {};
  bool is_running = false;
  std::optional<std::int64_t> exit_code = {};  // once it has ended
  std::int64_t pid = 0;                        // on the engine's machine
  std::string command = {};
  std::vector<std::string> arguments = {};
  std::string user = {};
  bool has_tty = false;
};

// GET /exec/{id}/json; nothing when there is none: the engine forgets them some minutes after their end.
std::optional<ExecDetails> find_exec(const Context& ctx, Client& client, std::string_view exec);

// Creates, starts, converses and asks for the exit code; returns when the process has ended and its streams are closed.
std::int64_t run_exec(const Context& ctx, Client& client, std::string_view container, const ExecRequest& request,
                      const InputSource& input, const LogFrames::Handler& on_output);

// Pure; absent and null members are fine.
std::optional<ExecDetails> parse_exec(const nlohmann::json& answer);
nlohmann::json to_json(const ExecRequest& request);

}  // namespace drover::engine
