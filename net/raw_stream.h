// A connection that has left HTTP: bytes both ways, after a request that asked for it (RFC 9110 section 7.8).
#pragma once

#include "base/context.h"
#include "net/transport.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace drover::net {

// One thread may read while another writes. Ends before its Transport does. The destructor closes the connection. Silence has no bound here but the context's deadline:
// a shell that nobody types into is silent, too; peers that vanish are noticed by TCP's keepalive.
class RawStream {
 public:
  virtual ~RawStream() = default;

  // Blocks until something comes; 0 once the peer has ended its side. Throws interrupted (ctx.stop) or network (cut, ctx.deadline).
  virtual std::size_t read(const Context& ctx, std::span<std::byte> space) = 0;
  // Blocks until all of it has left; throws as read() does.
  virtual void write(const Context& ctx, std::span<const std::byte> bytes) = 0;
  // The peer sees the end of its input; it can still be read. No more write() afterwards.
  virtual void end_writing(const Context& ctx) = 0;
};

// What came of asking to leave HTTP.
struct Upgrade {
  ResponseHead head = {};
  std::string body = {};                   // of a refusal
  std::unique_ptr<RawStream> stream = {};  // null: refused
};

}  // namespace drover::net
