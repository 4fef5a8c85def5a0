// A store to plan against: the user's when there is one, else an empty one that is gone afterwards, so that a plan creates nothing.
#pragma once

#include "cli/session.h"
#include "store/blob_store.h"

#include <filesystem>
#include <optional>

namespace drover::cli {

class ScratchStore {
 public:
  explicit ScratchStore(const Session& session);
  ~ScratchStore();
  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  const store::BlobStore& store() const { return *store_; }

 private:
  std::filesystem::path folder_;  // empty when it is the user's
  std::optional<store::BlobStore> store_;
};

}  // namespace drover::cli
