#include "cli/stored_tag.h"

#include "base/error.h"
#include "base/text.h"

#include <string>
#include <vector>

namespace drover::cli {

store::Tag find_stored_tag(const store::BlobStore& store, const Reference& reference) {
  if (auto tag = store.find_tag(reference.to_string())) return *std::move(tag);
  std::vector<std::string> names;
  for (const store::Tag& tag : store.tags()) names.push_back(tag.name);
  const auto meant = did_you_mean(reference.to_string(), names);
  throw Error(ErrorCode::not_found, "the store has no " + reference.to_string() +
                                        (meant ? "; did you mean " + *meant + "?" : "; fetch it with drover pull " + reference.familiar()));
}

}  // namespace drover::cli
