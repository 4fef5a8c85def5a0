#include "engine/broken_layer.h"

#include "engine/archive_source.h"
#include "engine/odd_layer.h"
#include "store/inflate.h"
#include "store/layer_digests.h"

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace drover::engine {
namespace {

void check_blob(const Context& ctx, const store::BlobStore& store, const Descriptor& layer) {
  std::vector<std::byte> buffer(256U << 10U);
  const ArchiveFile file = blob_file({}, store.blob_path(layer.digest), layer.digest, layer.size);
  while (file.read(buffer) > 0) ctx.check_stop();
}

// As it came from its registry; nothing to repair.
Error broken_at_source(const Descriptor& layer, const std::string& why) {
  return Error(ErrorCode::invalid,
               "layer " + layer.digest.to_string() + " " + why + "; its registry has it so, whoever built the image has to mend it");
}

bool is_tar(const std::filesystem::path& layer) {
  std::array<std::byte, 512> head{};
  store::InflateReader reader(layer);
  return store::sniff_compression(std::span<const std::byte>(head).first(reader.read(head))) == store::Compression::none;
}

// Engines with the containerd store believe the media type.
std::optional<Error> find_misnamed(const store::BlobStore& store, const Descriptor& layer) {
  const auto what = describe_odd_layer(layer.media_type, store::sniff_compression(store.blob_path(layer.digest)));
  return what ? std::optional(broken_at_source(layer, *what)) : std::nullopt;
}

std::optional<Error> find_fault(const Context& ctx, const store::BlobStore& store, const LayerPlan& planned) {
  const Descriptor& layer = planned.layer;
  try {
    check_blob(ctx, store, layer);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    return error;
  }
  try {
    const Digest found = store::read_layer_digests(ctx, store.blob_path(layer.digest)).diff_id;
    // Another algorithm's diff ID is not computed here.
    if (found != planned.diff_id && planned.diff_id.algorithm() == found.algorithm()) {
      return broken_at_source(layer, "unpacks to " + found.to_string() + ", its configuration says " + planned.diff_id.to_string());
    }
    if (!is_tar(store.blob_path(layer.digest))) return broken_at_source(layer, "unpacks to something that is no tar");
    return std::nullopt;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    return broken_at_source(layer, std::string("cannot be unpacked: ") + error.what());
  }
}

}  // namespace

std::optional<Error> find_broken_layer(const Context& ctx, const store::BlobStore& store, const LoadPlan& plan) {
  std::optional<Error> misnamed;
  const bool unpacks_all = plan.verdict == LoadPlan::Verdict::unpack;
  for (const LayerPlan& layer : plan.layers) {
    const bool is_concerned = unpacks_all || layer.action != LayerPlan::Action::skip_known;
    if (!is_concerned || !store.has(layer.layer.digest, layer.layer.size)) continue;
    if (std::optional<Error> fault = find_fault(ctx, store, layer)) return fault;
    if (!misnamed && plan.format == LoadPlan::Format::oci_layout) misnamed = find_misnamed(store, layer.layer);
  }
  return misnamed;
}

}  // namespace drover::engine
