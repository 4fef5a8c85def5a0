#include "compose/model_loader.h"

#include "base/error.h"
#include "base/text.h"
#include "compose/canonical.h"
#include "compose/cast.h"
#include "compose/extends.h"
#include "compose/include.h"
#include "compose/input_file.h"
#include "compose/invalid.h"
#include "compose/merge.h"
#include "compose/model_checks.h"
#include "compose/relative_paths.h"
#include "compose/reset.h"
#include "compose/schema.h"
#include "compose/unique.h"

#include <iterator>

namespace drover::compose {
namespace {

namespace fs = std::filesystem;

std::size_t count_nodes(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items) count += count_nodes(item);
  for (const Member& member : node.members) count += count_nodes(member.value);
  return count;
}

std::string home_of(const Environment& environment) {
  const auto home = environment.find("HOME");
  return home == environment.end() ? "" : home->second;
}

void drop_version(Node& project, const fs::path& file, WarningList& warnings) {
  if (!project.find("version")) return;
  warnings.add(file.string() + ": the attribute `version` is obsolete and ignored, please remove it");
  project.remove("version");
}

// `environment: [NAME]` takes its value here and now: an included file has an environment of its own.
void resolve_environment(Node& project, const Environment& environment) {
  Node* services = project.find("services");
  if (!services) return;
  for (Member& service : services->members) {
    Node* variables = service.value.find("environment");
    if (!variables) continue;
    for (Node& variable : variables->items) {
      const auto value = environment.find(variable.text);
      if (variable.text.find('=') == std::string::npos && value != environment.end()) variable.text += "=" + value->second;
    }
  }
}

}  // namespace

VariableLookup lookup_in(const Environment& environment) {
  return [&environment](std::string_view name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
}

Node ModelLoader::load(const ModelSource& source) {
  Node project = Node::make_mapping();
  for (const fs::path& file : source.files)
    for (const YamlDocument& document : read_documents(file))
      project = add_document(std::move(project), interpolated(document, source.environment), file, source);
  set_defaults(project);
  check_model(project);
  make_paths_absolute(project, source.directory, home_of(source.environment));
  resolve_environment(project, source.environment);
  return project;
}

const std::vector<YamlDocument>& ModelLoader::read_documents(const fs::path& file) {
  if (++reads_ > project_reads_max)
    throw Error(ErrorCode::invalid,
                file.string() + ": more than " + std::to_string(project_reads_max) + " compose files in a project");
  const auto known = documents_.find(file);
  if (known != documents_.end()) return known->second;
  std::optional<std::string> text = standard_input_;
  if (file != "-") text = try_read_input(file, yaml_bytes_max);
  if (!text) throw Error(ErrorCode::not_found, "cannot open compose file " + file.string() + ": no such file or directory");
  bytes_ += text->size();
  if (bytes_ > project_bytes_max)
    throw Error(ErrorCode::invalid,
                file.string() + ": the project's compose files are larger than " + format_bytes(project_bytes_max) + " together");
  return documents_.emplace(file, parse_yaml(*text, file)).first->second;
}

YamlDocument ModelLoader::interpolated(const YamlDocument& document, const Environment& environment) {
  count_copied(document.root);
  YamlDocument copy = document;
  if (!copy.root.is_mapping())
    throw invalid(copy.root.origin, "a compose file must be a mapping, not " + std::string(describe(copy.root.kind)));
  Interpolator(lookup_in(environment), warnings_).interpolate_tree(copy.root);
  cast_strings(copy.root, warnings_);
  if (const Node* services = copy.root.find("services"); services && !services->is_mapping())
    throw invalid(services->origin, "services: must be a mapping, not " + std::string(describe(services->kind)));
  return copy;
}

Node ModelLoader::add_document(Node project, YamlDocument document, const fs::path& file, const ModelSource& source) {
  apply_include(*this, document, file, source);
  apply_resets(project, document.resets);
  apply_extends(*this, document, file, source.directory, source.environment);
  project = merge(std::move(project), document.root);
  keep_last_of_equal(project);
  check_schema(project);
  drop_version(project, file, warnings_);
  make_canonical(project);
  keep_last_of_equal(project);  // a range of ports may meet a single one only now
  return project;
}

YamlDocument ModelLoader::load_base_file(const fs::path& file, const Environment& environment) {
  YamlDocument merged;
  merged.root = Node::make_mapping();
  for (const YamlDocument& document : read_documents(file)) {
    YamlDocument copy = interpolated(document, environment);
    apply_resets(merged.root, copy.resets);
    merged.root = merge(std::move(merged.root), copy.root);
    keep_last_of_equal(merged.root);
    make_canonical(merged.root);
    std::move(copy.resets.begin(), copy.resets.end(), std::back_inserter(merged.resets));
  }
  make_paths_absolute(merged.root, file.parent_path(), home_of(environment));
  return merged;
}

void ModelLoader::count_copied(const Node& node) {
  copied_ += count_nodes(node);
  if (copied_ > project_nodes_max)
    throw invalid(node.origin, "include and extends grow the project beyond " + std::to_string(project_nodes_max) + " nodes");
}

}  // namespace drover::compose
