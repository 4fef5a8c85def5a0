// Whether an image of the containerd store is unpacked, so that a container of it can start.
//
// A load that fails while it unpacks leaves the image listed, under its name, with every blob: inspect shows nothing of it. The container
// that is made of it later unpacks first, or fails. The classic store lists an image only when all of it is unpacked.
#pragma once

#include "base/context.h"
#include "digest/digest.h"
#include "engine/client.h"
#include "engine/images.h"

#include <cstdint>
#include <optional>

namespace drover::engine {

enum class Unpacked {
  yes,
  no,
  unsure,  // nothing is unpacked, and hardly anything is packed: an image of empty layers, or none
};

// An image with so little in its blobs may unpack to no byte at all: empty layers, links and folders on a file system that counts none.
inline constexpr std::int64_t empty_image_bytes_max = 64 << 10;

// Pure; yes where the engine did not say.
Unpacked judge_unpacked(const HeldManifest& held);

// Of an image that inspect has just shown: of its platform `manifest`, or else of the one that inspect describes. Asks nothing where
// inspect has told (API 1.48), nor in the classic store; in a containerd store below that GET /images/{name}/history, which is refused
// for want of a snapshot (seen on 26.1). Throws what the Client throws.
Unpacked find_unpacked(const Context& ctx, Client& client, const ImageDetails& image, const std::optional<Digest>& manifest = {});

}  // namespace drover::engine
