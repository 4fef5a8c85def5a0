// A fake engine to try commands against by hand: serve_engine SOCKET [--containerd] [--podman] [--api VERSION]. Ends on end of input.
#include "tests/support/fake_engine.h"

#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv) try {
  drover::test::FakeEngineOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--containerd") {
      options.is_containerd = true;
    } else if (argument == "--podman") {
      options.is_podman = true;
    } else if (argument == "--api" && i + 1 < argc) {
      options.api_version = argv[++i];
    } else {
      options.socket = argument;
    }
  }
  if (options.socket.empty()) {
    std::cerr << "usage: serve_engine SOCKET [--containerd] [--podman] [--api VERSION]\n";
    return 2;
  }
  const drover::test::FakeEngine engine(options);
  std::cout << "DOCKER_HOST=unix://" << engine.socket().string() << std::endl;
  for (std::string line; std::getline(std::cin, line);) continue;
  for (const std::string& target : engine.targets()) std::cout << target << "\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << "serve_engine: " << error.what() << "\n";
  return 1;
}
