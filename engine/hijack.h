// Connections that the engine hands over: attach and exec start (Engine API "hijacking").
#pragma once

#include "base/context.h"
#include "engine/client.h"
#include "engine/log_frames.h"
#include "net/raw_stream.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace drover::engine {

struct Hijacked {
  std::unique_ptr<net::RawStream> stream;  // ends before the client's transport
  std::optional<LogFormat> format = {};    // as the engine tells; nothing: the container's or the exec's Tty decides
};

// POST of `path` (after the version: "/containers/ID/attach?stream=1&stdout=1"); a null body is not sent. Throws as Client::post does
// when the engine refuses, unsupported when something between here and the engine does not let the connection go.
Hijacked hijack(const Context& ctx, Client& client, std::string_view path, const nlohmann::json& body);

// Fills the span with what is to be typed, returns how much; 0 ends the input. May block, then it watches the stop of the context that
// it is given: it fires when the other side is done. May throw, which ends the conversation.
using InputSource = std::function<std::size_t(const Context& ctx, std::span<std::byte> space)>;

// Writes the input, on a thread of its own, and ends that side; hands the output to `on_output` as it comes, and returns at its end. An
// empty `input` sends nothing and leaves that side open. A process that ends without reading its input is no failure. Throws
// what input and output throw, and as RawStream and LogFrames do.
void converse(const Context& ctx, net::RawStream& stream, LogFormat format, const InputSource& input, const LogFrames::Handler& on_output);

}  // namespace drover::engine
