#include "compose/relative_paths.h"

#include "base/text.h"
#include "compose/invalid.h"
#include "compose/project_files.h"
#include "compose/tree_path.h"

namespace drover::compose {
namespace {

namespace fs = std::filesystem;

struct Base {
  fs::path directory;
  std::string home;

  std::string absolute(std::string_view text) const {
    if (text.empty()) return "";
    if (text.starts_with('~') && !home.empty())
      return absolute_in(home, fs::path(std::string(".") + std::string(text.substr(1)))).string();
    if (text.starts_with('/')) return std::string(text);
    return absolute_in(directory, fs::path(text)).string();
  }
};

using Rewriter = void (*)(Node& value, const Base& base);

void rewrite_path(Node& value, const Base& base) {
  if (value.is_string()) value.text = base.absolute(value.text);
}

// "C:\\data", "d:/data", "\\\\server\\share": a path of the engine's machine, which may be another one.
bool is_windows_path(std::string_view text) {
  if (text.starts_with("\\\\")) return true;
  return text.size() > 2 && (is_lower(text[0]) || is_upper(text[0])) && text[1] == ':' && (text[2] == '/' || text[2] == '\\');
}

void rewrite_engine_path(Node& value, const Base& base) {
  if (value.is_string() && !is_windows_path(value.text)) value.text = base.absolute(value.text);
}

std::string absolute_context(const Base& base, std::string_view text) {
  return is_remote_resource(text) || text.starts_with("service:") ? std::string(text) : base.absolute(text);
}

void rewrite_context(Node& value, const Base& base) {
  if (value.is_string()) value.text = absolute_context(base, value.text);
}

void rewrite_bind(Node& mount, const Base& base) {
  Node* source = mount.find("source");
  if (mount.text_of("type") != "bind") return;
  if (!source) throw invalid(mount.origin, "a bind mount needs a `source`");
  rewrite_engine_path(*source, base);
}

// docker compose follows the first link of a watched path.
void rewrite_watched(Node& value, const Base& base) {
  if (!value.is_string()) return;
  value.text = base.absolute(value.text);
  fs::path so_far = "/";
  for (const fs::path& part : fs::path(value.text).relative_path()) {
    so_far /= part;
    std::error_code ignored;
    if (!fs::is_symlink(so_far, ignored)) continue;
    const fs::path target = fs::canonical(so_far, ignored);
    if (!target.empty()) value.text.replace(0, so_far.string().size(), target.string());
    return;
  }
}

void rewrite_local_volume(Node& volume, const Base& base) {
  Node* options = volume.find("driver_opts");
  if (volume.text_of("driver") != "local" || !options || options->text_of("o") != "bind") return;
  if (Node* device = options->find("device")) rewrite_engine_path(*device, base);
}

struct PathRule {
  std::string_view pattern;
  Rewriter rewrite;
};

constexpr PathRule path_rules[] = {
    {"configs.*.file", rewrite_engine_path},
    {"secrets.*.file", rewrite_engine_path},
    {"services.*.build.additional_contexts.*", rewrite_context},
    {"services.*.build.context", rewrite_context},
    {"services.*.build.ssh.*", rewrite_engine_path},
    {"services.*.develop.watch.*.path", rewrite_watched},
    {"services.*.env_file.*.path", rewrite_path},
    {"services.*.label_file.*", rewrite_path},
    {"services.*.volumes.*", rewrite_bind},
    {"volumes.*", rewrite_local_volume},
};

void walk(Node& node, TreePath& path, const Base& base) {
  for (const PathRule& rule : path_rules)
    if (matches(path, rule.pattern)) rule.rewrite(node, base);
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const PathStep step(path, "[" + std::to_string(i) + "]");
    walk(node.items[i], path, base);
  }
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

std::string clean_path(std::string_view text) {
  if (text.empty()) return ".";
  std::string clean = fs::path(text).lexically_normal().string();
  while (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  if (clean.starts_with("//")) clean.erase(0, 1);
  return clean;
}

void make_paths_absolute(Node& project, const fs::path& directory, std::string_view home) {
  const Base base{directory, std::string(home)};
  TreePath path;
  walk(project, path, base);
}

}  // namespace drover::compose
