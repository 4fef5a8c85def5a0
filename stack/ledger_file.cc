#include "stack/ledger_file.h"

#include "base/error.h"
#include "base/text.h"
#include "digest/digest.h"

#include <nlohmann/json.hpp>

namespace drover::stack {
namespace {

using Json = nlohmann::json;

constexpr std::string_view first_word = "drover-ledger";
constexpr std::string_view ledger_version = "1";

std::int64_t seconds_of(TimePoint time) { return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count(); }
TimePoint time_of(const Json& seconds) { return TimePoint(std::chrono::seconds(seconds.get<std::int64_t>())); }

Json json_of(const Ledger::Project& project) {
  Json volumes = Json::object();
  for (const auto& [name, volume] : project.volumes) volumes[name] = {{"services", volume.services}, {"lastSeen", seconds_of(volume.last_seen)}};
  return {{"lastSeen", seconds_of(project.last_seen)}, {"volumes", volumes}, {"images", project.images}, {"declared", project.declared}, {"engines", project.engines}};
}

Ledger::Project project_of_json(const Json& json) {
  Ledger::Project project{.last_seen = time_of(json.at("lastSeen"))};
  for (const auto& [name, volume] : json.at("volumes").items()) {
    project.volumes[name] = {.services = volume.at("services").get<std::set<std::string>>(), .last_seen = time_of(volume.at("lastSeen"))};
  }
  project.images = json.at("images").get<std::map<std::string, std::string>>();
  project.declared = json.at("declared").get<std::set<std::string>>();
  if (json.contains("engines")) project.engines = json["engines"].get<std::set<std::string>>();
  return project;
}

Json json_of(const Ledger::Image& image) {
  Json json{{"firstSeen", seconds_of(image.first_seen)}, {"repositories", image.repositories}};
  if (image.last_used) json["lastUsed"] = seconds_of(*image.last_used);
  return json;
}

Ledger::Image image_of_json(const Json& json) {
  Ledger::Image image{.first_seen = time_of(json.at("firstSeen"))};
  if (json.contains("lastUsed")) image.last_used = time_of(json.at("lastUsed"));
  image.repositories = json.at("repositories").get<std::set<std::string>>();
  return image;
}

Json times_json(const std::map<std::string, TimePoint>& times) {
  Json json = Json::object();
  for (const auto& [name, time] : times) json[name] = seconds_of(time);
  return json;
}

std::map<std::string, TimePoint> times_of_json(const Json& json) {
  std::map<std::string, TimePoint> times;
  for (const auto& [name, seconds] : json.items()) times[name] = time_of(seconds);
  return times;
}

// Before projects had engines, a project was forgotten for all of them.
std::map<std::string, std::map<std::string, TimePoint>> forgotten_of_json(const Json& json) {
  std::map<std::string, std::map<std::string, TimePoint>> forgotten;
  for (const auto& [project, times] : json.items()) {
    forgotten[project] = times.is_object() ? times_of_json(times) : std::map<std::string, TimePoint>{{every_engine, time_of(times)}};
  }
  return forgotten;
}

Json json_of(const Ledger& ledger) {
  Json json{{"projects", Json::object()}, {"engines", Json::object()}, {"prefetched", Json::array()}};
  for (const auto& [name, project] : ledger.projects) json["projects"][name] = json_of(project);
  for (const auto& [engine, images] : ledger.images) {
    Json list = Json::object();
    for (const auto& [id, image] : images) list[id] = json_of(image);
    json["engines"][engine] = {{"images", std::move(list)}};
  }
  for (const Ledger::Prefetched& record : ledger.prefetched) {
    json["prefetched"].push_back(
        {{"imageId", record.image_id}, {"reference", record.reference}, {"project", record.project}, {"time", seconds_of(record.time)}});
  }
  json["volumesUsed"] = times_json(ledger.volumes_used);
  json["forgotten"] = Json::object();
  for (const auto& [project, times] : ledger.forgotten) json["forgotten"][project] = times_json(times);
  json["pins"] = times_json(ledger.pins);
  return json;
}

// A project without the list was written when there was none: it may have been on any engine that was looked at.
void assume_engines(Ledger& ledger, const Json& json) {
  for (auto& [name, project] : ledger.projects) {
    if (json.at("projects").at(name).contains("engines") || project.last_seen == TimePoint()) continue;
    for (const auto& [engine, entry] : json.at("engines").items()) project.engines.insert(engine);
  }
}

Ledger ledger_of_json(const Json& json) {
  Ledger ledger;
  for (const auto& [name, project] : json.at("projects").items()) ledger.projects[name] = project_of_json(project);
  assume_engines(ledger, json);
  for (const auto& [engine, entry] : json.at("engines").items()) {
    for (const auto& [id, image] : entry.at("images").items()) ledger.images[engine][id] = image_of_json(image);
  }
  for (const Json& record : json.at("prefetched")) {
    ledger.prefetched.push_back({.image_id = record.at("imageId").get<std::string>(),
                                 .reference = record.at("reference").get<std::string>(),
                                 .project = record.at("project").get<std::string>(),
                                 .time = time_of(record.at("time"))});
  }
  ledger.volumes_used = times_of_json(json.at("volumesUsed"));
  ledger.forgotten = forgotten_of_json(json.at("forgotten"));
  ledger.pins = times_of_json(json.at("pins"));
  return ledger;
}

}  // namespace

// Names come from engines, which take any bytes; those that are no UTF-8 are kept as what can be told of them.
std::string to_bytes(const Ledger& ledger) {
  const std::string body = json_of(ledger).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  return std::string(first_word) + " " + std::string(ledger_version) + " " + Digest::of(body).to_string() + "\n" + body;
}

Ledger parse_ledger(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  const std::vector<std::string_view> words = split(bytes.substr(0, end), ' ');
  if (end == std::string_view::npos || words.size() != 3 || words[0] != first_word) throw Error(ErrorCode::invalid, "its first line is damaged");
  if (words[1] != ledger_version) throw Error(ErrorCode::invalid, "it is of format " + printable(words[1], 20) + ", written by a newer drover");
  const std::string_view body = bytes.substr(end + 1);
  if (Digest::of(body).to_string() != words[2]) throw Error(ErrorCode::invalid, "its bytes are not those that were written");
  try {
    return ledger_of_json(Json::parse(body));
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::invalid, std::string("it cannot be read: ") + error.what());
  }
}

}  // namespace drover::stack
