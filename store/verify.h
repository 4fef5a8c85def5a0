// Re-hashes a whole store and looks for holes: what `drover verify` reports and `--repair` fetches again.
#pragma once

#include "base/context.h"
#include "store/blob_store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::store {

struct VerifyOptions {
  std::size_t jobs = 2;  // threads, each of which hashes several blobs together
};

struct BlobFault {
  Digest digest;
  // As the documents of the tags name it; nothing for a blob that no tag needs, which a repair only has to discard.
  std::optional<Descriptor> descriptor;
  std::string why;
  std::vector<std::string> needed_by;  // tags, by name
};

// A tag whose documents have the right digests and still make no image: no repair of blobs helps.
struct TagFault {
  std::string name;
  std::string why;
};

struct VerifyReport {
  std::uint64_t checked = 0;  // blobs
  std::uint64_t bytes = 0;    // of them
  std::vector<BlobFault> damaged;  // by digest: the file is there and its bytes are wrong or cannot be read
  std::vector<BlobFault> missing;  // by digest: a tag needs it and there is no file
  std::vector<BlobFault> left_out;  // by digest: non-distributable layers that are not here; their registry need not serve them: no fault
  std::vector<TagFault> unusable;  // by name
  std::vector<std::string> foreign;  // files below blobs/ that are no blobs; left alone, no fault
  double seconds = 0;

  bool is_sound() const { return damaged.empty() && missing.empty() && unusable.empty(); }
};

// Changes nothing; a repair calls BlobStore::discard for what is damaged and fetches it and what is missing by the tags in needed_by.
// What hangs below a damaged or missing manifest is unknown until that is repaired: verify again then. Progress events of phase
// "verify", one id a blob. Throws interrupted, io for an unreadable folder, invalid for a damaged index.json.
VerifyReport verify(const Context& ctx, const BlobStore& store, const VerifyOptions& options);

// A line a fault and a last line with the figures.
std::string to_text(const VerifyReport& report);

}  // namespace drover::store
