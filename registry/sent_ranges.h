// Who sent the wrong bytes of a blob that came from several sources: when the whole has turned out wrong, what each of them sent is
// remembered by its hash, and compared with the right blob once that is there.
#pragma once

#include "digest/digest.h"
#include "store/ranges.h"

#include <cstddef>
#include <string>
#include <vector>

namespace drover::registry {

struct SentRange {
  std::size_t source = 0;  // the caller's number
  ByteRange range;
  Digest digest;           // of the bytes that it sent
};

// `sent`: by source. Reads them from the open file `file`; `name` is for messages. Throws io.
std::vector<SentRange> hash_sent_ranges(int file, const std::string& name, const std::vector<RangeSet>& sent);

// The sources of which a range is not what `right` has there, ascending. Throws io.
std::vector<std::size_t> find_senders_of_wrong_bytes(int right, const std::string& name, const std::vector<SentRange>& sent);

}  // namespace drover::registry
