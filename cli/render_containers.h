// Containers as docker's own tools show them. Pure.
#pragma once

#include "cli/render.h"
#include "engine/containers.h"

#include <chrono>
#include <string>
#include <vector>

namespace drover::cli {

// "Less than a second", "About a minute", "3 hours": docker's own words and steps.
std::string age_text(std::chrono::seconds age);
// "127.0.0.1:8080->80/tcp, 443/tcp, 0.0.0.0:5000-5003->5000-5003/tcp".
std::string ports_text(std::vector<engine::PublishedPort> ports);
// "healthy", "unhealthy" or "starting" of the engine's status text; empty without a health check.
std::string health_of(const engine::ContainerSummary& container);

struct ContainersView {
  std::string project;
  std::vector<engine::ContainerSummary> containers;
  engine::Timestamp now = {};
  bool is_truncated = true;  // long commands are cut
};

// {"containers":[{"id","name","service","image","command","created","state","status","health","exitCode","ports":[{"hostIp","published",
// "target","protocol"}]}]}
Json containers_json(const ContainersView& view);
std::string containers_text(const ContainersView& view);

}  // namespace drover::cli
