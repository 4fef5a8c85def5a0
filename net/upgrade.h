// Asks a peer to leave HTTP on a connection that was opened for it.
#pragma once

#include "base/context.h"
#include "net/curl_session.h"
#include "net/raw_stream.h"
#include "net/transport.h"

#include <cstdint>
#include <memory>

namespace drover::net {

// As Transport::upgrade(); takes a new session.
Upgrade upgrade_connection(const Context& ctx, std::unique_ptr<CurlSession> session, const Request& request, const SessionSetup& setup,
                           std::uint64_t body_bytes_max);

}  // namespace drover::net
