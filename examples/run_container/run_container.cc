// Lists the containers of the engine, runs one, and prints what it prints as it comes.
//
//   run_container IMAGE COMMAND [ARGUMENT…]     the image must be there; exit code: the container's, or 125
//
// The engine is found as docker finds it: DOCKER_HOST, DOCKER_CONTEXT, the current context, /var/run/docker.sock.
#include "base/error.h"
#include "base/text.h"
#include "engine/container_output.h"
#include "engine/containers.h"

#include <nlohmann/json.hpp>

#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace drover;

namespace {

// Every call ends soon after a stop is asked for: here by Ctrl-C, which a thread of its own waits for.
std::stop_token stop_on_interrupt() {
  static std::stop_source source;
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, nullptr);  // of this thread and all that it starts
  std::thread([interrupt] {
    int signal = 0;
    sigwait(&interrupt, &signal);
    source.request_stop();
  }).detach();
  return source.get_token();
}

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

void list(const Context& ctx, engine::Client& client) {
  for (const engine::ContainerSummary& container : engine::list_containers(ctx, client)) {
    std::cerr << container.id.substr(0, 12) << "  " << container.name << "  " << container.image_reference << "  "
              << container.status << '\n';
  }
}

std::int64_t run(const Context& ctx, engine::Client& client, const std::string& image, const std::vector<std::string>& command) {
  const std::string id = engine::create_container(ctx, client, {}, {{"Image", image}, {"Cmd", command}}).id;
  try {
    engine::start_container(ctx, client, id);
    engine::read_container_logs(
        ctx, client, id, {.follow = true}, [](engine::OutputStream stream, std::span<const std::byte> bytes) {
          (stream == engine::OutputStream::standard_error ? std::cerr : std::cout) << as_text(bytes) << std::flush;
        });
    const std::int64_t exit_code = engine::wait_container(ctx, client, id).exit_code;
    engine::remove_container(ctx, client, id, {.volumes = true});
    return exit_code;
  } catch (const Error&) {
    // Stopped, or the engine failed: nothing is left behind, as far as it still answers. A new context, since that one has been
    // stopped.
    engine::remove_container({}, client, id, {.volumes = true, .force = true});
    throw;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: run_container IMAGE COMMAND [ARGUMENT...]\n";
    return 2;
  }
  Context ctx;
  ctx.stop = stop_on_interrupt();
  try {
    net::Transport transport;
    engine::Client client(transport, engine::find_endpoint({}, environment()));
    list(ctx, client);
    return static_cast<int>(run(ctx, client, argv[1], {argv + 2, argv + argc}));
  } catch (const Error& error) {
    std::cerr << "run_container: " << error.what() << '\n';
    return 125;
  }
}
