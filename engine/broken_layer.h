// Which layer an engine means that says "unexpected EOF": asked only when a load has failed, for engines name none, or by its diff ID.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "engine/load.h"
#include "store/blob_store.h"

#include <optional>

namespace drover::engine {

// The first layer at fault of those that this plan sends, or of all where the engine unpacks what it has: a damaged copy in the store
// (digest_mismatch), or one that does not unpack to what the image's configuration says (invalid), or to no tar; else one that is not what its
// media type says, where the engine goes by that. Reads and inflates them, a second or
// two a gigabyte. Nothing when all of them are right; throws interrupted.
std::optional<Error> find_broken_layer(const Context& ctx, const store::BlobStore& store, const LoadPlan& plan);

}  // namespace drover::engine
