// The content store: an OCI image layout on disk (OCI image-spec v1.1 image-layout.md), usable by other tools as `oci:DIR:NAME`.
//
// Layout beside the standard's own files: `ingest/` (part files, journals, locks; 0700), `store.lock` (shared by users, exclusive for
// gc). A blob appears under its digest only after its bytes were hashed and synced; index.json is replaced last.
// Thread-safe; several processes may use one store.
#pragma once

#include "base/context.h"
#include "base/file.h"
#include "manifest/descriptor.h"
#include "manifest/manifest.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::store {

inline constexpr std::chrono::seconds index_lock_patience{30};

struct Tag {
  std::string name;       // canonical reference text: "docker.io/library/redis:7"
  Descriptor descriptor;  // index or manifest, as pulled
};

class BlobStore {
 public:
  enum class Access { read, write };

  // Write access creates what is missing (0700) and refuses folders on different file systems; read access throws not_found when there
  // is no layout, with what to do. Holds store.lock shared for its lifetime; throws locked while gc holds it.
  static BlobStore open(const std::filesystem::path& root, Access access);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path blob_path(const Digest& digest) const;
  std::filesystem::path ingest_path(const Digest& digest, std::string_view suffix) const;  // "ingest/sha256-<hex><suffix>"

  // A file of that name and exactly that size: cheap, not a verification.
  bool has(const Digest& digest, std::uint64_t size) const;
  std::optional<std::uint64_t> find_size(const Digest& digest) const;
  // The whole blob, hashed while it is read; throws not_found, size_mismatch beyond `bytes_max`, digest_mismatch.
  std::string read(const Digest& digest, std::uint64_t bytes_max) const;
  // Durable when it returns; nothing to do when the blob is there. Throws digest_mismatch when `bytes` are not what `digest` says.
  void put(const Digest& digest, std::string_view bytes);
  // The last step of a part file that was hashed and synced: rename into blobs/ and sync the folder. A part whose mode is 0444 already
  // saves the second sync that changing it here costs.
  void adopt(const Digest& digest, const std::filesystem::path& part_file);
  // Moves a damaged blob out of the way, into ingest/, so that it is fetched anew.
  void discard(const Digest& digest);
  // From now on has() and find_size() do not see these files, each until put() or adopt() has replaced it: what is damaged stays where it is
  // until something better takes its place. Replaces what was said before. Not beside other calls; for this object alone.
  void distrust(const std::vector<Digest>& digests);

  std::vector<Tag> tags() const;  // by name
  std::optional<Tag> find_tag(std::string_view name) const;
  // Replaces index.json durably. Several at once, so that a set moves together. Throws not_found when a root is not in the store, locked
  // when another process keeps index.lock for longer than index_lock_patience.
  void set_tags(const std::vector<Tag>& tags);
  bool remove_tag(std::string_view name);

 private:
  struct Distrust;

  BlobStore(std::filesystem::path root, Access access, std::optional<FileLock> lock);
  void require_write(std::string_view what) const;

  std::filesystem::path root_;
  Access access_;
  std::optional<FileLock> lock_;  // nothing for a layout of another tool, or one on a read-only disk
  std::shared_ptr<Distrust> distrust_;  // shared because it is incomplete here; null: all files are trusted
};

// Everything a tag needs: itself, and each manifest, config and layer below it that belongs to an image the store was asked to hold.
// Children of an index whose manifest is not in the store are platforms that were not pulled; they are left out, not an error.
struct Closure {
  struct Image {
    Platform platform;  // from the index entry, else from the config
    Descriptor manifest;
    Manifest parsed;
  };
  Descriptor root;
  std::vector<Image> images;
  std::vector<Descriptor> blobs;  // root, manifests, configs, layers; each digest once
};

// Throws invalid or not_found when a document that must be there is damaged or missing.
Closure read_closure(const BlobStore& store, const Descriptor& root);

}  // namespace drover::store
