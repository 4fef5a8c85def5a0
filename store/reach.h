// What the entries of an index.json reach, told cautiously: see store/gc.h.
#pragma once

#include "digest/digest.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::store {

// Every well-formed sha256 and sha512 digest that stands anywhere in a text; each once, in order.
std::vector<Digest> find_digests(std::string_view text);

// Needed digests with the names of the entries that need them, by name. Throws data_safety, see read_gc_listing; not_found and invalid
// for index.json itself.
std::map<Digest, std::vector<std::string>> read_reachable(const std::filesystem::path& root);

// The bytes of a blob that can be a document by its size and first character, checked against its digest; nothing for others. Throws
// digest_mismatch.
std::optional<std::string> read_if_document(const std::filesystem::path& root, const Digest& digest);

}  // namespace drover::store
