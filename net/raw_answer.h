// Reads an answer out of bytes that were left in a socket: for a peer that answered a request before it was sent, and hung up.
#pragma once

#include "net/exchange.h"

#include <string_view>

namespace drover::net {

// Hands head and body (counted or in chunks, as far as they came) to the exchange. False when there is no complete head of status 300
// or above: then nothing but head lines was handed over, and the sink has seen nothing.
bool deliver_raw_refusal(std::string_view bytes, Exchange& exchange);

}  // namespace drover::net
