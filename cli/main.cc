#include "cli/application.h"
#include "cli/signals.h"

#include <sys/stat.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  try {
    ::umask(077);  // what is stored may come from private registries
    const drover::cli::Signals signals;
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    return drover::cli::run_application(words, drover::cli::read_environment(), drover::cli::Machine::real(), signals.token(), std::cout,
                                        std::cerr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "drover: %s\n", error.what());
    return 1;
  }
}
