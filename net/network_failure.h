// Words for transfers that failed below HTTP: what happened, with whom, and what helps. Never a URL's query, never a credential.
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::net {

// What is known when libcurl has given up.
struct NetworkFailure {
  int curl_code = 0;
  std::string where = {};                       // "ghcr.io:443", or a socket's path
  bool is_request_started = false;         // the connection stood
  bool is_new_tls_connection = false;      // this was its first request
  std::uint64_t received_bytes = 0;        // of the answer's body
  std::optional<std::uint64_t> expected_bytes = {};
  int os_error = 0;                        // errno of the last failed connection attempt
  int proxy_status = 0;                    // a proxy's answer to CONNECT
  long verify_result = 0;                  // OpenSSL's X509_V_ERR_*, 0 if it had no complaint
  std::string detail = {};                      // libcurl's own words; only used for TLS, elsewhere they may name a proxy's password
  std::chrono::milliseconds connect_timeout{0};
  std::optional<std::string> refused_address = {};  // "127.0.0.1 is a loopback address": that is why no connection was tried
};

Error describe(const NetworkFailure& failure);

// Why the peer's certificate was not accepted: expired, not yet valid, another host's, or from an unknown authority.
std::string describe_certificate_refusal(long verify_result, std::string_view detail);

}  // namespace drover::net
