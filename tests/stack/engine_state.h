// Short words for engine states in the tests of what goes and what stays.
#pragma once

#include "engine/snapshot.h"
#include "stack/ledger.h"

#include <chrono>
#include <string>
#include <vector>

namespace drover::test {

using namespace std::chrono_literals;

inline constexpr stack::TimePoint now{std::chrono::seconds(1'800'000'000)};
inline Digest id_of(const std::string& name) { return Digest::of(name); }
inline stack::TimePoint ago(std::chrono::seconds age) { return now - age; }
inline constexpr std::chrono::seconds days(int count) { return std::chrono::hours(24 * count); }

// Its layers are a stack: "base a b" shares the chain of "base a". Each has 100 bytes.
inline engine::SnapshotImage image(const std::string& name, std::vector<std::string> tags, std::chrono::seconds age, const std::string& layers = "") {
  engine::SnapshotImage out{.id = id_of(name), .tags = std::move(tags)};
  out.arrived = ago(age);
  std::string chain;
  for (const char layer : layers) {
    chain += layer;
    out.chain_ids.push_back(Digest::of("chain " + chain));
    out.layer_bytes.push_back(100);
  }
  out.bytes = 100 * layers.size();
  return out;
}

inline engine::SnapshotContainer container(const std::string& name, const std::string& image, const std::string& state,
                                           std::map<std::string, std::string> labels = {}, std::vector<std::string> volumes = {}) {
  engine::SnapshotContainer out{.id = id_of("container " + name).to_string().substr(7), .name = name};
  out.image_reference = image;
  out.labels = std::move(labels);
  out.state = state;
  out.volumes = std::move(volumes);
  out.created = out.finished = ago(days(9));
  return out;
}

inline engine::SnapshotContainer running(const std::string& name, const engine::SnapshotImage& image, std::map<std::string, std::string> labels = {},
                                         std::vector<std::string> volumes = {}) {
  engine::SnapshotContainer out = container(name, image.tags.empty() ? image.id.to_string() : image.tags.front(), "running", std::move(labels), std::move(volumes));
  out.image_id = image.id;
  return out;
}

inline std::map<std::string, std::string> of(const std::string& project, const std::string& service) {
  return {{"com.docker.compose.project", project}, {"com.docker.compose.service", service}};
}

inline engine::SnapshotVolume volume(const std::string& name, std::chrono::seconds age, std::map<std::string, std::string> labels = {}) {
  engine::SnapshotVolume out{.name = name};
  out.labels = std::move(labels);
  out.created = ago(age);
  out.bytes = 1000;
  return out;
}

inline engine::SnapshotVolume anonymous(char digit, std::chrono::seconds age) {
  return volume(std::string(64, digit), age, {{"com.docker.volume.anonymous", ""}});
}

}  // namespace drover::test
