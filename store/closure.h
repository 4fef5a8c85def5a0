// The walk below read_closure (store/blob_store.h), for callers that must see everything that is wrong, not only the first of it.
#pragma once

#include "base/error.h"
#include "store/blob_store.h"

#include <filesystem>
#include <vector>

namespace drover::store {

struct ClosureProblem {
  enum class What { document, config };  // what lies below a document is unknown when it cannot be read
  What what = What::document;
  Descriptor descriptor;
  Error error;
};

struct LenientClosure {
  Closure closure;  // without what lies below the documents that could not be read
  std::vector<ClosureProblem> problems;
};

LenientClosure read_closure_leniently(const std::filesystem::path& store_root, const Descriptor& root);

}  // namespace drover::store
