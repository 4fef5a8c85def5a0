// What libcurl is told about the connection of a request, whatever goes over it afterwards.
#pragma once

#include "net/ca_bundle.h"
#include "net/transport.h"

namespace drover::net {

// `easy` is a CURL handle. Both throw failed when libcurl does not take an option.
void configure_connection(void* easy, const Request& request);
void configure_tls(void* easy, const Request& request, const TrustedAuthorities& authorities);

}  // namespace drover::net
