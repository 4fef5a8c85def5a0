// How an engine keeps images, as far as loading tells: the classic store and the containerd store, in memory.
//
// It takes and refuses archives as the real ones do (seen on dockerd 20.10, 26.1 and 28.5): the classic store never opens the file of a
// layer whose chain ID it has and checks the diff ID of every other; the containerd store keeps blobs by digest and unpacks afterwards.
// Not thread-safe.
#pragma once

#include "digest/digest.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace drover::test {

// What the engine reports in its stream.
struct LoadRefused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Regular files of a tar archive by name; throws LoadRefused("unexpected EOF") when its end is missing.
std::map<std::string, std::string> read_tar(std::string_view archive);

struct FakeEngineImage {
  std::string id;
  std::vector<std::string> tags;     // familiar
  std::vector<std::string> digests;  // "redis@sha256:…"
  std::vector<std::string> diff_ids;
  std::uint64_t bytes = 0;
  std::vector<std::uint64_t> layer_bytes = {};  // history, lowest first
  std::string last_tag_time = {};
  // containerd store
  std::string architecture = {};     // empty: the engine's
  std::string manifest = {};         // of its one platform; empty: the image itself
  std::uint64_t unpacked_bytes = 4096;
  bool is_unpacked = true;           // false: listed, and no container of it starts
};

class FakeImageStore {
 public:
  explicit FakeImageStore(bool is_containerd) : is_containerd_(is_containerd) {}

  void add(FakeEngineImage image);
  FakeEngineImage* find(std::string_view name_or_id);
  std::vector<FakeEngineImage>& images() { return images_; }
  void tag(std::string_view id, const std::string& name);
  // By ID; its layers go with it unless another image stands on them. False when there is none.
  bool remove(std::string_view id);
  // What the engine prints, an object a line. `platform` is true when the request asked for a complete platform.
  std::vector<std::string> load(const std::map<std::string, std::string>& files, bool with_platform);
  // Layers vanish while their images stay listed: an engine that disagrees with its own inventory.
  void forget_layers();
  // The next image of the containerd store comes in and cannot be unpacked.
  void fill_disk() { is_disk_full_ = true; }

 private:
  std::vector<std::string> load_docker_archive(const std::map<std::string, std::string>& files);
  std::vector<std::string> load_oci_layout(const std::map<std::string, std::string>& files, bool with_platform);
  std::string unpack(const nlohmann::json& manifest, const std::vector<std::string>& diff_ids, FakeEngineImage& image);
  std::vector<Digest> add_chain(const std::vector<std::string>& diff_ids);

  bool is_containerd_;
  bool is_disk_full_ = false;
  std::vector<FakeEngineImage> images_;
  std::set<Digest> chains_;
  std::map<std::string, std::string> blobs_;  // by digest; containerd store
};

}  // namespace drover::test
