// How fast does a layer become plain, by ISA-L and by libzstd as drover uses them, beside zlib? And how fast does tar wrap it again?
// The bytes are this machine's programs in /usr/bin: what most of a layer is.
#include "base/file.h"
#include "store/inflate.h"
#include "store/layer_digests.h"
#include "store/tar_writer.h"

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

constexpr std::size_t plain_bytes = 64U << 20U;
constexpr std::size_t piece_bytes = 256U << 10U;

std::string plain_text() {
  std::vector<std::filesystem::path> programs;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/bin")) {
    if (entry.is_regular_file() && !entry.is_symlink()) programs.push_back(entry.path());
  }
  std::sort(programs.begin(), programs.end());
  std::string text;
  for (std::size_t i = 0; text.size() < plain_bytes && !programs.empty(); i = (i + 1) % programs.size()) {
    std::ifstream file(programs[i], std::ios::binary);
    text.append(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  text.resize(plain_bytes);
  return text;
}

std::string gzip(const std::string& plain) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
  return out;
}

// Files of the same bytes, made once; in the page cache from then on.
struct Files {
  Files() {
    const std::string plain = plain_text();
    std::ofstream(folder / "gz", std::ios::binary) << gzip(plain);
    std::ofstream(folder / "zst", std::ios::binary) << zstd(plain);
  }
  ~Files() { std::filesystem::remove_all(folder); }

  std::filesystem::path folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "drover-bench.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    return std::filesystem::path(name);
  }();
};

const Files& files() {
  static const Files made;
  return made;
}

void count(benchmark::State& state) { state.SetBytesProcessed(static_cast<std::int64_t>(plain_bytes) * state.iterations()); }

void inflate_file(benchmark::State& state, const char* name) {
  const std::filesystem::path file = files().folder / name;
  std::vector<std::byte> buffer(piece_bytes);
  for (auto _ : state) {
    drover::store::InflateReader reader(file);
    std::size_t total = 0;
    for (std::size_t got = reader.read(buffer); got > 0; got = reader.read(buffer)) total += got;
    if (total != plain_bytes) state.SkipWithError("wrong length");
  }
  count(state);
}

void drover_gzip(benchmark::State& state) { inflate_file(state, "gz"); }
void drover_zstd(benchmark::State& state) { inflate_file(state, "zst"); }

void zlib_gzip(benchmark::State& state) {
  const std::string file = (files().folder / "gz").string();
  std::vector<char> buffer(piece_bytes);
  for (auto _ : state) {
    gzFile in = gzopen(file.c_str(), "rb");
    gzbuffer(in, static_cast<unsigned>(piece_bytes));
    std::size_t total = 0;
    for (int got = gzread(in, buffer.data(), static_cast<unsigned>(buffer.size())); got > 0; got = gzread(in, buffer.data(), static_cast<unsigned>(buffer.size()))) {
      total += static_cast<std::size_t>(got);
    }
    gzclose(in);
    if (total != plain_bytes) state.SkipWithError("wrong length");
  }
  count(state);
}

// What it takes to know a layer: inflated, the file's digest and the diff ID.
void drover_gzip_and_both_digests(benchmark::State& state) {
  const std::filesystem::path file = files().folder / "gz";
  for (auto _ : state) benchmark::DoNotOptimize(drover::store::read_layer_digests(drover::Context{}, file));
  count(state);
}

struct Evp {
  Evp() { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
  ~Evp() { EVP_MD_CTX_free(context); }
  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

void zlib_gzip_and_two_evp(benchmark::State& state) {
  const std::string blob = drover::read_file(files().folder / "gz", plain_bytes);
  std::vector<unsigned char> out(piece_bytes);
  for (auto _ : state) {
    Evp blob_digest;
    Evp diff_id;
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    std::size_t at = 0;
    int result = Z_OK;
    while (result == Z_OK) {
      if (stream.avail_in == 0) {
        const std::size_t n = std::min(piece_bytes, blob.size() - at);
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(blob.data() + at));
        stream.avail_in = static_cast<uInt>(n);
        EVP_DigestUpdate(blob_digest.context, blob.data() + at, n);
        at += n;
      }
      stream.next_out = out.data();
      stream.avail_out = static_cast<uInt>(out.size());
      result = ::inflate(&stream, Z_NO_FLUSH);
      EVP_DigestUpdate(diff_id.context, out.data(), out.size() - stream.avail_out);
    }
    if (stream.total_out != plain_bytes) state.SkipWithError("wrong length");
    inflateEnd(&stream);
  }
  count(state);
}

void tar_of_small_files(benchmark::State& state) {
  constexpr std::size_t number = 1000;
  const std::string text(4096, 'x');
  for (auto _ : state) {
    std::size_t out = 0;
    drover::store::TarWriter writer([&](std::span<const std::byte> bytes) { out += bytes.size(); });
    for (std::size_t i = 0; i < number; ++i) writer.add("blobs/sha256/" + std::to_string(i), text);
    writer.finish();
    benchmark::DoNotOptimize(out);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(number) * state.iterations());
}

}  // namespace

BENCHMARK(drover_gzip)->Unit(benchmark::kMillisecond);
BENCHMARK(zlib_gzip)->Unit(benchmark::kMillisecond);
BENCHMARK(drover_gzip_and_both_digests)->Unit(benchmark::kMillisecond);
BENCHMARK(zlib_gzip_and_two_evp)->Unit(benchmark::kMillisecond);
BENCHMARK(drover_zstd)->Unit(benchmark::kMillisecond);
BENCHMARK(tar_of_small_files)->Unit(benchmark::kMillisecond);
BENCHMARK_MAIN();
