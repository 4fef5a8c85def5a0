#include "engine/log_frames.h"

#include "base/error.h"
#include "base/text.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <vector>

using namespace drover;
using engine::LogFormat;
using engine::LogFrames;
using engine::OutputStream;

BOOST_AUTO_TEST_SUITE(log_frames)

namespace {

std::string frame(char stream, std::string_view payload) {
  std::string out{stream, 0, 0, 0};
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(payload.size() >> shift & 0xffU);
  return out.append(payload);
}

// Neighbouring pieces of one stream count as one.
std::string read(std::string_view bytes, std::size_t piece, LogFormat format = LogFormat::frames) {
  std::string seen;
  char last = 0;
  LogFrames frames(format, [&](OutputStream stream, std::span<const std::byte> payload) {
    const char name = "ioe"[static_cast<int>(stream)];
    if (name != last) seen.append(1, '<').append(1, name).append(1, '>');
    last = name;
    seen += as_text(payload);
  });
  for (std::size_t at = 0; at < bytes.size(); at += piece) frames.feed(as_bytes(bytes.substr(at, piece)));
  frames.finish();
  return seen;
}

ErrorCode code_of(std::string_view bytes, std::size_t piece = 3) {
  try {
    read(bytes, piece);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::failed;
}

}  // namespace

BOOST_DATA_TEST_CASE(frames_may_be_cut_anywhere, boost::unit_test::data::make({1, 2, 3, 7, 8, 9, 13, 1000}), piece) {
  const std::string bytes = frame(1, "hello\n") + frame(2, "oh") + frame(2, "") + frame(2, " no\n") + frame(0, "typed") + frame(1, std::string(300, 'x'));

  BOOST_TEST(read(bytes, static_cast<std::size_t>(piece)) == "<o>hello\n<e>oh no\n<i>typed<o>" + std::string(300, 'x'));
}

BOOST_AUTO_TEST_CASE(a_frame_of_four_gigabytes_costs_no_memory) {
  std::uint64_t seen = 0;
  LogFrames frames(LogFormat::frames, [&](OutputStream, std::span<const std::byte> payload) { seen += payload.size(); });
  frames.feed(as_bytes(std::string_view("\x01\0\0\0\xff\xff\xff\xff", 8)));
  frames.feed(as_bytes(std::string(1000, 'x')));

  BOOST_TEST(seen == 1000U);
  BOOST_CHECK_THROW(frames.finish(), Error);
}

BOOST_AUTO_TEST_CASE(a_terminals_bytes_are_passed_on) {
  BOOST_TEST(read(frame(1, "a") + "b", 4, LogFormat::raw) == "<o>" + frame(1, "a") + "b");
  BOOST_TEST(read("", 1, LogFormat::raw).empty());
}

BOOST_AUTO_TEST_CASE(an_end_in_the_middle_is_a_cut) {
  const std::string bytes = frame(1, "hello");

  BOOST_TEST(read("", 1).empty());
  for (std::size_t size = 1; size < bytes.size(); ++size) BOOST_TEST((code_of(bytes.substr(0, size)) == ErrorCode::network), "after " << size);
}

BOOST_AUTO_TEST_CASE(what_is_not_in_frames_is_refused) {
  BOOST_TEST((code_of("hello world") == ErrorCode::invalid));
  BOOST_TEST((code_of(std::string("\x01\x01\0\0\0\0\0\x01x", 9)) == ErrorCode::invalid));
  BOOST_TEST((code_of(frame(4, "x")) == ErrorCode::invalid));
}

BOOST_AUTO_TEST_CASE(the_engines_own_words_are_a_failure_in_bounds) {
  try {
    read(frame(1, "a") + frame(3, "error from daemon\n") + frame(3, std::string(100'000, 'y')), 5);
    BOOST_FAIL("accepted");
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::engine));
    BOOST_TEST(std::string(error.what()).starts_with("the engine gave up the output: error from daemon"));
    BOOST_TEST(std::string(error.what()).size() < 600U);
  }
}

struct TypeRow {
  const char* type;
  engine::EngineTraits traits;
  const char* format;
};

std::ostream& operator<<(std::ostream& out, const TypeRow& row) { return out << row.type << " of " << row.traits.spoken.to_string(); }

constexpr engine::EngineTraits old{.spoken = {1, 41}, .newest = {1, 41}};
constexpr engine::EngineTraits pinned{.spoken = {1, 41}, .newest = {1, 51}};
constexpr engine::EngineTraits recent{.spoken = {1, 45}, .newest = {1, 45}};
constexpr engine::EngineTraits podman{.product = engine::Product::podman, .spoken = {1, 44}, .newest = {1, 44}};

const TypeRow types[] = {
    {"application/vnd.docker.multiplexed-stream", recent, "frames"},
    {"Application/vnd.docker.raw-stream; charset=x", recent, "raw"},
    {"text/plain", recent, "untold"},
    {"", recent, "untold"},
    {"application/vnd.docker.raw-stream", old, "untold"},
    {"application/vnd.docker.raw-stream", pinned, "untold"},
    {"application/vnd.docker.raw-stream", podman, "untold"},
};

BOOST_DATA_TEST_CASE(the_format_is_told_by_those_who_can, boost::unit_test::data::make(types), row) {
  net::Headers headers;
  if (row.type[0] != 0) headers.add("Content-Type", row.type);

  const std::optional<LogFormat> format = engine::find_log_format(headers, row.traits);

  BOOST_TEST(std::string(!format ? "untold" : *format == LogFormat::raw ? "raw" : "frames") == row.format);
}

BOOST_AUTO_TEST_SUITE_END()
