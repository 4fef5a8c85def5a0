#include "registry/blob_receiver.h"

#include "base/error.h"
#include "base/text.h"
#include "net/content_range.h"
#include "registry/answer_headers.h"
#include "registry/client_impl.h"

#include <algorithm>
#include <utility>

namespace drover::registry {
namespace {

bool is_encoded(const net::ResponseHead& head) {
  const std::string encoding = to_lower(trim(head.headers.find("content-encoding").value_or("")));
  return !encoding.empty() && encoding != "identity";
}

}  // namespace

BlobReceiver::BlobReceiver(const Reference& repository, const Descriptor& descriptor, ByteRange range, const BlobSink& sink,
                           OnHead on_good_head)
    : repository_(repository),
      descriptor_(descriptor),
      range_(range),
      sink_(sink),
      on_good_head_(std::move(on_good_head)),
      next_(range.begin),
      end_(range.end) {}

bool BlobReceiver::on_head(const net::Url& from, const net::ResponseHead& head) {
  from_ = from;
  refuse_web_page(repository_, from.authority(), content_type(head.headers));
  on_good_head_(from);
  if (head.status == 206) {
    verdict_ = is_range_right(head, end_) ? Verdict::range : Verdict::mangled;
    return verdict_ == Verdict::range;
  }
  if (head.status != 200) {
    verdict_ = Verdict::mangled;
    return false;
  }
  if (is_encoded(head)) {
    throw Error(ErrorCode::unsupported, from.authority() + " sends " + descriptor_.digest.to_string() + " compressed again (" +
                                            printable(head.headers.find("content-encoding").value_or(""), 40) + ") although that was not asked for");
  }
  if (head.content_length && *head.content_length != descriptor_.size) {
    throw Error(ErrorCode::size_mismatch, from.authority() + " has " + std::to_string(*head.content_length) + " bytes for " +
                                              descriptor_.digest.to_string() + ", the manifest says " + std::to_string(descriptor_.size));
  }
  verdict_ = Verdict::whole;
  next_ = 0;
  end_ = descriptor_.size;
  return true;
}

// The front part of what was asked is fine (servers clamp), and so is more at its end, which is cut off.
bool BlobReceiver::is_range_right(const net::ResponseHead& head, std::uint64_t& end) const {
  if (content_type(head.headers).starts_with("multipart/") || is_encoded(head)) return false;
  const auto sent = net::parse_content_range(head.headers.find("content-range").value_or(""));
  if (!sent || !sent->first || !sent->last || *sent->first != range_.begin) return false;
  if (*sent->last >= descriptor_.size || (sent->total && *sent->total != descriptor_.size)) return false;
  end = std::min(range_.end, *sent->last + 1);
  return true;
}

bool BlobReceiver::on_body(std::span<const std::byte> bytes) {
  const std::uint64_t left = end_ - next_;
  const bool is_cut = bytes.size() > left;
  if (is_cut) bytes = bytes.first(static_cast<std::size_t>(left));
  if (!bytes.empty()) {
    if (!sink_(next_, bytes)) {
      is_stopped_ = true;
      return false;
    }
    next_ += bytes.size();
  }
  return !is_cut;
}

}  // namespace drover::registry
