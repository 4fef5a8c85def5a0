#include "store/reach.h"

#include "base/error.h"
#include "base/text.h"
#include "store/blob_file.h"
#include "store/closure.h"
#include "store/index_json.h"

#include <algorithm>
#include <array>
#include <set>

namespace drover::store {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(ErrorCode::data_safety, "cannot tell which blobs " + printable(name, 200) + " needs: " + why +
                                          "; run drover verify --repair, or remove that image, before cleaning the store");
}

std::string entry_name(const IndexEntry& entry) { return entry.name ? *entry.name : entry.digest_text; }

// Follows digests from document to document, whatever members they stand in.
class Follower {
 public:
  explicit Follower(std::filesystem::path root) : root_(std::move(root)) {}

  void follow(const std::string& name, std::vector<Digest> digests) {
    std::set<Digest> seen(digests.begin(), digests.end());
    while (!digests.empty()) {
      const Digest digest = digests.back();
      digests.pop_back();
      needed_[digest].insert(name);
      for (const Digest& mentioned : mentions(name, digest)) {
        if (seen.insert(mentioned).second) digests.push_back(mentioned);
      }
    }
  }

  std::map<Digest, std::vector<std::string>> take() {
    std::map<Digest, std::vector<std::string>> result;
    for (auto& [digest, names] : needed_) result.emplace(digest, std::vector<std::string>(names.begin(), names.end()));
    return result;
  }

 private:
  const std::vector<Digest>& mentions(const std::string& name, const Digest& digest) {
    const auto known = mentions_.find(digest);
    if (known != mentions_.end()) return known->second;
    try {
      const std::optional<std::string> document = read_if_document(root_, digest);
      return mentions_.emplace(digest, document ? find_digests(*document) : std::vector<Digest>()).first->second;
    } catch (const Error& e) {
      if (e.code() == ErrorCode::interrupted) throw;
      refuse(name, e.what());
    }
  }

  std::filesystem::path root_;
  std::map<Digest, std::set<std::string>> needed_;
  std::map<Digest, std::vector<Digest>> mentions_;
};

// Documents by their place in an image: one whose first character is damaged does not look like a document any more.
std::vector<Digest> read_image(const std::filesystem::path& root, const IndexEntry& entry) {
  if (!entry.descriptor) refuse(entry_name(entry), "its digest " + printable(entry.digest_text, 160) + " is of an algorithm not known here");
  const LenientClosure found = read_closure_leniently(root, *entry.descriptor);
  for (const ClosureProblem& problem : found.problems) {
    const ErrorCode code = problem.error.code();
    const bool is_unreadable = code == ErrorCode::digest_mismatch || code == ErrorCode::not_found || code == ErrorCode::io;
    // A config names no blobs; what is invalid as an image may be a document of another kind, and its text is searched.
    if (problem.what == ClosureProblem::What::document && is_unreadable) refuse(entry_name(entry), problem.error.what());
  }
  std::vector<Digest> digests;
  for (const Descriptor& blob : found.closure.blobs) digests.push_back(blob.digest);
  return digests;
}

}  // namespace

std::vector<Digest> find_digests(std::string_view text) {
  std::vector<Digest> digests;
  std::set<Digest> seen;
  for (const auto& [prefix, length] : {std::pair<std::string_view, std::size_t>{"sha256:", 64}, {"sha512:", 128}}) {
    for (std::size_t at = text.find(prefix); at != std::string_view::npos; at = text.find(prefix, at + 1)) {
      const std::optional<Digest> digest = Digest::try_parse(text.substr(at, prefix.size() + length));
      if (digest && seen.insert(*digest).second) digests.push_back(*digest);
    }
  }
  return digests;
}

std::optional<std::string> read_if_document(const std::filesystem::path& root, const Digest& digest) {
  const std::filesystem::path path = blob_path(root, digest);
  const std::optional<OpenBlob> blob = open_blob(path);
  if (!blob || blob->size > manifest_bytes_max) return std::nullopt;
  std::array<std::byte, 64> head{};
  const std::size_t n = read_at(blob->fd.get(), head, 0, path.string());
  const std::string_view text = trim(as_text(std::span(head).first(n)));
  if (!text.starts_with('{')) return std::nullopt;
  return read_blob(root, digest, manifest_bytes_max);
}

std::map<Digest, std::vector<std::string>> read_reachable(const std::filesystem::path& root) {
  const std::string json = read_file(root / "index.json", index_json_bytes_max);
  Follower follower(root);
  for (const IndexEntry& entry : parse_index_entries(json)) follower.follow(entry_name(entry), read_image(root, entry));
  std::map<Digest, std::vector<std::string>> reachable = follower.take();
  // Members that are not ours may name blobs as well.
  std::vector<Digest> others;
  for (const Digest& digest : find_digests(json)) {
    if (!reachable.contains(digest)) others.push_back(digest);
  }
  follower.follow("index.json", std::move(others));
  reachable.merge(follower.take());
  return reachable;
}

}  // namespace drover::store
