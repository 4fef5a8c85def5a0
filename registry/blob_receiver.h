// Judges the answer to one request for a range of a blob and passes its bytes on.
#pragma once

#include "manifest/descriptor.h"
#include "manifest/reference.h"
#include "registry/client.h"
#include "registry/session.h"

#include <cstdint>
#include <functional>
#include <span>

namespace drover::registry {

// Every quirk that was seen is an answer here, not an error: ignored ranges, wrong offsets, multipart, clamped ends. Bytes are not copied.
class BlobReceiver final : public Receiver {
 public:
  enum class Verdict {
    none,     // no good answer came
    range,    // 206 with what was asked, or the front part of it
    whole,    // 200
    mangled,  // 206 with something else; no byte was passed on
  };
  using OnHead = std::function<void(const net::Url& from)>;  // a good answer begins; before any byte

  BlobReceiver(const Reference& repository, const Descriptor& descriptor, ByteRange range, const BlobSink& sink, OnHead on_good_head);

  // Throws invalid for a web page, size_mismatch when a whole answer announces another size than the descriptor's, unsupported for a
  // Content-Encoding that nobody asked for.
  bool on_head(const net::Url& from, const net::ResponseHead& head) override;
  bool on_body(std::span<const std::byte> bytes) override;

  Verdict verdict() const { return verdict_; }
  bool is_stopped() const { return is_stopped_; }      // by the sink
  std::uint64_t next() const { return next_; }         // offset of the first byte that did not come
  std::uint64_t end() const { return end_; }           // of what this answer promises
  const net::Url& from() const { return from_; }

 private:
  bool is_range_right(const net::ResponseHead& head, std::uint64_t& end) const;

  const Reference& repository_;
  const Descriptor& descriptor_;
  const ByteRange range_;
  const BlobSink& sink_;
  const OnHead on_good_head_;
  net::Url from_;
  Verdict verdict_ = Verdict::none;
  bool is_stopped_ = false;
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace drover::registry
