#include "registry/sent_ranges.h"

#include "base/error.h"
#include "base/file.h"
#include "digest/hasher.h"

#include <algorithm>
#include <set>
#include <span>

namespace drover::registry {
namespace {

constexpr std::size_t step_bytes = 256U << 10U;

Digest hash_range(int file, const std::string& name, ByteRange range) {
  Hasher hasher(Digest::Algorithm::sha256);
  std::vector<std::byte> buffer(std::min<std::uint64_t>(step_bytes, range.size()));
  for (std::uint64_t at = range.begin; at < range.end;) {
    const auto bytes = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), range.end - at));
    if (read_at(file, bytes, at, name) != bytes.size()) throw Error(ErrorCode::io, name + " is shorter than it was");
    hasher.update(bytes);
    at += bytes.size();
  }
  return hasher.finish();
}

}  // namespace

std::vector<SentRange> hash_sent_ranges(int file, const std::string& name, const std::vector<RangeSet>& sent) {
  std::vector<SentRange> ranges;
  for (std::size_t source = 0; source < sent.size(); ++source) {
    for (const ByteRange& range : sent[source].list()) {
      ranges.push_back({.source = source, .range = range, .digest = hash_range(file, name, range)});
    }
  }
  return ranges;
}

std::vector<std::size_t> find_senders_of_wrong_bytes(int right, const std::string& name, const std::vector<SentRange>& sent) {
  std::set<std::size_t> senders;
  for (const SentRange& range : sent) {
    if (!senders.contains(range.source) && hash_range(right, name, range.range) != range.digest) senders.insert(range.source);
  }
  return {senders.begin(), senders.end()};
}

}  // namespace drover::registry
