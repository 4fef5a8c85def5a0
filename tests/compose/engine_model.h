// An engine as far as plans of compose can tell: what each step does, and what a real engine refuses. It keeps no process, only
// states.
#pragma once

#include "compose/plan.h"
#include "compose/project_state.h"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drover::compose {

class EngineModel {
 public:
  EngineModel();
  ~EngineModel();
  EngineModel(const EngineModel& other);
  EngineModel& operator=(const EngineModel& other);

  engine::ApiVersion api{1, 44};

  // ID "sha256:<64 hex of `content`>".
  void set_image(const std::string& reference, const std::string& content, const nlohmann::json& config);
  void set_image(const std::string& reference, const std::string& content);
  void remove_image(const std::string& reference);
  void add_network(const engine::NetworkRequest& request);
  void add_volume(const engine::VolumeRequest& request, std::optional<std::int64_t> size_bytes = {});
  // The inspect answer of a container, to be changed at will. Throws std::runtime_error when there is none.
  nlohmann::json& container(const std::string& name);
  // One that is not made by a plan: `body` as for create.
  std::string add_container(const std::string& name, const nlohmann::json& body, bool runs = true);
  void start(const std::string& name);
  void stop(const std::string& name, int exit_code = 0);
  void rename(const std::string& from, const std::string& to);
  void remove(const std::string& name);

  // Does what a step does. Throws std::runtime_error with the text of a real engine's refusal.
  void apply(const Step& step);
  void apply(const Plan& plan);

  ProjectState state(const std::string& project) const;
  // Names and states, "shop-web-1 running", by name.
  std::vector<std::string> names() const;
  bool has_volume(const std::string& name) const;
  std::vector<std::string> volume_names() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace drover::compose
