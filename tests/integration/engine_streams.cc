// Calls for trying how an engine is reached: one a run, on the endpoint that the environment names as docker reads it.
//
//   engine_streams ping                       the API version and what the engine is
//   engine_streams parallel COUNT             so many GET /version at once
//   engine_streams exec CONTAINER WORD...     standard input, output and error go through; the exit code is the process's
//   engine_streams events ACTION              a line a notice, until an event with that action
#include "base/error.h"
#include "base/parallel.h"
#include "engine/client.h"
#include "engine/endpoint.h"
#include "engine/events.h"
#include "engine/exec.h"
#include "engine/system.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

extern char** environ;

namespace {

using namespace drover;
using namespace drover::engine;

std::map<std::string, std::string> read_environment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return environment;
}

std::size_t read_standard_input(const Context&, std::span<std::byte> space) {
  ssize_t count = 0;
  while ((count = read(STDIN_FILENO, space.data(), space.size())) < 0 && errno == EINTR) {
  }
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

void write_output(OutputStream stream, std::span<const std::byte> bytes) {
  std::ostream& out = stream == OutputStream::standard_error ? std::cerr : std::cout;
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())).flush();
}

int show_events(const Context& ctx, Client& client, const std::string& last) {
  EventSubscription events(ctx, client);
  while (true) {
    const std::optional<EventNotice> notice = events.next(ctx, std::chrono::minutes(1));
    if (!notice) continue;
    if (!notice->event) {
      std::cout << "read anew: " << notice->reason << std::endl;
      continue;
    }
    const Event& event = *notice->event;
    const auto name = event.attributes.find("name");
    std::cout << event.type << " " << event.action << " " << (name == event.attributes.end() ? event.actor_id : name->second) << std::endl;
    if (event.action == last) return 0;
  }
}

int run(const std::vector<std::string>& words) {
  net::Transport transport;
  Client client(transport, find_endpoint({}, read_environment()));
  const Context ctx;
  const std::string command = words.empty() ? "" : words[0];
  if (command == "ping" && words.size() == 1) {
    std::cout << client.api_version(ctx).to_string() << " " << read_version(ctx, client).version << std::endl;
    return 0;
  }
  if (command == "parallel" && words.size() == 2) {
    const std::size_t count = std::stoul(words[1]);
    parallel_for_each(ctx, count, count, [&](const Context& inner, std::size_t) { read_version(inner, client); });
    return 0;
  }
  if (command == "exec" && words.size() > 2) {
    const ExecRequest request{.command = {words.begin() + 2, words.end()}, .standard_input = true};
    return static_cast<int>(run_exec(ctx, client, words[1], request, read_standard_input, write_output));
  }
  if (command == "events" && words.size() == 2) return show_events(ctx, client, words[1]);
  std::cerr << "usage: engine_streams ping | parallel COUNT | exec CONTAINER WORD... | events ACTION\n";
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
