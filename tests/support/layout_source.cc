#include "tests/support/layout_source.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace drover::test {
namespace {

using nlohmann::json;

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::filesystem::path blob_path(const std::filesystem::path& layout, const std::string& digest) {
  const std::size_t colon = digest.find(':');
  if (colon == std::string::npos || digest.find('/') != std::string::npos) throw std::runtime_error("not a digest: " + digest);
  return layout / "blobs" / digest.substr(0, colon) / digest.substr(colon + 1);
}

bool is_host(const std::string& component) {
  return component.find_first_of(".:") != std::string::npos || component == "localhost";
}

std::pair<std::string, std::string> split_name(std::string name, const std::string& repository) {
  const std::size_t slash = name.find('/');
  if (slash != std::string::npos && is_host(name.substr(0, slash))) name.erase(0, slash + 1);
  const std::size_t colon = name.rfind(':');
  if (colon != std::string::npos) return {name.substr(0, colon), name.substr(colon + 1)};
  return name.find('/') == std::string::npos ? std::pair(repository, name) : std::pair(name, std::string("latest"));
}

// A manifest, and if it is an index what it leads to: children are asked for by digest. A child that is missing from the layout is left out.
void add_document(FakeRegistry& registry, const std::filesystem::path& layout, const json& descriptor, const std::string& repository,
                  const std::string& tag, int depth) {
  const std::string digest = descriptor.at("digest").get<std::string>();
  const std::filesystem::path path = blob_path(layout, digest);
  if (depth > 0 && !std::filesystem::exists(path)) return;
  const std::string bytes = read_text(path);
  const json document = json::parse(bytes);
  registry.add_manifest(repository, tag, bytes, descriptor.value("mediaType", document.value("mediaType", "")));
  if (depth > 4 || !document.contains("manifests")) return;
  for (const json& child : document["manifests"]) add_document(registry, layout, child, repository, "", depth + 1);
}

}  // namespace

std::vector<std::string> add_layout(FakeRegistry& registry, const std::filesystem::path& layout, const std::string& repository) {
  const json index = json::parse(read_text(layout / "index.json"));
  for (const auto& algorithm : std::filesystem::directory_iterator(layout / "blobs")) {
    for (const auto& blob : std::filesystem::directory_iterator(algorithm.path())) {
      registry.add_blob_file("", algorithm.path().filename().string() + ":" + blob.path().filename().string(), blob.path());
    }
  }
  std::vector<std::string> names;
  for (const json& descriptor : index.at("manifests")) {
    const json annotations = descriptor.value("annotations", json::object());
    const std::string full = annotations.value("io.containerd.image.name", "");
    const std::string name = full.empty() ? annotations.value("org.opencontainers.image.ref.name", "latest") : full;
    const auto [target, tag] = split_name(name, repository);
    add_document(registry, layout, descriptor, target, tag, 0);
    names.push_back(target + ":" + tag);
  }
  return names;
}

}  // namespace drover::test
