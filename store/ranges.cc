#include "store/ranges.h"

#include <algorithm>

namespace drover {

void RangeSet::add(ByteRange range) {
  if (range.begin >= range.end) return;
  // The first range that touches the new one, and the first beyond it.
  const auto first = std::lower_bound(ranges_.begin(), ranges_.end(), range.begin, [](const ByteRange& r, std::uint64_t at) { return r.end < at; });
  const auto last = std::upper_bound(first, ranges_.end(), range.end, [](std::uint64_t at, const ByteRange& r) { return at < r.begin; });
  if (first != last) {
    range.begin = std::min(range.begin, first->begin);
    range.end = std::max(range.end, std::prev(last)->end);
  }
  ranges_.insert(ranges_.erase(first, last), range);
}

void RangeSet::remove(ByteRange range) {
  if (range.begin >= range.end) return;
  std::vector<ByteRange> rest;
  rest.reserve(ranges_.size() + 1);
  for (const ByteRange& r : ranges_) {
    if (r.end <= range.begin || r.begin >= range.end) {
      rest.push_back(r);
      continue;
    }
    if (r.begin < range.begin) rest.push_back({r.begin, range.begin});
    if (r.end > range.end) rest.push_back({range.end, r.end});
  }
  ranges_ = std::move(rest);
}

bool RangeSet::contains(ByteRange range) const {
  if (range.begin >= range.end) return true;
  const std::optional<std::uint64_t> end = end_of(range.begin);
  return end && *end >= range.end;
}

std::uint64_t RangeSet::bytes() const {
  std::uint64_t sum = 0;
  for (const ByteRange& r : ranges_) sum += r.size();
  return sum;
}

std::uint64_t RangeSet::prefix() const { return ranges_.empty() || ranges_.front().begin != 0 ? 0 : ranges_.front().end; }

std::optional<std::uint64_t> RangeSet::end_of(std::uint64_t offset) const {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), offset, [](std::uint64_t at, const ByteRange& r) { return at < r.begin; });
  if (after == ranges_.begin()) return std::nullopt;
  const ByteRange& candidate = *std::prev(after);
  if (offset >= candidate.end) return std::nullopt;
  return candidate.end;
}

std::vector<ByteRange> RangeSet::missing(std::uint64_t size) const {
  std::vector<ByteRange> holes;
  std::uint64_t at = 0;
  for (const ByteRange& r : ranges_) {
    if (r.begin >= size) break;
    if (r.begin > at) holes.push_back({at, r.begin});
    at = r.end;
  }
  if (at < size) holes.push_back({at, size});
  return holes;
}

std::string RangeSet::to_string() const {
  std::string text;
  for (const ByteRange& r : ranges_) {
    if (!text.empty()) text += ' ';
    text += '[' + std::to_string(r.begin) + ',' + std::to_string(r.end) + ')';
  }
  return text;
}

}  // namespace drover
