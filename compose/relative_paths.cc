#include "compose/relative_paths.h"

#include "compose/project_files.h"
#include "compose/short_volume.h"
#include "compose/tree_path.h"

namespace drover::compose {
namespace {

namespace fs = std::filesystem;

struct Base {
  fs::path directory;
  std::string home;

  std::string absolute(std::string_view text) const {
    if (text.empty()) return "";
    if (text.starts_with('~') && !home.empty()) return absolute_in(home, fs::path(std::string(".") + std::string(text.substr(1)))).string();
    if (text.starts_with('~') || text.starts_with('/')) return std::string(text);
    return absolute_in(directory, fs::path(text)).string();
  }
};

using Rewriter = void (*)(Node& value, const Base& base);

// A string or a list of strings; a mapping with the path under `path`.
void rewrite_path(Node& value, const Base& base) {
  if (value.is_string()) value.text = base.absolute(value.text);
  for (Node& item : value.items) rewrite_path(item, base);
  if (Node* path = value.find("path")) rewrite_path(*path, base);
}

std::string absolute_context(const Base& base, std::string_view text) {
  return is_remote_resource(text) || text.starts_with("service:") ? std::string(text) : base.absolute(text);
}

void rewrite_context(Node& value, const Base& base) {
  if (value.is_string()) value.text = absolute_context(base, value.text);
}

void rewrite_build(Node& value, const Base& base) { rewrite_context(value, base); }

void rewrite_named_contexts(Node& value, const Base& base) {
  for (Member& member : value.members) rewrite_context(member.value, base);
  for (Node& item : value.items) {
    const std::size_t equals = item.text.find('=');
    if (equals != std::string::npos) item.text = item.text.substr(0, equals + 1) + absolute_context(base, item.text.substr(equals + 1));
  }
}

void rewrite_mount(Node& mount, const Base& base) {
  if (mount.is_mapping()) {
    Node* source = mount.find("source");
    if (source && mount.text_of("type") == "bind") rewrite_path(*source, base);
    return;
  }
  const auto volume = parse_short_volume(mount.text);
  if (!mount.is_string() || !volume || !volume->is_bind) return;
  if (!volume->source.starts_with('.') && !volume->source.starts_with('~')) return;
  mount.text = base.absolute(volume->source) + mount.text.substr(volume->source.size());
}

void rewrite_mounts(Node& value, const Base& base) {
  for (Node& mount : value.items) rewrite_mount(mount, base);
}

void rewrite_watches(Node& value, const Base& base) {
  for (Node& watch : value.items)
    if (Node* path = watch.find("path")) rewrite_path(*path, base);
}

void rewrite_local_volume(Node& volume, const Base& base) {
  Node* options = volume.find("driver_opts");
  if (volume.text_of("driver") != "local" || !options || options->text_of("o") != "bind") return;
  if (Node* device = options->find("device")) rewrite_path(*device, base);
}

struct Rule {
  std::string_view pattern;
  Rewriter rewrite;
};

constexpr Rule rules[] = {
    {"configs.*.file", rewrite_path},
    {"secrets.*.file", rewrite_path},
    {"services.*.build", rewrite_build},
    {"services.*.build.additional_contexts", rewrite_named_contexts},
    {"services.*.build.context", rewrite_context},
    {"services.*.develop.watch", rewrite_watches},
    {"services.*.env_file", rewrite_path},
    {"services.*.label_file", rewrite_path},
    {"services.*.volumes", rewrite_mounts},
    {"volumes.*", rewrite_local_volume},
};

void walk(Node& node, TreePath& path, const Base& base) {
  for (const Rule& rule : rules)
    if (matches(path, rule.pattern)) rule.rewrite(node, base);
  for (Member& member : node.members) {
    const PathStep step(path, member.key);
    walk(member.value, path, base);
  }
}

}  // namespace

bool is_remote_resource(std::string_view text) {
  return text.find("://") != std::string_view::npos || text.starts_with("git@") || text.starts_with("github.com/") ||
         text.starts_with("oci:");
}

void make_paths_absolute(Node& project, const fs::path& directory, std::string_view home) {
  const Base base{directory, std::string(home)};
  TreePath path;
  walk(project, path, base);
}

}  // namespace drover::compose
