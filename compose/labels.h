// The labels by which docker compose, and drover with it, knows what belongs to a project.
#pragma once

#include "engine/container_details.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace drover::compose {

inline constexpr std::string_view config_hash_label = "com.docker.compose.config-hash";
inline constexpr std::string_view config_files_label = "com.docker.compose.project.config_files";
inline constexpr std::string_view dependencies_label = "com.docker.compose.depends_on";
inline constexpr std::string_view environment_file_label = "com.docker.compose.project.environment_file";
inline constexpr std::string_view image_label = "com.docker.compose.image";
inline constexpr std::string_view network_label = "com.docker.compose.network";
inline constexpr std::string_view number_label = "com.docker.compose.container-number";
inline constexpr std::string_view oneoff_label = "com.docker.compose.oneoff";
inline constexpr std::string_view project_label = "com.docker.compose.project";
inline constexpr std::string_view replace_label = "com.docker.compose.replace";
inline constexpr std::string_view service_label = "com.docker.compose.service";
inline constexpr std::string_view version_label = "com.docker.compose.version";
inline constexpr std::string_view volume_label = "com.docker.compose.volume";
inline constexpr std::string_view working_directory_label = "com.docker.compose.project.working_dir";

// Empty where there is none.
std::string label_of(const std::map<std::string, std::string>& labels, std::string_view name);

inline std::string label_of(const engine::ContainerDetails& container, std::string_view name) {
  return label_of(container.config.labels, name);
}

// "label=value" as filters of the Engine API want it.
std::string label_filter(std::string_view name, std::string_view value);

// Made by `docker compose run`.
bool is_one_off(const std::map<std::string, std::string>& labels);
inline bool is_one_off(const engine::ContainerDetails& container) { return is_one_off(container.config.labels); }
// Of its service's containers, from 1: by label, else by the end of its name, else 1.
int container_number(const engine::ContainerDetails& container);
// The first 12 hex digits of an ID, as docker shows them.
std::string short_id(std::string_view id);

}  // namespace drover::compose
