#include "registry/documents.h"

#include "base/error.h"
#include "base/text.h"
#include "manifest/manifest.h"

#include <utility>
#include <variant>

namespace drover::registry {

FetchedManifest Documents::root(const Context& ctx) {
  const std::optional<Digest>& pin = reference_.digest();
  std::optional<std::string> bytes = pin ? find(ctx, *pin, manifest_bytes_max) : std::nullopt;
  if (!bytes) return client_.fetch_manifest(ctx, reference_);
  Document document = parse_document(*bytes, "");
  Descriptor descriptor{.media_type = media_type_of(document), .digest = *pin, .size = bytes->size()};
  return {std::move(descriptor), *std::move(bytes), std::move(document), true};
}

void Documents::expect(const std::vector<Descriptor>& descriptors) {
  for (const Descriptor& descriptor : descriptors) charge(descriptor);
}

FetchedManifest Documents::manifest(const Context& ctx, const Descriptor& descriptor) {
  charge(descriptor);
  std::optional<std::string> bytes = find(ctx, descriptor.digest, manifest_bytes_max);
  // One that is not what its index says is for the client to tell about.
  if (bytes && bytes->size() == descriptor.size) {
    Document document = parse_document(*bytes, descriptor.media_type);
    if (media_type_of(document) == descriptor.media_type) return {descriptor, *std::move(bytes), std::move(document), true};
  }
  return client_.fetch_manifest(ctx, reference_, descriptor);
}

Documents::Config Documents::config(const Context& ctx, const Descriptor& descriptor) {
  charge(descriptor);
  std::optional<std::string> bytes = find(ctx, descriptor.digest, config_bytes_max);
  if (bytes && bytes->size() == descriptor.size) return {.bytes = *std::move(bytes), .was_stored = true};
  return {.bytes = client_.fetch_blob(ctx, reference_, descriptor, config_bytes_max)};
}

// Hashed while it is read: a damaged one is fetched as if it were not there.
std::optional<std::string> Documents::find(const Context& ctx, const Digest& digest, std::uint64_t bytes_max) const {
  if (store_ == nullptr || !store_->find_size(digest)) return std::nullopt;
  try {
    return store_->read(digest, bytes_max);
  } catch (const Error& error) {
    ctx.debug("asking the registry for " + digest.to_string() + ": " + error.what());
    return std::nullopt;
  }
}

// By what the descriptor says, before a byte is fetched: no more than that is taken. Each digest once.
void Documents::charge(const Descriptor& descriptor) {
  const std::lock_guard lock(mutex_);
  if (!charged_.insert(descriptor.digest).second) return;
  if (descriptor.size > documents_bytes_max - bytes_) {
    throw Error(ErrorCode::invalid, "cannot read " + reference_.to_string() + ": its manifests and configurations are more than " +
                                        format_bytes(documents_bytes_max) + " together");
  }
  bytes_ += descriptor.size;
}

}  // namespace drover::registry
