#include "engine/container_output.h"

#include "base/error.h"
#include "engine/containers.h"
#include "engine/json_fields.h"
#include "engine/query.h"

#include <nlohmann/json.hpp>

namespace drover::engine {
namespace {

constexpr ApiVersion until_api{1, 35};

LogFormat format_of_container(const Context& ctx, Client& client, std::string_view container) {
  const auto details = find_container(ctx, client, container);
  if (!details) throw Error(ErrorCode::not_found, "no such container: " + std::string(container));
  return details->config.has_tty ? LogFormat::raw : LogFormat::frames;
}

}  // namespace

void read_container_logs(const Context& ctx, Client& client, std::string_view container, const LogOptions& options,
                         const LogFrames::Handler& on_output) {
  Query query(object_path("containers", container, "logs"));
  query.flag("stdout", options.standard_output).flag("stderr", options.standard_error);
  query.flag("follow", options.follow).flag("timestamps", options.timestamps);
  if (options.since) query.set("since", to_seconds_text(*options.since));
  if (options.until) client.require(ctx, until_api, "the end of a log's time");
  if (options.until) query.set("until", to_seconds_text(*options.until));
  if (options.tail) query.number("tail", *options.tail);

  std::optional<LogFrames> frames;
  const EngineTraits traits = client.traits(ctx);
  if (has_quirk(traits, Quirk::hides_output_format)) frames.emplace(format_of_container(ctx, client, container), on_output);
  Client::Call call{.path = query.path(), .head_max = options.head_max};
  if (options.follow) call.silence_max = std::chrono::milliseconds(0);  // a container may have nothing to say for days
  call.on_head = [&](const net::ResponseHead& head) {
    if (!frames) frames.emplace(find_log_format(head.headers, traits).value_or(LogFormat::frames), on_output);
  };
  client.exchange(ctx, call, [&](std::span<const std::byte> bytes) {
    frames->feed(bytes);
    return true;
  });
  if (frames) frames->finish();
}

Hijacked attach_container(const Context& ctx, Client& client, std::string_view container, const AttachOptions& options) {
  Query query(object_path("containers", container, "attach"));
  query.set("stream", "1").flag("logs", options.past_output).flag("stdin", options.standard_input);
  query.flag("stdout", options.standard_output).flag("stderr", options.standard_error).text("detachKeys", options.detach_keys);
  Hijacked attached = hijack(ctx, client, query.path(), nullptr);
  if (!attached.format) attached.format = format_of_container(ctx, client, container);
  return attached;
}

void resize_container(const Context& ctx, Client& client, std::string_view container, const TerminalSize& size) {
  const Query query = Query(object_path("containers", container, "resize")).number("h", size.rows).number("w", size.columns);
  client.exchange(ctx, {.method = "POST", .path = query.path()});
}

ProcessTable parse_process_table(const nlohmann::json& answer) {
  ProcessTable table{.titles = texts_member(answer, "Titles"), .rows = {}};
  for (const nlohmann::json& row : items_member(answer, "Processes")) {
    if (!row.is_array()) continue;
    std::vector<std::string>& words = table.rows.emplace_back();
    for (const nlohmann::json& word : row) words.push_back(word.is_string() ? word.get<std::string>() : std::string());
  }
  return table;
}

ProcessTable list_container_processes(const Context& ctx, Client& client, std::string_view container,
                                      std::string_view ps_arguments) {
  return parse_process_table(
      client.get(ctx, Query(object_path("containers", container, "top")).text("ps_args", ps_arguments).path()));
}

}  // namespace drover::engine
