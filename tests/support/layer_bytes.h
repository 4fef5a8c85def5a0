// Layers compressed by hand, so that sizes, names and damage are the test's choice.
#pragma once

#include "manifest/media_type.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::test {

inline void put_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

inline std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

// Deflate's bit order: numbers from their lowest bit, Huffman codes from their highest.
class BitWriter {
 public:
  void put(unsigned value, int bits) {
    for (int i = 0; i < bits; ++i) put_bit((value >> i & 1U) != 0);
  }
  void put_code(unsigned code, int bits) {
    for (int i = bits; i-- > 0;) put_bit((code >> i & 1U) != 0);
  }
  std::string bytes;

 private:
  void put_bit(bool bit) {
    if (used_ == 0) bytes += '\0';
    if (bit) bytes.back() = static_cast<char>(static_cast<unsigned char>(bytes.back()) | 1U << used_);
    used_ = (used_ + 1) % 8;
  }
  unsigned used_ = 0;
};

inline std::size_t zeros_at_end(std::string_view text) { return text.size() - (text.find_last_not_of('\0') + 1); }

// RFC 1952 and 1951: one member of one block with the fixed codes; ASCII as literals, the zeros at the end as runs.
inline std::string gzip(std::string_view plain) {
  BitWriter out;
  out.bytes = std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  out.put(1, 1);
  out.put(1, 2);
  const auto literal = [&](char c) { out.put_code(0x30U + static_cast<unsigned char>(c), 8); };
  std::size_t zeros = zeros_at_end(plain);
  for (const char c : plain.substr(0, plain.size() - zeros)) literal(c);
  constexpr std::size_t run = 258;
  if (zeros > run) {
    literal('\0');
    --zeros;
    for (; zeros >= run; zeros -= run) {
      out.put_code(0xc5, 8);  // length 258
      out.put_code(0, 5);     // distance 1
    }
  }
  for (; zeros > 0; --zeros) literal('\0');
  out.put_code(0, 7);
  put_little_endian(out.bytes, crc32(plain), 4);
  put_little_endian(out.bytes, plain.size(), 4);
  return out.bytes;
}

// RFC 8878: one frame of a raw block and a run of zeros, with or without its content size.
inline std::string zstd(std::string_view plain, bool with_size) {
  std::string out("\x28\xb5\x2f\xfd", 4);
  if (with_size) {
    out += '\xa0';  // 4-byte content size, single segment
    put_little_endian(out, plain.size(), 4);
  } else {
    out += '\0';
    out += '\x70';  // window of 16 MiB
  }
  const std::size_t zeros = zeros_at_end(plain);
  const std::string_view text = plain.substr(0, plain.size() - zeros);
  put_little_endian(out, text.size() << 3U, 3);
  out += text;
  put_little_endian(out, zeros << 3U | 1U << 1U | 1U, 3);
  out += '\0';
  return out;
}

// Two tar blocks of text, recognisable as tar by the checksum of the first, and two of zeros.
inline std::string layer_text(std::string_view seed) {
  std::string text;
  while (text.size() < 1024) text += std::string(seed) + " ";
  text.resize(1024);
  text.replace(257, 5, "ustar");
  text.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : text.substr(0, 512)) sum += static_cast<unsigned char>(c);
  for (std::size_t at = 154; at-- > 148; sum /= 8) text[at] = static_cast<char>('0' + sum % 8);
  text.resize(2048, '\0');
  return text;
}

struct StoredLayer {
  std::string blob;
  std::string plain;
  std::string_view media_type;
};

inline StoredLayer gzip_layer(std::string_view seed) {
  const std::string plain = layer_text(seed);
  return {gzip(plain), plain, media_type::oci_layer_gzip};
}

inline StoredLayer plain_layer(std::string_view seed) { return {layer_text(seed), layer_text(seed), media_type::oci_layer}; }

inline StoredLayer zstd_layer(std::string_view seed, bool with_size) {
  return {zstd(layer_text(seed), with_size), layer_text(seed), media_type::oci_layer_zstd};
}

}  // namespace drover::test
