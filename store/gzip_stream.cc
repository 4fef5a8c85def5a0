#include "store/gzip_stream.h"

#include "base/error.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <limits>
#include <string>

namespace drover::store {
namespace {

// RFC 1952 §2.3.1, member FLG.
constexpr unsigned flag_header_crc = 0x02;
constexpr unsigned flag_extra = 0x04;
constexpr unsigned flag_name = 0x08;
constexpr unsigned flag_comment = 0x10;
constexpr unsigned flags_reserved = 0xe0;

[[noreturn]] void throw_invalid(const LayerInput& input, const std::string& what) {
  throw Error(ErrorCode::invalid, "layer " + input.path().string() + " is damaged near byte " + std::to_string(input.offset()) + ": " + what);
}

std::string explain(int code) {
  switch (code) {
    case ISAL_INVALID_BLOCK: return "an invalid deflate block";
    case ISAL_INVALID_SYMBOL: return "an invalid deflate symbol";
    case ISAL_INVALID_LOOKBACK: return "a deflate copy from before its beginning";
    default: return "deflate error " + std::to_string(code);
  }
}

// Reads header bytes and keeps their CRC32, whose low half FHCRC is.
class HeaderReader {
 public:
  explicit HeaderReader(LayerInput& input) : input_(input) {}

  unsigned byte() {
    const std::uint8_t value = input_.take();
    crc_ = crc32_gzip_refl(crc_, &value, 1);
    return value;
  }
  unsigned two_bytes() {
    const unsigned low = byte();
    return low | (byte() << 8U);
  }
  void skip_text(const char* what) {
    for (std::size_t n = 0; byte() != 0; ++n) {
      if (n == gzip_text_bytes_max) throw_invalid(input_, std::string("a gzip ") + what + " that does not end");
    }
  }
  unsigned crc16() const { return crc_ & 0xffffU; }

 private:
  LayerInput& input_;
  std::uint32_t crc_ = 0;
};

}  // namespace

struct GzipStream::State {
  inflate_state inflate;
  bool is_in_member = false;
};

GzipStream::GzipStream(LayerInput& input) : input_(&input), state_(std::make_unique<State>()) { isal_inflate_init(&state_->inflate); }
GzipStream::~GzipStream() = default;
GzipStream::GzipStream(GzipStream&&) noexcept = default;

std::size_t GzipStream::read(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (!state_->is_in_member) {
      if (input_->window().empty()) break;
      read_header();
    }
    done += inflate_some(out.subspan(done));
    if (state_->inflate.block_state == ISAL_BLOCK_FINISH) read_trailer();
  }
  return done;
}

void GzipStream::read_header() {
  HeaderReader header(*input_);
  const bool is_first = input_->offset() == 0;
  if (header.byte() != 0x1f || header.byte() != 0x8b) {
    throw_invalid(*input_, is_first ? "it is not gzip" : "bytes behind its end that are no further gzip member");
  }
  if (header.byte() != 8) throw_invalid(*input_, "a gzip method that is not deflate");
  const unsigned flags = header.byte();
  if ((flags & flags_reserved) != 0) throw_invalid(*input_, "reserved gzip flags are set");
  for (int i = 0; i < 6; ++i) header.byte();  // MTIME, XFL, OS
  if ((flags & flag_extra) != 0) {
    for (unsigned n = header.two_bytes(); n > 0; --n) header.byte();
  }
  if ((flags & flag_name) != 0) header.skip_text("file name");
  if ((flags & flag_comment) != 0) header.skip_text("comment");
  if ((flags & flag_header_crc) != 0) {
    const unsigned expected = header.crc16();
    if (header.two_bytes() != expected) throw_invalid(*input_, "the checksum of a gzip header is wrong");
  }
  isal_inflate_reset(&state_->inflate);
  // Only the CRC is computed there: the trailer is read here, so that what follows it is found exactly.
  state_->inflate.crc_flag = ISAL_GZIP_NO_HDR;
  state_->is_in_member = true;
}

std::size_t GzipStream::inflate_some(std::span<std::byte> out) {
  inflate_state& s = state_->inflate;
  const std::span<const std::byte> in = input_->window();
  const std::size_t room = std::min<std::size_t>(out.size(), std::numeric_limits<std::uint32_t>::max() / 2);
  // ISA-L takes its input as non-const and only reads it.
  s.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(in.data()));
  s.avail_in = static_cast<std::uint32_t>(in.size());
  s.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  s.avail_out = static_cast<std::uint32_t>(room);
  const int result = isal_inflate(&s);
  input_->consume(in.size() - s.avail_in);
  if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT && result != ISAL_OUT_OVERFLOW) throw_invalid(*input_, explain(result));
  const std::size_t produced = room - s.avail_out;
  if (in.empty() && produced == 0 && s.block_state != ISAL_BLOCK_FINISH) throw_invalid(*input_, "it is cut short");
  return produced;
}

void GzipStream::read_trailer() {
  inflate_state& s = state_->inflate;
  // Whole bytes that the decoder took in advance: they come before what is in the window.
  std::uint64_t ahead = s.read_in >> (static_cast<unsigned>(s.read_in_length) % 8U);
  unsigned bytes_ahead = static_cast<unsigned>(s.read_in_length) / 8U;
  const auto take = [&]() -> std::uint32_t {
    if (bytes_ahead == 0) return input_->take();
    const auto value = static_cast<std::uint32_t>(ahead & 0xffU);
    ahead >>= 8U;
    --bytes_ahead;
    return value;
  };
  const auto take_number = [&] {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) value |= take() << shift;
    return value;
  };
  if (take_number() != s.crc) throw_invalid(*input_, "its CRC32 is wrong");
  if (take_number() != s.total_out) throw_invalid(*input_, "its length is not what it says");
  if (bytes_ahead != 0) throw_invalid(*input_, "the decoder read past the end of a member");
  state_->is_in_member = false;
}

}  // namespace drover::store
