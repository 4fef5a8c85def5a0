// Fills a FakeRegistry from an OCI image layout on disk.
#pragma once

#include "tests/support/fake_registry.h"

#include <filesystem>
#include <string>
#include <vector>

namespace drover::test {

// Every manifest that index.json names and what it leads to; all blobs in all repositories, read from disk when asked for. A name is the
// annotation org.opencontainers.image.ref.name (or io.containerd.image.name): "tag", "name:tag" or "host/name:tag"; the host is dropped,
// and a bare tag belongs to `repository`. Returns "<name>:<tag>" of each. Throws std::runtime_error when it is no layout.
std::vector<std::string> add_layout(FakeRegistry& registry, const std::filesystem::path& layout, const std::string& repository);

}  // namespace drover::test
