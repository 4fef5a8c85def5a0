#include "compose/canonical_text.h"

#include "base/text.h"
#include "compose/bound_model.h"
#include "compose/yaml_emitter.h"

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <map>

namespace drover::compose {
namespace {

using Json = nlohmann::ordered_json;

std::string with_doubled_dollars(const std::string& text) {
  std::string doubled;
  for (const char c : text) doubled += c == '$' ? std::string("$$") : std::string(1, c);
  return doubled;
}

Json escaped(const Json& value) {
  if (value.is_string()) return with_doubled_dollars(value.get_ref<const std::string&>());
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) list.push_back(escaped(item));
    return list;
  }
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (auto member = value.begin(); member != value.end(); ++member)
    object[with_doubled_dollars(member.key())] = escaped(*member);
  return object;
}

// They were read; docker compose leaves their names out.
void drop_label_files(Json& model) {
  for (Json& service : model["services"]) service.erase("label_file");
}

// YAML differs from JSON in a few places: a command that is not set is left out, both sides of a limit are printed, keys are
// lower case, and the "x-" keys stand at the end of what they belong to.
Json to_yaml_form(const Json& value) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) list.push_back(to_yaml_form(item));
    return list;
  }
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (auto member = value.begin(); member != value.end(); ++member) {
    const std::string& key = member.key();
    if (key == extensions_key) {
      for (auto extension = member->begin(); extension != member->end(); ++extension) object[extension.key()] = *extension;
    } else if (key != refused_host_path_key && key != text_mode_key) {
      object[key] = to_yaml_form(*member);
    }
  }
  return object;
}

void drop_unset(Json& holder, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (const auto found = holder.find(key); found != holder.end() && found->is_null()) holder.erase(found);
}

void complete_ulimits(Json& holder) {
  const auto ulimits = holder.find("ulimits");
  if (ulimits == holder.end()) return;
  for (Json& ulimit : *ulimits)
    if (ulimit.is_object()) ulimit = Json::object({{"soft", ulimit.value("soft", 0)}, {"hard", ulimit.value("hard", 0)}});
}

void lower_keys(Json& list) {
  for (Json& item : list) {
    Json lowered = Json::object();
    for (auto member = item.begin(); member != item.end(); ++member) lowered[to_lower(member.key())] = *member;
    item = std::move(lowered);
  }
}

void reshape_service(Json& service) {
  drop_unset(service, {"command", "entrypoint"});
  for (const char* hooks : {"pre_start", "post_start", "pre_stop"})
    if (const auto list = service.find(hooks); list != service.end())
      for (Json& hook : *list) drop_unset(hook, {"command"});
  complete_ulimits(service);
  if (const auto build = service.find("build"); build != service.end()) complete_ulimits(*build);
  if (const auto blkio = service.find("blkio_config"); blkio != service.end())
    for (Json& list : *blkio)
      if (list.is_array()) lower_keys(list);
}

}  // namespace

Json canonical_json(const Project& project) {
  Json model = *project.model;
  drop_label_files(model);
  model.erase("models");
  std::map<std::string, Json> sorted;
  for (auto member = model.begin(); member != model.end(); ++member) {
    if (member.key() == extensions_key) {
      for (auto extension = member->begin(); extension != member->end(); ++extension) sorted[extension.key()] = *extension;
    } else {
      sorted[member.key()] = without_extensions(*member);
    }
  }
  Json document = Json::object();
  for (const auto& [key, value] : sorted) document[key] = value;
  return escaped(document);
}

std::string canonical_yaml(const Project& project) {
  Json model = *project.model;
  drop_label_files(model);
  for (Json& service : model["services"]) reshape_service(service);
  return emit_yaml(escaped(to_yaml_form(model)));
}

}  // namespace drover::compose
