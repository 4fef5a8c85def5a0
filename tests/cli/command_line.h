// Runs drover in this process against a fake registry, with a home, a store and an environment of its own.
#pragma once

#include "cli/application.h"
#include "tests/support/temp_dir.h"

#include <nlohmann/json.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace drover::test {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;

  // The one document on standard output; throws when it is none, or more than one.
  nlohmann::ordered_json json() const { return nlohmann::ordered_json::parse(out); }
};

class CommandLine {
 public:
  CommandLine() : environment_{{"HOME", (home_ / "ann").string()}, {"DROVER_STORE", store().string()}, {"DOCKER_HOST", "unix://" + (home_ / "engine").string()}} {}

  Outcome run(const std::vector<std::string>& words, const std::stop_token& stop = {}) const {
    std::ostringstream out;
    std::ostringstream err;
    const cli::Machine machine{.is_root = false, .is_error_terminal = false, .working_directory = home_.path()};
    const int code = cli::run_application(words, environment_, machine, stop, out, err);
    return {.code = code, .out = out.str(), .err = err.str()};
  }

  void set(const std::string& name, const std::string& value) { environment_[name] = value; }
  std::filesystem::path store() const { return home_ / "store"; }
  const TempDir& home() const { return home_; }

 private:
  TempDir home_{"cli"};
  cli::Environment environment_;
};

// The members of an object in order, "a,b,c".
inline std::string members(const nlohmann::ordered_json& object) {
  std::string names;
  for (const auto& [name, value] : object.items()) names += (names.empty() ? "" : ",") + name;
  return names;
}

}  // namespace drover::test
