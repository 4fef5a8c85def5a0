// A tar stream read entry by entry, and written anew with what the caller adds. Private to this room.
#pragma once

#include "store/tar_writer.h"
#include "store/volume_archive.h"

namespace drover::store {

// Reads to the end; with a sink, writes the same entries there, with the added attributes, as pax.
TreeListing copy_tree(const Context& ctx, const ByteSource& tar, const XattrSource& xattrs, const ByteSink& sink);

}  // namespace drover::store
