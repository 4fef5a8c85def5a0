#include "base/error.h"
#include "manifest/descriptor_json.h"
#include "manifest/json_document.h"
#include "manifest/manifest.h"

#include <nlohmann/json.hpp>

#include <array>

namespace drover {

namespace {

using Json = nlohmann::json;

constexpr std::string_view what = "image configuration";
constexpr std::array<std::string_view, 7> config_keys = {"architecture", "os", "variant", "os.version", "os.features", "rootfs", "created"};
constexpr std::array<std::string_view, 2> rootfs_keys = {"type", "diff_ids"};

std::vector<Digest> parse_diff_ids(const JsonObject& rootfs) {
  std::vector<Digest> diff_ids;
  for (const Json* element : rootfs.array("diff_ids", layers_max)) {
    diff_ids.push_back(parse_digest(*element, rootfs.name_of("diff_ids") + '[' + std::to_string(diff_ids.size()) + ']'));
  }
  return diff_ids;
}

}  // namespace

ImageConfig parse_image_config(std::string_view bytes) {
  if (bytes.size() > config_bytes_max) {
    refuse_json(what, std::to_string(bytes.size()) + " bytes long, more than " + std::to_string(config_bytes_max));
  }
  const Json json = parse_json_strictly(bytes, what);
  const JsonObject object(json, std::string(what), config_keys);
  const Json* value = object.find("rootfs");
  if (value == nullptr) refuse_json(object.name_of("rootfs"), "missing: this is not the configuration of an image");
  const JsonObject rootfs(*value, object.name_of("rootfs"), rootfs_keys);
  if (rootfs.string("type") != "layers") refuse_json(rootfs.name_of("type"), "not \"layers\"");

  ImageConfig config;
  config.platform = find_platform(object).value_or(Platform{});
  config.diff_ids = parse_diff_ids(rootfs);
  config.created = object.find_string("created").value_or("");
  return config;
}

std::vector<Digest> ImageConfig::chain_ids() const {
  std::vector<Digest> chain;
  chain.reserve(diff_ids.size());
  for (const Digest& diff_id : diff_ids) {
    chain.push_back(chain.empty() ? diff_id : Digest::of(chain.back().to_string() + ' ' + diff_id.to_string()));
  }
  return chain;
}

void check_layers_match(const Manifest& manifest, const ImageConfig& config) {
  if (manifest.layers.size() == config.diff_ids.size()) return;
  throw Error(ErrorCode::invalid, "the manifest has " + std::to_string(manifest.layers.size()) + " layers and the image configuration " +
                                      std::to_string(config.diff_ids.size()) + " diff IDs");
}

}  // namespace drover
