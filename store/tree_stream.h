// A tar stream read entry by entry, and written anew with what the caller adds. Private to this room.
#pragma once

#include "store/tar_writer.h"
#include "store/volume_archive.h"

namespace drover::store {

struct TreeCopy {
  XattrSource xattrs = {};  // adds to what the stream has
  std::string root = ".";   // what the tree's own folder is called in the copy: "./a" becomes "volume/a"
  ByteSink sink = {};       // gets the same entries as pax; may be empty
};

// Reads to the end. The listing has the names of the original.
TreeListing copy_tree(const Context& ctx, const ByteSource& tar, const TreeCopy& copy);

}  // namespace drover::store
