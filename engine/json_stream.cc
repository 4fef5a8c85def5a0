#include "engine/json_stream.h"

#include "base/error.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace drover::engine {

JsonStream::JsonStream(ObjectHandler on_object, JunkHandler on_junk)
    : on_object_(std::move(on_object)), on_junk_(std::move(on_junk)) {}

void JsonStream::feed(std::span<const std::byte> bytes) {
  constexpr std::string_view line_ends = "\r\n\x1e";
  std::string_view text = as_text(bytes);
  for (std::size_t end = text.find_first_of(line_ends); end != std::string_view::npos; end = text.find_first_of(line_ends)) {
    if (partial_.size() + end > stream_object_bytes_max) break;
    if (partial_.empty()) {
      end_line(text.substr(0, end));
    } else {
      partial_ += text.substr(0, end);
      end_line(std::exchange(partial_, {}));
    }
    text.remove_prefix(end + 1);
  }
  if (partial_.size() + text.size() > stream_object_bytes_max) {
    throw Error(ErrorCode::invalid, "the engine sent a line of more than " + format_bytes(stream_object_bytes_max));
  }
  partial_ += text;
}

void JsonStream::finish() { end_line(std::exchange(partial_, {})); }

void JsonStream::end_line(std::string_view line) {
  line = trim(line);
  if (line.empty()) return;
  const nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
  if (object.is_object()) {
    if (on_object_) on_object_(object);
  } else if (on_junk_) {
    on_junk_(line);
  }
}

std::string find_stream_error(const nlohmann::json& object) {
  if (!object.is_object()) return {};
  const auto detail = object.find("errorDetail");
  if (detail != object.end() && detail->is_object()) {
    const auto message = detail->find("message");
    if (message != detail->end() && message->is_string() && !message->get_ref<const std::string&>().empty()) {
      return message->get<std::string>();
    }
  }
  const auto error = object.find("error");
  const bool has_text = error != object.end() && error->is_string() && !error->get_ref<const std::string&>().empty();
  if (has_text) return error->get<std::string>();
  const bool has_detail = detail != object.end() && !detail->is_null();
  return has_detail ? "an error without a message" : std::string();
}

}  // namespace drover::engine
