// Whether each layer unpacks to what its image's configuration says: what no digest of a blob can tell, and an engine finds at the load.
#pragma once

#include "base/context.h"
#include "store/blob_store.h"
#include "store/verify.h"

#include <cstddef>
#include <vector>

namespace drover::store {

// By tag and platform, one fault a layer; the bytes may be right all the same, so that no repair of blobs helps. Each layer is inflated
// once, `jobs` of them at a time. Artifacts that are no images, documents that cannot be read and layers that are not here are verify()'s
// affair and passed over. Progress events of phase "verify layers", one id a layer. Throws interrupted.
std::vector<TagFault> verify_layers(const Context& ctx, const BlobStore& store, std::size_t jobs);

}  // namespace drover::store
