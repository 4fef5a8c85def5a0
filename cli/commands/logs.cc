#include "cli/command.h"
#include "cli/render.h"
#include "cli/session.h"
#include "stack/project_logs.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

namespace drover::cli {
namespace {

// The colours of prefixes, in turn, as docker compose has them: cyan, yellow, green, magenta, blue, then bright ones.
constexpr std::array<const char*, 10> colours = {"\033[36m",
                                                 "\033[33m",
                                                 "\033[32m",
                                                 "\033[35m",
                                                 "\033[34m",
                                                 "\033[36;1m",
                                                 "\033[33;1m",
                                                 "\033[32;1m",
                                                 "\033[35;1m",
                                                 "\033[34;1m"};

std::string_view name_of(engine::OutputStream stream) {
  return stream == engine::OutputStream::standard_error ? "stderr" : "stdout";
}

// Lines as they come: "web-1  | text", or one JSON document, an entry a line.
class LogWriter {
 public:
  LogWriter(Session& session, std::string project) : session_(session), project_(std::move(project)) {
    if (session_.output().is_json()) session_.output().write_now("{\"entries\":[");
  }

  void expect(const std::vector<engine::ContainerSummary>& containers) {
    for (const engine::ContainerSummary& container : containers) width_ = std::max(width_, label_of(container.name).size());
  }

  void write(const stack::LogLine& line) {
    if (session_.output().is_json()) {
      session_.output().write_now(std::string(has_entries_ ? "," : "") + "\n" + entry_of(line));
      has_entries_ = true;
      return;
    }
    std::string text = session_.flags().no_log_prefix ? "" : prefix_of(line.container);
    if (session_.flags().timestamps && !line.time.empty()) text += line.time + " ";
    session_.output().write_now(text + line.text + "\n");
  }

  void finish(const std::vector<Error>& failures) {
    if (!session_.output().is_json()) return;
    std::string text = has_entries_ ? "\n]" : "]";
    if (!failures.empty()) text += ",\"error\":" + error_json(failures.front()).dump();
    session_.output().write_now(text + "}\n");
  }

 private:
  std::string label_of(const std::string& container) const { return stack::short_name_of(container, project_); }

  std::string prefix_of(const std::string& container) {
    std::string text = label_of(container);
    width_ = std::max(width_, text.size());
    text.append(width_ - text.size(), ' ');
    text += "  | ";
    if (!session_.settings().has_colours) return text;
    const auto colour = colours_.try_emplace(container, colours[colours_.size() % colours.size()]).first->second;
    return colour + text + "\033[0m";
  }

  static std::string entry_of(const stack::LogLine& line) {
    return Json({{"container", line.container},
                 {"service", line.service},
                 {"stream", name_of(line.stream)},
                 {"time", line.time},
                 {"text", line.text}})
        .dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  Session& session_;
  std::string project_;
  std::size_t width_ = 0;
  bool has_entries_ = false;
  std::map<std::string, const char*> colours_;
};

ExitCode run_logs(Session& session) {
  const Flags& flags = session.flags();
  const Settings& settings = session.settings();
  if (settings.index && flags.services.size() != 1)
    throw Error(ErrorCode::usage, "--index is the number of one service's container: name one service");
  const Session::KnownProject project = session.known_project();
  const stack::ProjectLogsOptions options{
      .choice = {.project = project.name, .services = {flags.services.begin(), flags.services.end()}},
      .known_services = project.services(),
      .index = settings.index,
      .since = settings.since,
      .until = settings.until,
      .tail = settings.tail,
      .follows = flags.follow};
  session.engine().api_version(session.ctx());  // before the document is begun
  LogWriter writer(session, project.name);
  std::vector<Error> failures;
  try {
    failures = stack::read_project_logs(
        session.ctx(),
        session.engine(),
        options,
        [&](const auto& containers) { writer.expect(containers); },
        [&](const stack::LogLine& line) { writer.write(line); });
  } catch (const Error& error) {
    if (error.code() == ErrorCode::io) throw;  // nobody takes what would be written
    if (!session.output().is_json()) throw;
    failures.push_back(error);
  }
  writer.finish(failures);
  return session.finish(failures);
}

}  // namespace

Command logs_command() {
  return {.path = "logs",
          .group = "Stack commands",
          .summary = "print what the containers of the compose project printed",
          .details = "Of all containers together, in the order of their times; with --follow in the order in which lines come, "
                     "until none of them\n"
                     "runs. After the command, -f is --follow, as docker compose has it; the compose file's -f stands before it, "
                     "or is --file.\n"
                     "--json prints one document, an entry a line, as lines come:\n"
                     "{\"entries\":[{\"container\",\"service\",\"stream\",\"time\",\"text\"}]}.",
          .example = "  drover logs -f --tail 20 web db",
          .positionals = {{"SERVICE", &Flags::services, "only the containers of these services"}},
          .options = {{"-f,--follow", &Flags::follow, "go on with what comes"},
                      {"-n,--tail", &Flags::tail, "only the last so many lines of each container (default all)", "LINES"},
                      {"--since", &Flags::since, "from then on: 10m ago, RFC 3339, seconds since 1970", "TIME"},
                      {"--until", &Flags::until, "until then, likewise", "TIME"},
                      {"-t,--timestamps", &Flags::timestamps, "the time in front of each line"},
                      {"--index", &Flags::index, "only the container with this number of the service", "N"},
                      {"--no-log-prefix", &Flags::no_log_prefix, "lines as they are, without the container's name"},
                      {"--no-color", &Flags::no_color, "no colours on a terminal [NO_COLOR]"}},
          .run = run_logs};
}

}  // namespace drover::cli
