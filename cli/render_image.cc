#include "cli/render.h"

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/table.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::cli {
namespace {

Json descriptor_json(const Descriptor& descriptor) { return {{"digest", descriptor.digest.to_string()}, {"size", descriptor.size}}; }

Json image_json(const ImageView& image) {
  Json layers = Json::array();
  for (const Descriptor& layer : image.layers) {
    Json entry = descriptor_json(layer);
    entry["mediaType"] = layer.media_type;
    if (image.is_missing(layer.digest)) entry["missing"] = true;
    layers.push_back(std::move(entry));
  }
  Json json = {{"platform", image.platform}, {"digest", image.manifest.digest.to_string()}, {"size", image.manifest.size}};
  json["config"] = descriptor_json(image.config);
  if (image.is_missing(image.config.digest)) json["config"]["missing"] = true;
  json["layers"] = std::move(layers);
  if (!image.created.empty()) json["created"] = image.created;
  return json;
}

Json images_json(const std::vector<ImageView>& images) {
  Json json = Json::array();
  for (const ImageView& image : images) json.push_back(image_json(image));
  return json;
}

std::uint64_t layer_bytes(const ImageView& image) {
  std::uint64_t bytes = 0;
  for (const Descriptor& layer : image.layers) bytes += layer.size;
  return bytes;
}

std::string heading(const std::string& reference, const Descriptor& root) {
  return printable(reference) + "\n  " + root.digest.to_string() + "  " + printable(root.media_type) + "\n";
}

std::string layers_text(const ImageView& image) {
  const auto line = [&](std::string_view kind, const Descriptor& blob) {
    return "    " + std::string(kind) + blob.digest.to_string() + "  " + format_bytes(blob.size) +
           (image.is_missing(blob.digest) ? "  missing" : "") + "\n";
  };
  std::string text = line("config ", image.config);
  for (const Descriptor& layer : image.layers) text += line("layer  ", layer);
  return text;
}

// Those that are complete.
std::vector<std::string> platform_names(const std::vector<ImageView>& images) {
  std::vector<std::string> names;
  for (const ImageView& image : images) {
    if (image.missing.empty()) names.push_back(image.platform);
  }
  return names;
}

std::string platforms_text(const StoredImage& image) {
  const std::vector<std::string> names = platform_names(image.images);
  if (!image.damage) return names.empty() ? "none" : join(names, ",");
  return names.empty() ? "damaged" : join(names, ",") + " (damaged)";
}

}  // namespace

Json error_json(const Error& error) {
  Json json = {{"code", to_string(error.code())}, {"message", error.what()}};
  if (error.http_status != 0) json["httpStatus"] = error.http_status;
  if (error.retry_at) json["retryAt"] = format_time(*error.retry_at);
  return json;
}

ResolvedView view_of(const registry::ResolvedReference& resolved, const Platform& wanted) {
  ResolvedView view{.reference = resolved.reference.to_string(), .root = resolved.root.descriptor, .images = {}, .selected = {}, .explanation = {}};
  std::size_t best_rank = SIZE_MAX;
  for (const registry::ResolvedImage& image : resolved.images) {
    const auto* manifest = std::get_if<Manifest>(&image.manifest.document);
    if (manifest == nullptr) continue;
    const auto rank = match_rank(wanted, image.platform);
    if (rank && *rank < best_rank) {
      best_rank = *rank;
      view.selected = view.images.size();
    }
    view.images.push_back(make_view(image.platform.to_string(), image.manifest.descriptor, *manifest, image.config.created));
  }
  return view;
}

Json resolve_json(const ResolvedView& view) {
  Json json = {{"reference", view.reference}, {"digest", view.root.digest.to_string()}, {"mediaType", view.root.media_type}};
  json["platforms"] = images_json(view.images);
  json["selected"] = view.selected ? Json(view.images[*view.selected].manifest.digest.to_string()) : Json(nullptr);
  if (!view.explanation.empty()) json["explain"] = view.explanation;
  return json;
}

std::string resolve_text(const ResolvedView& view) {
  std::string text = heading(view.reference, view.root);
  for (std::size_t i = 0; i < view.images.size(); ++i) {
    const ImageView& image = view.images[i];
    const bool is_selected = view.selected == i;
    text += std::string(is_selected ? "* " : "  ") + printable(image.platform) + "  " + image.manifest.digest.to_string() + "  " +
            std::to_string(image.layers.size()) + (image.layers.size() == 1 ? " layer, " : " layers, ") + format_bytes(layer_bytes(image)) +
            (is_selected ? "  (selected)" : "") + "\n";
    if (is_selected) text += layers_text(image);
  }
  for (const std::string& line : view.explanation) text += "  # " + printable(line) + "\n";
  return text;
}

Json inspect_json(const StoredImage& image) {
  Json json = {{"reference", image.tag.name}, {"digest", image.tag.descriptor.digest.to_string()}, {"mediaType", image.tag.descriptor.media_type}};
  json["platforms"] = images_json(image.images);
  json["bytes"] = image.bytes;
  if (image.damage) json["damage"] = *image.damage;
  return json;
}

std::string inspect_text(const StoredImage& image) {
  std::string text = heading(image.tag.name, image.tag.descriptor);
  for (const ImageView& view : image.images) {
    text += "  " + printable(view.platform) + "  " + view.manifest.digest.to_string() + "\n";
    if (!view.created.empty()) text += "    created " + printable(view.created) + "\n";
    text += layers_text(view);
  }
  text += "  " + format_bytes(image.bytes) + " in the store\n";
  if (image.damage) text += "  damaged: " + printable(*image.damage) + "; run drover verify --repair\n";
  return text;
}

Json ls_json(const std::vector<StoredImage>& images) {
  Json list = Json::array();
  for (const StoredImage& image : images) {
    Json entry = {{"reference", image.tag.name}, {"digest", image.tag.descriptor.digest.to_string()}, {"mediaType", image.tag.descriptor.media_type}};
    entry["platforms"] = platform_names(image.images);
    entry["bytes"] = image.bytes;
    if (image.damage) entry["damage"] = *image.damage;
    list.push_back(std::move(entry));
  }
  return {{"images", std::move(list)}};
}

std::string ls_text(const std::vector<StoredImage>& images) {
  Table table({"REFERENCE", "DIGEST", "PLATFORMS", "SIZE"});
  for (const StoredImage& image : images) {
    table.add({image.tag.name, image.tag.descriptor.digest.short_hex(), platforms_text(image),
               format_bytes(image.bytes)});
  }
  return table.to_string();
}

}  // namespace drover::cli
