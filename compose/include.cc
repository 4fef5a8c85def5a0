#include "compose/include.h"

#include "base/text.h"
#include "compose/input_file.h"
#include "compose/invalid.h"
#include "compose/merge.h"
#include "compose/project_files.h"
#include "compose/relative_paths.h"
#include "compose/reset.h"

#include <algorithm>

namespace drover::compose {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view imported_sections[] = {"services", "volumes", "networks", "secrets", "configs", "models"};
constexpr std::string_view no_env_file = "/dev/null";

struct IncludeEntry {
  std::vector<std::string> paths;
  std::string project_directory;
  std::vector<std::string> env_files;
  Origin origin;
};

std::vector<std::string> read_strings(const Node* node, const TreePath& path) {
  std::vector<std::string> strings;
  if (!node || node->is_null()) return strings;
  if (node->is_string()) return {node->text};
  if (!node->is_sequence()) throw invalid(node->origin, path, "must be a string or a list, not " + std::string(describe(node->kind)));
  for (const Node& item : node->items) {
    if (!item.is_string()) throw invalid(item.origin, path, "must be a string, not " + std::string(describe(item.kind)));
    strings.push_back(item.text);
  }
  return strings;
}

IncludeEntry parse_entry(const Node& node, const TreePath& path, WarningList& warnings) {
  if (node.is_string()) return {{node.text}, "", {}, node.origin};
  if (!node.is_mapping()) throw invalid(node.origin, path, "must be a string or a mapping, not " + std::string(describe(node.kind)));
  for (const Member& member : node.members)  // compose ignores others without a word
    if (member.key != "path" && member.key != "project_directory" && member.key != "env_file" && !member.key.starts_with("x-"))
      warnings.add(member.origin.to_string() + ": " + to_string(path) + ": unknown key \"" + printable(member.key, 80) + "\" is ignored");
  IncludeEntry entry{read_strings(node.find("path"), path), "", read_strings(node.find("env_file"), path), node.origin};
  const std::vector<std::string> directories = read_strings(node.find("project_directory"), path);
  if (directories.size() > 1) throw invalid(node.origin, path, "`project_directory` must be a string");
  if (!directories.empty()) entry.project_directory = directories.front();
  if (entry.paths.empty()) throw invalid(node.origin, path, "`path` is missing");
  return entry;
}

std::vector<fs::path> env_files_of(const IncludeEntry& entry, const fs::path& from, const fs::path& directory) {
  std::vector<fs::path> files;
  for (const std::string& file : entry.env_files)
    if (file != no_env_file) files.push_back(absolute_in(from, file));
  if (!entry.env_files.empty()) return files;
  const fs::path dotenv = directory / ".env";
  std::error_code ignored;
  if (fs::exists(dotenv, ignored) && !fs::is_directory(dotenv, ignored)) files.push_back(dotenv);
  return files;
}

void check_chain(const IncludeEntry& entry, const fs::path& first, const std::vector<fs::path>& including, const TreePath& path) {
  if (std::find(including.begin(), including.end(), first) != including.end()) {
    std::string way;
    for (const fs::path& file : including) way += file.string() + " -> ";
    throw invalid(entry.origin, path, "include goes in a circle: " + way + first.string());
  }
  if (including.size() > include_depth_max)
    throw invalid(entry.origin, path, "include is more than " + std::to_string(include_depth_max) + " files deep");
}

ModelSource source_of(ModelLoader& loader, const IncludeEntry& entry, const fs::path& file, const ModelSource& parent, const TreePath& path) {
  ModelSource source;
  for (const std::string& text : entry.paths) {
    if (is_remote_resource(text))
      throw Error(ErrorCode::unsupported, entry.origin.to_string() + ": " + to_string(path) + ": " + printable(text) +
                                              " is remote: fetch it first and include the local file");
    source.files.push_back(absolute_in(parent.directory, text));
  }
  source.directory =
      entry.project_directory.empty() ? source.files.front().parent_path() : absolute_in(parent.directory, entry.project_directory);
  source.including = parent.including;
  source.including.push_back(file);
  check_chain(entry, source.files.front(), source.including, path);
  source.environment = parent.environment;  // the includer's variables win
  source.environment.merge(
      read_dotenv_files(env_files_of(entry, parent.directory, source.directory), parent.environment, loader.warnings()));
  return source;
}

void import_section(YamlDocument& document, Node& imported, std::string_view section) {
  Node* from = imported.find(section);
  if (!from || !from->is_mapping()) return;
  Node* to = document.root.find(section);
  if (!to || to->is_null()) to = &document.root.set(section, Node::make_mapping(from->origin));
  if (!to->is_mapping()) return;  // the schema will say so
  for (Member& member : from->members) {
    Node* own = to->find(member.key);
    if (!own) {
      to->members.push_back(std::move(member));
      continue;
    }
    TreePath path = {std::string(section), member.key};
    apply_resets_at(member.value, path, document.resets);
    *own = merge(std::move(member.value), *own, path);
  }
}

}  // namespace

void apply_include(ModelLoader& loader, YamlDocument& document, const fs::path& file, const ModelSource& source) {
  const Node* found = document.root.find("include");
  if (!found) return;
  const Node include = *found;
  document.root.remove("include");
  if (include.is_null()) return;
  if (!include.is_sequence()) throw invalid(include.origin, "include: must be a list, not " + std::string(describe(include.kind)));
  for (std::size_t i = 0; i < include.items.size(); ++i) {
    const TreePath path = {"include", "[" + std::to_string(i) + "]"};
    const IncludeEntry entry = parse_entry(include.items[i], path, loader.warnings());
    try {
      Node imported = loader.load(source_of(loader, entry, file, source, path));
      for (const std::string_view section : imported_sections) import_section(document, imported, section);
    } catch (Error& error) {
      if (error.code() == ErrorCode::not_found) error.add_frame(entry.origin.to_string() + ": " + to_string(path));
      throw;
    }
  }
}

}  // namespace drover::compose
