// What is named, how large it is and what it means (OCI image-spec v1.1 descriptor.md).
#pragma once

#include "digest/digest.h"
#include "manifest/platform.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover {

struct Descriptor {
  std::string media_type;  // lower case, without parameters
  Digest digest;
  std::uint64_t size = 0;  // bytes, exactly
  std::optional<Platform> platform = {};  // normalised; nothing where neither OS nor architecture is said
  std::map<std::string, std::string> annotations = {};
  std::vector<std::string> urls = {};  // foreign layers; never fetched
  std::string artifact_type = {};      // as written; empty where there is none

  friend bool operator==(const Descriptor&, const Descriptor&) = default;
};

}  // namespace drover
