// Splits an answer of the Docker Engine API that is a stream of JSON objects.
//
// One object a line; lines end in \r\n or \n, or begin with the record separator 0x1e (RFC 7464, API 1.52). Input comes in pieces that
// are cut anywhere. A line that is not a JSON object is handed over as junk and passed over: engines and proxies print such lines.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace drover::engine {

// An engine's longest known object is an inspect answer of some 100 KiB; progress lines are below 1 KiB.
inline constexpr std::size_t stream_object_bytes_max = 1U << 20U;

// Not thread-safe. What the handlers throw comes out of feed() and finish().
class JsonStream {
 public:
  using ObjectHandler = std::function<void(const nlohmann::json&)>;
  using JunkHandler = std::function<void(std::string_view line)>;

  // Either may be empty.
  explicit JsonStream(ObjectHandler on_object, JunkHandler on_junk = {});

  // Throws invalid once a line is longer than stream_object_bytes_max.
  void feed(std::span<const std::byte> bytes);
  // The end of the answer: the last line may lack its end.
  void finish();

 private:
  void end_line(std::string_view line);

  ObjectHandler on_object_;
  JunkHandler on_junk_;
  std::string partial_;  // the line that is not complete yet
};

// Of what an engine says of a failure: 28.5 has the cause at the end, behind names, digests and folders, some 500 bytes.
inline constexpr std::size_t report_bytes_max = 4U << 10U;

// What an object of such a stream says about failure: the text of errorDetail.message, else of error; empty when it reports none.
std::string find_stream_error(const nlohmann::json& object);

}  // namespace drover::engine
