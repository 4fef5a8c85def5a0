// Half-open byte ranges and sets of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover {

struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // one past the last byte

  std::uint64_t size() const { return end - begin; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// Sorted, disjoint, never touching: what touches is joined.
class RangeSet {
 public:
  void add(ByteRange range);
  void remove(ByteRange range);
  bool contains(ByteRange range) const;
  std::uint64_t bytes() const;
  // The end of the range that begins at 0; 0 when there is none.
  std::uint64_t prefix() const;
  // The end of the range that holds `offset`; nothing when `offset` is in a hole.
  std::optional<std::uint64_t> end_of(std::uint64_t offset) const;
  // The holes of [0, size).
  std::vector<ByteRange> missing(std::uint64_t size) const;
  const std::vector<ByteRange>& list() const { return ranges_; }
  std::string to_string() const;  // "[0,4096) [8192,16384)"

 private:
  std::vector<ByteRange> ranges_;
};

}  // namespace drover
