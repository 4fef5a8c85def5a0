#include "tests/support/fake_image_store.h"

#include "base/error.h"
#include "manifest/manifest.h"
#include "manifest/reference.h"
#include "store/inflate.h"
#include "tests/support/temp_dir.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace drover::test {
namespace {

using nlohmann::json;

std::uint64_t parse_octal(std::string_view field) {
  std::uint64_t value = 0;
  for (const char c : field) {
    if (c >= '0' && c <= '7') value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::string text_field(std::string_view field) { return std::string(field.substr(0, field.find('\0'))); }

// By magic numbers, as engines do; what is not compressed is taken as it is.
std::string inflate(const std::string& bytes) {
  if (!bytes.starts_with("\x1f\x8b") && !bytes.starts_with("\x28\xb5\x2f\xfd")) return bytes;
  const TempDir folder;
  store::InflateReader reader(folder.write("layer", bytes));
  std::string plain;
  std::vector<std::byte> buffer(1U << 16U);
  for (std::size_t got = reader.read(buffer); got > 0; got = reader.read(buffer)) {
    plain.append(reinterpret_cast<const char*>(buffer.data()), got);
  }
  return plain;
}

std::vector<Digest> chain_ids(const std::vector<std::string>& diff_ids) {
  ImageConfig config;
  for (const std::string& text : diff_ids) config.diff_ids.push_back(Digest::parse(text));
  return config.chain_ids();
}

std::vector<std::string> diff_ids_of(const json& config) { return config.at("rootfs").at("diff_ids").get<std::vector<std::string>>(); }

const std::string& file_of(const std::map<std::string, std::string>& files, const std::string& name) {
  const auto found = files.find(name);
  if (found == files.end()) throw LoadRefused("open /var/lib/docker/tmp/docker-import-1/" + name + ": no such file or directory");
  return found->second;
}

std::string line(const json& object) { return object.dump(); }

}  // namespace

std::map<std::string, std::string> read_tar(std::string_view archive) {
  constexpr std::size_t block = 512;
  std::map<std::string, std::string> files;
  for (std::size_t at = 0; at + block <= archive.size();) {
    const std::string_view header = archive.substr(at, block);
    if (header.find_first_not_of('\0') == std::string_view::npos) return files;
    const std::uint64_t size = parse_octal(header.substr(124, 12));
    at += block;
    if (size > archive.size() - at) break;
    std::string name = text_field(header.substr(0, 100));
    if (const std::string prefix = text_field(header.substr(345, 155)); !prefix.empty()) name = prefix + "/" + name;
    if (header[156] == '0' || header[156] == '\0') files[name] = std::string(archive.substr(at, size));
    at += (size + block - 1) / block * block;
  }
  throw LoadRefused("unexpected EOF");
}

void FakeImageStore::add(FakeEngineImage image) {
  if (image.is_unpacked) add_chain(image.diff_ids);
  for (const std::string& name : image.tags) {
    for (FakeEngineImage& other : images_) std::erase(other.tags, name);
  }
  if (FakeEngineImage* known = find(image.id)) {
    known->tags.insert(known->tags.end(), image.tags.begin(), image.tags.end());
    known->digests.insert(known->digests.end(), image.digests.begin(), image.digests.end());
    known->is_unpacked = known->is_unpacked || image.is_unpacked;
    known->unpacked_bytes = std::max(known->unpacked_bytes, image.unpacked_bytes);
    return;
  }
  images_.push_back(std::move(image));
}

FakeEngineImage* FakeImageStore::find(std::string_view name) {
  const auto found = std::find_if(images_.begin(), images_.end(), [&](const FakeEngineImage& image) {
    return image.id == name || std::find(image.tags.begin(), image.tags.end(), name) != image.tags.end() ||
           std::find(image.digests.begin(), image.digests.end(), name) != image.digests.end();
  });
  return found == images_.end() ? nullptr : &*found;
}

void FakeImageStore::tag(std::string_view id, const std::string& name) {
  for (FakeEngineImage& image : images_) std::erase(image.tags, name);
  if (FakeEngineImage* image = find(id)) image->tags.push_back(name);
}

bool FakeImageStore::remove(std::string_view id) {
  if (std::erase_if(images_, [&](const FakeEngineImage& image) { return image.id == id; }) == 0) return false;
  chains_.clear();
  for (const FakeEngineImage& image : images_) add_chain(image.diff_ids);
  return true;
}

void FakeImageStore::forget_layers() {
  chains_.clear();
  blobs_.clear();
}

std::vector<Digest> FakeImageStore::add_chain(const std::vector<std::string>& diff_ids) {
  std::vector<Digest> chain = chain_ids(diff_ids);
  chains_.insert(chain.begin(), chain.end());
  return chain;
}

std::vector<std::string> FakeImageStore::load(const std::map<std::string, std::string>& files, bool with_platform) {
  if (is_containerd_ && files.contains("oci-layout")) return load_oci_layout(files, with_platform);
  return load_docker_archive(files);
}

std::vector<std::string> FakeImageStore::load_docker_archive(const std::map<std::string, std::string>& files) {
  std::vector<std::string> lines;
  for (const json& entry : json::parse(file_of(files, "manifest.json"))) {
    const std::string& config = file_of(files, entry.at("Config"));
    const std::vector<std::string> diff_ids = diff_ids_of(json::parse(config));
    const auto layers = entry.at("Layers").get<std::vector<std::string>>();
    if (layers.size() != diff_ids.size()) throw LoadRefused("invalid manifest, layers length mismatch");
    const std::vector<Digest> chain = chain_ids(diff_ids);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (chains_.contains(chain[i])) continue;
      const std::string& bytes = file_of(files, layers[i]);
      lines.push_back(line({{"status", "Loading layer"},
                            {"progressDetail", {{"current", bytes.size()}, {"total", bytes.size()}}},
                            {"id", Digest::parse(diff_ids[i]).short_hex()}}));
      const std::string found = Digest::of(inflate(bytes)).to_string();
      if (found != diff_ids[i]) throw LoadRefused("invalid diffID for layer " + std::to_string(i) + ": expected " + diff_ids[i] + ", got " + found);
    }
    FakeEngineImage image{.id = Digest::of(config).to_string(), .tags = {}, .digests = {}, .diff_ids = diff_ids};
    if (entry.at("RepoTags").is_array()) image.tags = entry.at("RepoTags").get<std::vector<std::string>>();
    lines.push_back(line({{"stream", image.tags.empty() ? "Loaded image ID: " + image.id + "\n" : "Loaded image: " + image.tags[0] + "\n"}}));
    add(std::move(image));
  }
  return lines;
}

std::vector<std::string> FakeImageStore::load_oci_layout(const std::map<std::string, std::string>& files, bool with_platform) {
  for (const auto& [name, bytes] : files) {
    if (name.starts_with("blobs/")) blobs_[Digest::of(bytes).to_string()] = bytes;
  }
  const json entry = json::parse(file_of(files, "index.json")).at("manifests").at(0);
  const std::string root = entry.at("digest");
  const std::string name = entry.at("annotations").at("io.containerd.image.name");
  if (!blobs_.contains(root)) throw LoadRefused("content digest " + root + ": not found");
  json manifest = json::parse(blobs_.at(root));
  std::string manifest_digest = root;
  if (manifest.contains("manifests")) {
    const json children = manifest.at("manifests");
    const auto here = std::find_if(children.begin(), children.end(), [&](const json& child) { return blobs_.contains(child.at("digest")); });
    if (here == children.end()) throw LoadRefused("no manifest of " + root);
    manifest_digest = here->at("digest");
    manifest = json::parse(blobs_.at(manifest_digest));
  }
  const std::string config = manifest.at("config").at("digest");
  if (!blobs_.contains(config)) throw LoadRefused("content digest " + config + ": not found");
  const std::vector<std::string> diff_ids = diff_ids_of(json::parse(blobs_.at(config)));
  const std::vector<Digest> chain = chain_ids(diff_ids);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const bool has_blob = blobs_.contains(manifest.at("layers").at(i).at("digest"));
    if (has_blob || (chains_.contains(chain[i]) && !with_platform)) continue;
    if (with_platform) throw LoadRefused("requested platform found, but some content is missing");
    const std::string lost = manifest.at("layers").at(i).at("digest");
    lines.push_back(line({{"stream", "Error unpacking image " + name + ": failed to extract layer " + diff_ids[i] +
                                         ": NotFound: failed to get reader from content store: content digest " + lost + ": not found\n"}}));
  }
  const Reference reference = Reference::parse(name);
  FakeEngineImage image{.id = root, .tags = {}, .digests = {reference.familiar_name() + "@" + root}, .diff_ids = diff_ids};
  if (!reference.digest()) image.tags = {reference.familiar()};
  lines.push_back(line({{"stream", "Loaded image: " + reference.familiar() + "\n"}}));
  image.manifest = manifest_digest;
  image.architecture = json::parse(blobs_.at(config)).value("architecture", "");
  const std::string failure = lines.size() > 1 ? "content not found" : unpack(manifest, diff_ids, image);
  image.is_unpacked = failure.empty();
  add(std::move(image));
  // As 28.5 says it; 26.1 answers with an error.
  if (!failure.empty() && lines.size() == 1) lines.push_back(line({{"stream", "Error unpacking image " + name + ": " + failure + "\n"}}));
  return lines;
}

// Why it cannot be unpacked; counts the image's bytes.
std::string FakeImageStore::unpack(const json& manifest, const std::vector<std::string>& diff_ids, FakeEngineImage& image) {
  const std::vector<Digest> chain = chain_ids(diff_ids);
  image.unpacked_bytes = 0;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const json& layer = manifest.at("layers").at(i);
    image.bytes += layer.at("size").get<std::uint64_t>();
    const auto blob = blobs_.find(layer.at("digest"));
    if (blob == blobs_.end()) continue;
    if (std::exchange(is_disk_full_, false)) {
      // As 28.5 says it, with its folders.
      const std::string mount = "/var/lib/docker/containerd/daemon/tmpmounts/containerd-mount3821410887";
      return "apply layer error for \"docker.io/library/some-name-of-some-length:1\": failed to extract layer " + diff_ids[i] + ": mount callback failed on " + mount +
             ": write " + mount + "/usr/share/layer: no space left on device";
    }
    try {
      const std::string plain = inflate(blob->second);
      if (Digest::of(plain).to_string() != diff_ids[i]) return "wrong diff id calculated on extraction";
      image.unpacked_bytes += plain.find_first_not_of('\0') == std::string::npos ? 0 : plain.size();
    } catch (const Error& error) {
      return "failed to extract layer " + diff_ids[i] + ": unexpected EOF";
    }
  }
  return {};
}

}  // namespace drover::test
