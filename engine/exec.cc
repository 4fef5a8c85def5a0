#include "engine/exec.h"

#include "base/error.h"
#include "engine/json_fields.h"
#include "engine/query.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

constexpr ApiVersion working_dir_api{1, 35};
constexpr ApiVersion terminal_size_api{1, 42};

// A process may close its streams and go on; most have ended when the first question is asked.
std::int64_t wait_for_exit_code(const Context& ctx, Client& client, const std::string& id) {
  constexpr std::chrono::milliseconds pause_max{500};
  for (std::chrono::milliseconds pause{5};; pause = std::min(2 * pause, pause_max)) {
    const auto details = find_exec(ctx, client, id);
    if (!details) throw Error(ErrorCode::not_found, "exec " + id + " is gone before its exit code was known");
    if (!details->is_running && details->exit_code) return *details->exit_code;
    ctx.clock->sleep_for(pause, ctx.stop);
    ctx.check_stop();
  }
}

}  // namespace

nlohmann::json to_json(const ExecRequest& request) {
  nlohmann::json out{{"Cmd", request.command},
                     {"AttachStdin", request.standard_input},
                     {"AttachStdout", request.standard_output},
                     {"AttachStderr", request.standard_error},
                     {"Tty", request.has_tty},
                     {"Privileged", request.is_privileged}};
  put_some(out, "Env", request.env);
  put_some(out, "WorkingDir", request.working_dir);
  put_some(out, "User", request.user);
  put_some(out, "DetachKeys", request.detach_keys);
  return out;
}

std::optional<ExecDetails> parse_exec(const nlohmann::json& answer) {
  ExecDetails out{.id = text_member(answer, "ID")};
  if (out.id.empty()) return std::nullopt;
  out.container_id = text_member(answer, "ContainerID");
  out.is_running = flag_member(answer, "Running");
  out.exit_code = find_number_member(answer, "ExitCode");
  out.pid = number_member(answer, "Pid");
  const nlohmann::json& process = member(answer, "ProcessConfig");
  out.command = text_member(process, "entrypoint");
  out.arguments = texts_member(process, "arguments");
  out.user = text_member(process, "user");
  out.has_tty = flag_member(process, "tty");
  return out;
}

std::string create_exec(const Context& ctx, Client& client, std::string_view container, const ExecRequest& request) {
  if (!request.working_dir.empty()) client.require(ctx, working_dir_api, "a working directory for exec");
  std::string id = text_member(client.post(ctx, object_path("containers", container, "exec"), to_json(request)), "Id");
  if (id.empty()) {
    throw Error(ErrorCode::engine, "POST /containers/" + std::string(container) + "/exec: the engine did not name what it made");
  }
  return id;
}

Hijacked start_exec(const Context& ctx, Client& client, std::string_view exec, const ExecStart& start) {
  nlohmann::json body{{"Detach", false}, {"Tty", start.has_tty}};
  if (start.terminal_size) {
    client.require(ctx, terminal_size_api, "a terminal's size from the start");
    body["ConsoleSize"] = {start.terminal_size->rows, start.terminal_size->columns};
  }
  Hijacked started = hijack(ctx, client, object_path("exec", exec, "start"), body);
  if (!started.format) started.format = start.has_tty ? LogFormat::raw : LogFormat::frames;
  return started;
}

void start_exec_detached(const Context& ctx, Client& client, std::string_view exec) {
  client.exchange(ctx, {.method = "POST",
                        .path = object_path("exec", exec, "start"),
                        .body = nlohmann::json{{"Detach", true}}.dump(),
                        .content_type = "application/json"});
}

void resize_exec(const Context& ctx, Client& client, std::string_view exec, const TerminalSize& size) {
  client.exchange(ctx,
                  {.method = "POST",
                   .path = Query(object_path("exec", exec, "resize")).number("h", size.rows).number("w", size.columns).path()});
}

std::optional<ExecDetails> find_exec(const Context& ctx, Client& client, std::string_view exec) {
  return parse_exec(client.find(ctx, object_path("exec", exec, "json")));
}

std::int64_t run_exec(const Context& ctx, Client& client, std::string_view container, const ExecRequest& request,
                      const InputSource& input, const LogFrames::Handler& on_output) {
  const std::string id = create_exec(ctx, client, container, request);
  const Hijacked started = start_exec(ctx, client, id, {.has_tty = request.has_tty});
  converse(ctx, *started.stream, *started.format, input, on_output);
  return wait_for_exit_code(ctx, client, id);
}

}  // namespace drover::engine
