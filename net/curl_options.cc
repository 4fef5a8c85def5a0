#include "net/curl_options.h"

#include "base/error.h"

#include <curl/curl.h>

#include <string>

namespace drover::net {
namespace {

constexpr long receive_buffer_bytes = 512 * 1024;  // 16 KiB costs 14 % more wall time over plain HTTP
constexpr long send_buffer_bytes = 256 * 1024;
// One TLS record: between two of them is the chance to see that the peer has answered, before writing on loses the answer.
constexpr long tls_send_buffer_bytes = 16 * 1024;
constexpr long keepalive_idle_seconds = 30;
constexpr long keepalive_interval_seconds = 10;

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK) throw Error(ErrorCode::failed, "cannot prepare a transfer: option " + std::to_string(option) + ": " + curl_easy_strerror(code));
}

}  // namespace

void configure_connection(void* easy, const Request& request) {
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(request.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_BUFFERSIZE, receive_buffer_bytes);
  set(easy, CURLOPT_UPLOAD_BUFFERSIZE, request.url.scheme == "https" ? tls_send_buffer_bytes : send_buffer_bytes);
  set(easy, CURLOPT_TCP_NODELAY, 1L);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_TCP_KEEPIDLE, keepalive_idle_seconds);
  set(easy, CURLOPT_TCP_KEEPINTVL, keepalive_interval_seconds);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeouts.connect.count()));
  // A resolver thread that hangs must not hold up a stop; it ends on its own.
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  if (!request.unix_socket.empty()) set(easy, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
  if (!request.use_proxy || !request.unix_socket.empty()) set(easy, CURLOPT_NOPROXY, "*");
}

void configure_tls(void* easy, const Request& request, const TrustedAuthorities& authorities) {
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy, CURLOPT_SSL_VERIFYPEER, request.tls.verify ? 1L : 0L);
  set(easy, CURLOPT_SSL_VERIFYHOST, request.tls.verify ? 2L : 0L);
  const auto path = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
  set(easy, CURLOPT_CAPATH, path(authorities.folder));
  set(easy, CURLOPT_CAINFO, path(authorities.file));
  if (authorities.pem) {
    // libcurl promises not to write to it.
    curl_blob blob{const_cast<char*>(authorities.pem->data()), authorities.pem->size(), CURL_BLOB_NOCOPY};
    set(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (!request.tls.client_cert.empty()) set(easy, CURLOPT_SSLCERT, request.tls.client_cert.c_str());
  if (!request.tls.client_key.empty()) set(easy, CURLOPT_SSLKEY, request.tls.client_key.c_str());
}

}  // namespace drover::net
