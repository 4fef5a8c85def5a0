#include "cli/scratch_store.h"

#include "base/file.h"

#include <system_error>

namespace drover::cli {

ScratchStore::ScratchStore(const Session& session) : store_(session.try_open_store()) {
  if (store_) return;
  folder_ = std::filesystem::temp_directory_path() / random_name("drover-plan-");
  store_ = store::BlobStore::open(folder_, store::BlobStore::Access::write);
}

ScratchStore::~ScratchStore() {
  store_.reset();
  std::error_code ignored;  // what stays of an empty folder in the temporary one harms nobody
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

}  // namespace drover::cli
