#include "engine/hijack.h"

#include "base/error.h"

#include <nlohmann/json.hpp>

#include <array>
#include <exception>
#include <stop_token>
#include <thread>
#include <utility>

namespace drover::engine {
namespace {

constexpr std::size_t piece_bytes = 32 * 1024;  // as docker's client copies

// What fails on the wire is the reader's to judge: a process that has ended takes no more input.
void write_input(const Context& ctx, net::RawStream& stream, const InputSource& input) {
  std::array<std::byte, piece_bytes> space;
  while (const std::size_t size = input(ctx, space)) {
    try {
      stream.write(ctx, std::span(space).first(size));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::network) throw;
      return;
    }
  }
  try {
    stream.end_writing(ctx);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::network) throw;
  }
}

void read_output(const Context& ctx, net::RawStream& stream, LogFrames& frames) {
  std::array<std::byte, piece_bytes> space;
  while (const std::size_t size = stream.read(ctx, space)) frames.feed(std::span(space).first(size));
  frames.finish();
}

}  // namespace

Hijacked hijack(const Context& ctx, Client& client, std::string_view path, const nlohmann::json& body) {
  net::Upgrade upgrade = client.upgrade(ctx, path, body);
  return {.stream = std::move(upgrade.stream), .format = find_log_format(upgrade.head.headers, client.traits(ctx))};
}

void converse(const Context& ctx, net::RawStream& stream, LogFormat format, const InputSource& input, const LogFrames::Handler& on_output) {
  LogFrames frames(format, on_output);
  if (!input) {
    read_output(ctx, stream, frames);
    return;
  }
  std::stop_source stop;
  const std::stop_callback forward(ctx.stop, [&] { stop.request_stop(); });
  Context bounded = ctx;
  bounded.stop = stop.get_token();
  std::exception_ptr input_failure;
  std::exception_ptr output_failure;
  {
    const std::jthread writer([&] {
      try {
        write_input(bounded, stream, input);
      } catch (...) {
        // The reader goes on waiting otherwise. After its end it is this stop that ended the input, and no failure.
        if (!stop.request_stop()) return;
        input_failure = std::current_exception();
      }
    });
    try {
      read_output(bounded, stream, frames);
    } catch (...) {
      output_failure = std::current_exception();
    }
    stop.request_stop();
  }
  if (input_failure) std::rethrow_exception(input_failure);
  if (output_failure) std::rethrow_exception(output_failure);
}

}  // namespace drover::engine
