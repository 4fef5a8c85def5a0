// Finds an image of the store by what the user typed.
#pragma once

#include "manifest/reference.h"
#include "store/blob_store.h"

namespace drover::cli {

// Throws not_found, with the nearest name that is there.
store::Tag find_stored_tag(const store::BlobStore& store, const Reference& reference);

}  // namespace drover::cli
