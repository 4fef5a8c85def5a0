#include "store/inflate.h"

#include "base/error.h"
#include "base/text.h"
#include "tests/support/temp_dir.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <zlib.h>
#include <zstd.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace drover;
using namespace drover::store;
using test::TempDir;

namespace {

// Text with some order in it, so that both codecs use copies and literals.
std::string sample(std::size_t size, std::uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) text += "line " + std::to_string(random() % 1000) + (random() % 7 == 0 ? "\n" : " of a layer ");
  text.resize(size);
  return text;
}

// One gzip member by zlib, with the header fields asked for.
std::string gzip(std::string_view bytes, gz_header* header = nullptr, int level = 6) {
  z_stream z{};
  BOOST_TEST_REQUIRE(deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  if (header != nullptr) deflateSetHeader(&z, header);
  std::string out;
  std::vector<unsigned char> buffer(1U << 16U);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  int result = Z_OK;
  while (result != Z_STREAM_END) {
    z.next_out = buffer.data();
    z.avail_out = static_cast<uInt>(buffer.size());
    result = deflate(&z, Z_FINISH);
    out.append(reinterpret_cast<const char*>(buffer.data()), buffer.size() - z.avail_out);
  }
  deflateEnd(&z);
  return out;
}

std::string zstd(std::string_view bytes, bool has_checksum = true, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, has_checksum ? 1 : 0);
  if (window_log != 0) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  }
  std::string out(ZSTD_compressBound(bytes.size()) + 64, '\0');
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer target{out.data(), out.size(), 0};
  // Streamed, so that the frame's window is the one asked for and not shrunk to the content.
  while (ZSTD_compressStream2(context, &target, &in, in.pos < in.size ? ZSTD_e_continue : ZSTD_e_end) != 0 || in.pos < in.size) {
  }
  ZSTD_compressStream2(context, &target, &in, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  out.resize(target.pos);
  return out;
}

std::string zstd_skippable(std::string_view bytes) {
  std::string frame = "\x5e\x2a\x4d\x18";
  for (unsigned shift = 0; shift < 32; shift += 8) frame += static_cast<char>((bytes.size() >> shift) & 0xffU);
  return frame + std::string(bytes);
}

struct InflateFixture {
  TempDir dir;

  std::string inflate(std::string_view bytes, std::size_t piece = 64U << 10U) {
    std::filesystem::remove(dir / "layer");  // ext4 syncs a file that is cut to nothing and written again
    InflateReader reader(dir.write("layer", bytes));
    std::string out;
    std::vector<std::byte> buffer(piece);
    while (const std::size_t n = reader.read(buffer)) {
      out += as_text(std::span(buffer).first(n));
      if (n < piece) BOOST_TEST(reader.read(buffer) == 0U);  // short only at the end
      if (n < piece) break;
    }
    return out;
  }

  void check_invalid(std::string_view bytes, std::string_view word) {
    BOOST_CHECK_EXCEPTION(inflate(bytes), Error, [&](const Error& e) {
      const bool is_right = e.code() == ErrorCode::invalid && std::string_view(e.what()).find(word) != std::string_view::npos;
      if (!is_right) BOOST_TEST_MESSAGE(e.what());
      return is_right;
    });
  }

  std::string tar_of(std::size_t size) {  // what sniffing takes for tar
    std::string bytes(512, '\0');
    return bytes + sample(size);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(inflate_reader, InflateFixture)

BOOST_AUTO_TEST_CASE(the_first_bytes_tell_the_compression) {
  const auto sniff = [](std::string_view head) { return sniff_compression(as_bytes(head)); };
  std::string v7(512, '\0');
  v7[0] = 'a';
  std::memcpy(v7.data() + 148, "000541 ", 7);  // 97 + 8 spaces
  std::string not_tar = v7;
  not_tar[0] = 'b';

  BOOST_TEST((sniff("") == Compression::none));
  BOOST_TEST((sniff(gzip("x")) == Compression::gzip));
  BOOST_TEST((sniff(zstd("x")) == Compression::zstd));
  BOOST_TEST((sniff(zstd_skippable("x")) == Compression::zstd));
  BOOST_TEST((sniff(std::string(1024, '\0')) == Compression::none));
  BOOST_TEST((sniff(v7) == Compression::none));
  BOOST_TEST((sniff(not_tar) == Compression::unknown));
  BOOST_TEST((sniff("BZh91AY") == Compression::unknown));
  BOOST_TEST((sniff("\x1f") == Compression::unknown));
  BOOST_TEST((sniff_compression(dir.write("l", zstd("x"))) == Compression::zstd));
}

BOOST_AUTO_TEST_CASE(every_length_and_piece_comes_back) {
  for (const std::size_t size : {0U, 1U, 511U, 32768U, 65537U, 262144U, 700001U}) {
    const std::string bytes = sample(size);
    for (const std::size_t piece : {1U, 511U, 65536U, 1048576U}) {
      if (piece == 1 && size > 70000) continue;
      BOOST_TEST((inflate(gzip(bytes), piece) == bytes), "gzip " << size << "/" << piece);
      BOOST_TEST((inflate(zstd(bytes), piece) == bytes), "zstd " << size << "/" << piece);
      const std::string tar = tar_of(size);
      BOOST_TEST((inflate(tar, piece) == tar), "tar " << size << "/" << piece);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_level_of_deflate_comes_back) {
  std::mt19937 random(7);
  std::string noise(300000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  for (int level = 0; level <= 9; ++level) {
    const std::string bytes = sample(100000) + noise + sample(100000);
    BOOST_TEST((inflate(gzip(bytes, nullptr, level)) == bytes), "level " << level);
  }
}

BOOST_AUTO_TEST_CASE(members_and_frames_follow_one_another) {
  std::string gz;
  std::string zst = zstd_skippable("note");
  std::string bytes;
  // Sizes around the decoder's 8-byte reads and our 256 KiB window.
  for (std::uint32_t i = 0; i < 300; ++i) {
    const std::string part = sample(i * 7, i);
    bytes += part;
    gz += gzip(part);
    zst += zstd(part, i % 2 == 0) + (i % 3 == 0 ? zstd_skippable(part) : "");
  }
  const std::string large = sample(2000000);
  BOOST_TEST((inflate(gz + gzip(large)) == bytes + large));
  BOOST_TEST((inflate(gz, 13) == bytes));
  BOOST_TEST((inflate(zst + zstd(large)) == bytes + large));
  BOOST_TEST((inflate(zst, 13) == bytes));
}

BOOST_AUTO_TEST_CASE(a_member_may_end_anywhere_in_the_window) {
  // Stored blocks make the compressed size a plain function of the content's: the boundary moves a byte at a time.
  for (std::size_t shift = 0; shift < 40; ++shift) {
    const std::string first = sample((256U << 10U) - 60 + shift);
    const std::string bytes = first + "second";
    BOOST_TEST((inflate(gzip(first, nullptr, 0) + gzip("second")) == bytes), "shift " << shift);
  }
}

BOOST_AUTO_TEST_CASE(header_fields_are_skipped_and_their_crc_checked) {
  std::string extra(65535, 'e');
  std::string name = "layer.tar";
  std::string comment(1000, 'c');
  gz_header header{};
  header.extra = reinterpret_cast<Bytef*>(extra.data());
  header.extra_len = static_cast<uInt>(extra.size());
  header.name = reinterpret_cast<Bytef*>(name.data());
  header.comment = reinterpret_cast<Bytef*>(comment.data());
  header.hcrc = 1;
  const std::string gz = gzip("hello", &header);
  std::string damaged = gz;
  damaged[70] ^= 1;

  BOOST_TEST(inflate(gz) == "hello");
  BOOST_TEST(inflate(gz + gz) == "hellohello");
  check_invalid(damaged, "checksum of a gzip header");
}

BOOST_AUTO_TEST_CASE(reserved_flags_and_other_methods_are_refused) {
  for (const unsigned flag : {0x20U, 0x40U, 0x80U}) {
    std::string gz = gzip("hello");
    gz[3] = static_cast<char>(flag);
    check_invalid(gz, "reserved");
  }
  std::string gz = gzip("hello");
  gz[2] = 7;
  check_invalid(gz, "method");
}

BOOST_AUTO_TEST_CASE(an_endless_file_name_is_refused) {
  std::string gz = gzip("hello").substr(0, 10);
  gz[3] = 0x08;
  check_invalid(gz + std::string(70000, 'x'), "does not end");
}

BOOST_AUTO_TEST_CASE(every_cut_is_noticed) {
  const std::string gz = gzip(sample(1000));
  const std::string zst = zstd(sample(1000));
  for (std::size_t n = 2; n < gz.size(); ++n) check_invalid(std::string_view(gz).substr(0, n), "cut short");
  for (std::size_t n = 4; n < zst.size(); ++n) check_invalid(std::string_view(zst).substr(0, n), "cut short");
  // A cut in a later member or frame.
  for (std::size_t n = 1; n < gz.size(); n += 7) check_invalid(gz + gz.substr(0, n), "cut short");
  for (std::size_t n = 1; n < zst.size(); n += 7) check_invalid(zst + zst.substr(0, n), "cut short");
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_noticed) {
  const std::string bytes = sample(1500);
  const std::string gz = gzip(bytes);
  const std::string zst = zstd(bytes);
  const auto check = [&](const std::string& good, std::size_t bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1U << (bit % 8)));
    try {
      if (inflate(bad) == bytes) return;  // bits that mean nothing: gzip's time, operating system; zstd's unused ones
      BOOST_ERROR("bit " << bit << " changed the content unnoticed");
    } catch (const Error& e) {
      BOOST_TEST((e.code() == ErrorCode::invalid || e.code() == ErrorCode::unsupported), e.what());
    }
  };
  for (std::size_t bit = 0; bit < gz.size() * 8; bit += 5) check(gz, bit);
  for (std::size_t bit = 0; bit < zst.size() * 8; bit += 5) check(zst, bit);
}

BOOST_AUTO_TEST_CASE(wrong_checksum_and_wrong_length_have_their_own_words) {
  const std::string gz = gzip(sample(1000));
  std::string crc = gz;
  crc[gz.size() - 8] ^= 1;
  std::string length = gz;
  length[gz.size() - 1] ^= 1;

  check_invalid(crc, "CRC32");
  check_invalid(length, "length");
}

BOOST_AUTO_TEST_CASE(bytes_behind_the_end_are_refused) {
  for (const char* tail : {"x", "\x1f", "garbage that is longer than a header"}) {
    check_invalid(gzip("hello") + tail, "");
    check_invalid(zstd("hello") + tail, "");
  }
  check_invalid(gzip("hello") + std::string(1, '\0'), "no further gzip member");
  check_invalid(gzip("hello") + std::string(512, '\0'), "no further gzip member");
  check_invalid(gzip("hello") + zstd("hello"), "no further gzip member");
  check_invalid(zstd("hello") + std::string(512, '\0'), "zstd");
  check_invalid(zstd("hello") + gzip("hello"), "zstd");
}

BOOST_AUTO_TEST_CASE(a_window_beyond_128_mib_is_refused) {
  const std::string bytes = sample(1000);
  BOOST_TEST((inflate(zstd(bytes, true, 27)) == bytes));
  check_invalid(zstd(bytes, true, 28), "zstd");
}

BOOST_AUTO_TEST_CASE(what_is_no_layer_is_refused) {
  for (const char* bytes : {"x", "BZh91AY&SY", "\xfd" "7zXZ", "not a tar header"}) {
    BOOST_CHECK_EXCEPTION(inflate(bytes), Error, [](const Error& e) { return e.code() == ErrorCode::unsupported; });
  }
  BOOST_CHECK_EXCEPTION(InflateReader(dir / "missing"), Error, [](const Error& e) { return e.code() == ErrorCode::not_found; });
}

BOOST_AUTO_TEST_CASE(a_bomb_stops_after_its_first_gib) {
  // 128 frames of 16 MiB of zeros each, 2 GiB in about 64 KiB.
  const std::string frame = zstd(std::string(16U << 20U, '\0'));
  std::string bomb;
  for (int i = 0; i < 128; ++i) bomb += frame;
  InflateReader reader(dir.write("layer", bomb));
  std::vector<std::byte> buffer(1U << 20U);
  std::uint64_t total = 0;

  BOOST_CHECK_EXCEPTION(
      for (std::size_t n = 1; n != 0; total += n) n = reader.read(buffer), Error, [](const Error& e) {
        return e.code() == ErrorCode::invalid && std::string_view(e.what()).find("bomb") != std::string_view::npos;
      });
  BOOST_TEST(total == 1U << 30U);
}

BOOST_AUTO_TEST_CASE(the_best_that_deflate_can_do_is_no_bomb) {
  // 1 GiB and a bit of zeros in members of 16 MiB each; deflate reaches 1029:1.
  const std::string member = gzip(std::string(16U << 20U, '\0'), nullptr, 9);
  std::string gz;
  for (int i = 0; i < 65; ++i) gz += member;
  InflateReader reader(dir.write("layer", gz));
  std::vector<std::byte> buffer(1U << 20U);
  std::uint64_t total = 0;
  while (const std::size_t n = reader.read(buffer)) total += n;

  BOOST_TEST(total == 1040ULL << 20U);
  BOOST_TEST(total / gz.size() > 1000U);
}

BOOST_AUTO_TEST_CASE(a_reader_moves) {
  InflateReader one(dir.write("layer", gzip("hello")));
  InflateReader two = std::move(one);
  std::vector<std::byte> buffer(10);
  BOOST_TEST((two.compression() == Compression::gzip));
  BOOST_TEST(two.read(buffer) == 5U);
}

BOOST_AUTO_TEST_SUITE_END()
