#include "engine/load.h"

#include "base/error.h"
#include "manifest/media_type.h"

#include <algorithm>

namespace drover::engine {
namespace {


bool is_plain(std::string_view type) { return type == media_type::oci_layer || type == media_type::docker_layer; }

// The ID under which this engine keeps the image.
Digest engine_id(const LoadImage& image, const Inventory& inventory) {
  return inventory.store == StoreKind::containerd ? image.root.digest : image.image.parsed.config.digest;
}

// In the containerd store an ID names an index, of which this platform's part may be missing.
bool is_complete(const LoadImage& image, const std::vector<Digest>& chain_ids, const Inventory& inventory) {
  if (inventory.store == StoreKind::classic) return true;
  return inventory.blobs.contains(image.image.manifest.digest) || (!chain_ids.empty() && inventory.chain_ids.contains(chain_ids.back()));
}

bool is_known(const LayerPlan& layer, const Inventory& inventory) {
  if (inventory.has(Quirk::refuses_partial_archives)) return false;
  if (inventory.chain_ids.contains(layer.chain_id)) return true;
  return inventory.store == StoreKind::containerd && inventory.blobs.contains(layer.layer.digest);
}

LayerPlan::Action choose_action(const LayerPlan& layer, const Inventory& inventory) {
  if (inventory.store == StoreKind::containerd || is_plain(layer.layer.media_type)) return LayerPlan::Action::send_as_is;
  return LayerPlan::Action::send_inflated;
}

std::string describe(const LoadPlan& plan, bool force_all) {
  const std::string total = std::to_string(plan.layers.size());
  if (force_all) return "sending all " + total + " layers";
  const auto known = std::count_if(plan.layers.begin(), plan.layers.end(), [](const LayerPlan& layer) {
    return layer.action == LayerPlan::Action::skip_known;
  });
  return "engine has " + std::to_string(known) + " of " + total + " layers";
}

}  // namespace

std::string engine_name(const Reference& reference) {
  if (reference.digest()) return reference.familiar_name() + "@" + reference.digest()->to_string();
  return reference.familiar();
}

LoadPlan plan_load(const LoadImage& image, const Inventory& inventory, bool force_all) {
  check_layers_match(image.image.parsed, image.config);
  const std::vector<Digest> chain_ids = image.config.chain_ids();
  LoadPlan plan;
  plan.format = inventory.store == StoreKind::containerd ? LoadPlan::Format::oci_layout : LoadPlan::Format::docker_archive;
  for (std::size_t i = 0; i < chain_ids.size(); ++i) {
    LayerPlan layer{.layer = image.image.parsed.layers[i], .diff_id = image.config.diff_ids[i], .chain_id = chain_ids[i]};
    const bool skip = !force_all && is_known(layer, inventory);
    layer.action = skip ? LayerPlan::Action::skip_known : choose_action(layer, inventory);
    plan.layers.push_back(std::move(layer));
  }
  plan.cause = describe(plan, force_all);
  if (force_all || !is_complete(image, chain_ids, inventory)) return plan;

  const Digest id = engine_id(image, inventory);
  const EngineImage* named = inventory.find_image(engine_name(image.reference));
  if (inventory.packed_manifests.contains(image.image.manifest.digest)) {
    plan.verdict = LoadPlan::Verdict::unpack;
    plan.cause += ", not unpacked";
    return plan;
  }
  if (named != nullptr && named->id == id) {
    plan.verdict = LoadPlan::Verdict::present;
    plan.cause = "engine has this image under this name";
  } else if (inventory.find_image_by_id(id) != nullptr && !image.reference.digest()) {
    plan.verdict = LoadPlan::Verdict::retag;
    plan.cause = "engine has this image under another name";
  }
  return plan;
}

std::string to_text(const LoadPlan& plan) {
  std::string text = plan.format == LoadPlan::Format::oci_layout ? "oci-layout" : "docker-archive";
  switch (plan.verdict) {
    case LoadPlan::Verdict::present: text += " present"; break;
    case LoadPlan::Verdict::retag: text += " retag"; break;
    case LoadPlan::Verdict::unpack: text += " unpack"; break;
    case LoadPlan::Verdict::load: text += " load"; break;
  }
  text += ": " + plan.cause + "\n";
  for (const LayerPlan& layer : plan.layers) {
    text += "  " + layer.layer.digest.short_hex();
    switch (layer.action) {
      case LayerPlan::Action::skip_known: text += " skip, known"; break;
      case LayerPlan::Action::send_as_is: text += " send as it is"; break;
      case LayerPlan::Action::send_inflated: text += " send inflated"; break;
    }
    text += "\n";
  }
  return text;
}

}  // namespace drover::engine
