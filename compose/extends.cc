#include "compose/extends.h"

#include "base/text.h"
#include "compose/invalid.h"
#include "compose/merge.h"
#include "compose/project_files.h"
#include "compose/relative_paths.h"
#include "compose/reset.h"

#include <algorithm>
#include <map>
#include <utility>

namespace drover::compose {
namespace {

namespace fs = std::filesystem;

// A document whose services can be extended.
struct Bases {
  YamlDocument* document = nullptr;
  fs::path file;
  fs::path directory;  // where its own `extends: {file: ...}` starts
};

struct Extension {
  std::string service;
  std::optional<std::string> file;
  Origin origin;
};

Extension parse_extension(const Node& extends, const TreePath& path) {
  if (extends.is_string()) return {extends.text, std::nullopt, extends.origin};
  const Node* service = extends.find("service");
  const Node* file = extends.find("file");
  if (!service || !service->is_string()) throw invalid(extends.origin, path, "must name a `service`");
  if (file && !file->is_string()) throw invalid(file->origin, path, "`file` must be a string, not " + std::string(describe(file->kind)));
  return {service->text, file ? std::optional(file->text) : std::nullopt, extends.origin};
}

class Extender {
 public:
  Extender(ModelLoader& loader, const Environment& environment) : loader_(loader), environment_(environment) {}

  // The service, with what it extends merged in; stays in place in its document.
  const Node& resolve(const Bases& bases, const std::string& name) {
    Node& service = *bases.document->root.find("services")->find(name);
    const Node* extends = service.is_mapping() ? service.find("extends") : nullptr;
    if (!extends) return service;
    const TreePath path = {"services", name};
    const Extension extension = parse_extension(*extends, {"services", name, "extends"});
    enter(bases.file, name, extension.origin, path);
    const Bases source = extension.file ? open(bases, extension, path) : bases;
    require(source, extension, path);
    const Node& base = resolve(source, extension.service);
    chain_.pop_back();

    loader_.count_copied(base);
    Node merged = base;
    if (!merged.is_null() && !merged.is_mapping())
      throw invalid(merged.origin, path, "cannot extend " + std::string(describe(merged.kind)));
    apply_resets_at(merged, path, bases.document->resets);
    TreePath at = path;
    const Origin origin = service.origin;
    Node change = std::move(service);
    merged = merge(std::move(merged), change, at);
    merged.remove("extends");
    merged.origin = origin;
    return service = std::move(merged);
  }

 private:
  void enter(const fs::path& file, const std::string& name, const Origin& origin, const TreePath& path) {
    const std::pair<fs::path, std::string> link(file, name);
    if (std::find(chain_.begin(), chain_.end(), link) != chain_.end()) {
      std::string way;
      for (const auto& [chain_file, service] : chain_) way += service + " -> ";
      throw invalid(origin, path, "extends goes in a circle: " + way + name);
    }
    if (chain_.size() >= extends_depth_max)
      throw invalid(origin, path, "extends is more than " + std::to_string(extends_depth_max) + " services deep");
    chain_.push_back(link);
  }

  Bases open(const Bases& from, const Extension& extension, const TreePath& path) {
    if (is_remote_resource(*extension.file))
      throw Error(ErrorCode::unsupported, extension.origin.to_string() + ": " + to_string(path) + ": base file " +
                                              printable(*extension.file) + " is remote: fetch it first and name the local file");
    const fs::path file = absolute_in(from.directory, *extension.file);
    auto known = files_.find(file);
    if (known == files_.end()) {
      try {
        known = files_.emplace(file, loader_.load_base_file(file, environment_)).first;
      } catch (Error& error) {
        if (error.code() == ErrorCode::not_found) error.add_frame(extension.origin.to_string() + ": " + to_string(path));
        throw;
      }
    }
    return {&known->second, file, file.parent_path()};
  }

  static void require(const Bases& source, const Extension& extension, const TreePath& path) {
    const Node* services = source.document->root.find("services");
    if (services && services->find(extension.service)) return;
    throw invalid(extension.origin, path, "cannot extend \"" + printable(extension.service, 80) + "\": no such service in " + source.file.string());
  }

  ModelLoader& loader_;
  const Environment& environment_;
  std::map<fs::path, YamlDocument> files_;
  std::vector<std::pair<fs::path, std::string>> chain_;
};

}  // namespace

void apply_extends(ModelLoader& loader, YamlDocument& document, const fs::path& file, const fs::path& directory,
                   const Environment& environment) {
  const Node* services = document.root.find("services");
  if (!services) return;
  Extender extender(loader, environment);
  std::vector<std::string> names;
  for (const Member& service : services->members)
    if (service.value.find("extends")) names.push_back(service.key);
  for (const std::string& name : names) extender.resolve({&document, file, directory}, name);
}

}  // namespace drover::compose
