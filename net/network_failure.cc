#include "net/network_failure.h"

#include "base/text.h"

#include <curl/curl.h>

#include <system_error>

namespace drover::net {
namespace {

// OpenSSL's verification results, openssl/x509_vfy.h: stable numbers.
enum VerifyResult : long {
  verify_no_issuer = 2,
  verify_not_yet_valid = 9,
  verify_expired = 10,
  verify_self_signed = 18,
  verify_self_signed_in_chain = 19,
  verify_no_local_issuer = 20,
  verify_no_first_signature = 21,
  verify_wrong_host = 62,
  verify_wrong_address = 64,
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string amount(const NetworkFailure& failure) {
  std::string text = std::to_string(failure.received_bytes);
  if (failure.expected_bytes) text += " of " + std::to_string(*failure.expected_bytes);
  return text + " bytes";
}

std::string reason(int os_error) {
  return os_error == 0 ? std::string() : ": " + to_lower(std::generic_category().message(os_error));
}

std::string describe_handshake(const NetworkFailure& failure) {
  const std::string_view detail = failure.detail;
  const std::string start = "TLS handshake with " + failure.where + " failed: ";
  if (has(detail, "wrong version number") || has(detail, "http request") || has(detail, "packet length too long")) {
    return start + "it does not speak TLS on that port; if it is meant to be plain HTTP, allow it with --insecure-registry";
  }
  if (has(detail, "protocol version") || has(detail, "unsupported protocol")) return start + "it offers nothing newer than TLS 1.1";
  if (has(detail, "certificate required") || has(detail, "bad certificate") || has(detail, "alert handshake failure")) {
    return start + "it wants a client certificate, or refuses the given one";
  }
  return start + (detail.empty() ? "the connection was closed" : printable(detail, 200));
}

// TLS 1.3 lets a client finish its handshake before the server looks at its certificate, and the alert may be lost in a reset.
bool is_cut_after_handshake(const NetworkFailure& failure) {
  return failure.is_new_tls_connection && failure.is_request_started && failure.received_bytes == 0 && !failure.expected_bytes;
}

std::string describe_cut(const NetworkFailure& failure) {
  if (has(failure.detail, "SSL routines") && has(failure.detail, "alert")) return describe_handshake(failure);
  if (failure.proxy_status >= 300) {
    return "the proxy does not connect to " + failure.where + ": it answered " + std::to_string(failure.proxy_status);
  }
  if (is_cut_after_handshake(failure)) return failure.where + " cut the connection after the TLS handshake; it may want a client certificate";
  if (!failure.is_request_started) return "connection to " + failure.where + " was cut before the request was sent";
  if (failure.received_bytes == 0 && !failure.expected_bytes) return failure.where + " cut the connection before an answer was complete";
  return failure.where + " cut the connection after " + amount(failure);
}

std::string describe_text(const NetworkFailure& failure) {
  const std::string& where = failure.where;
  if (failure.refused_address) {
    return "refused to connect to " + where + ": " + *failure.refused_address;
  }
  switch (failure.curl_code) {
    case CURLE_COULDNT_RESOLVE_HOST: return "cannot connect to " + where + ": the name has no address; check its spelling and the DNS";
    case CURLE_COULDNT_RESOLVE_PROXY: return "cannot connect to " + where + ": the proxy's name has no address; check HTTPS_PROXY and HTTP_PROXY";
    case CURLE_COULDNT_CONNECT: return "cannot connect to " + where + reason(failure.os_error);
    case CURLE_OPERATION_TIMEDOUT:
      return "cannot connect to " + where + ": no answer within " + format_seconds(static_cast<double>(failure.connect_timeout.count()) / 1000);
    case CURLE_GOT_NOTHING: return where + " closed the connection without an answer";
    case CURLE_PARTIAL_FILE: return where + " closed the connection after " + amount(failure);
    case CURLE_RECV_ERROR: return describe_cut(failure);
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
      if (has(failure.detail, "SSL routines")) return describe_handshake(failure);
      if (is_cut_after_handshake(failure)) return where + " cut the connection after the TLS handshake; it may want a client certificate";
      return where + " cut the connection while the request was sent";
    case CURLE_PEER_FAILED_VERIFICATION:
      return "cannot trust " + where + ": " + describe_certificate_refusal(failure.verify_result, failure.detail);
    case CURLE_SSL_CERTPROBLEM: return "cannot use the client certificate for " + where + ": " + printable(failure.detail, 200);
    case CURLE_SSL_CACERT_BADFILE: return "cannot use the CA certificates for " + where + ": they are missing or damaged";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER: return describe_handshake(failure);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY: return where + " does not speak HTTP as this program knows it";
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return where + " broke off the HTTP/2 stream after " + amount(failure);
    case CURLE_PROXY: return "the proxy does not connect to " + where;
    default: return "transfer with " + where + " failed: " + to_lower(curl_easy_strerror(static_cast<CURLcode>(failure.curl_code)));
  }
}

}  // namespace

std::string describe_certificate_refusal(long verify_result, std::string_view detail) {
  // libcurl compares names itself, after OpenSSL was content.
  if (has(detail, "subject name")) return "its certificate is for another host name";
  switch (verify_result) {
    case verify_expired: return "its certificate has expired; renew it there, or check this machine's clock";
    case verify_not_yet_valid: return "its certificate is not yet valid; check this machine's clock";
    case verify_no_issuer:
    case verify_self_signed:
    case verify_self_signed_in_chain:
    case verify_no_local_issuer:
    case verify_no_first_signature: return "its certificate comes from an authority that is unknown here; name that authority's file with --cacert";
    case verify_wrong_host:
    case verify_wrong_address: return "its certificate is for another host name";
    default: return "its certificate was refused (" + printable(detail, 200) + ")";
  }
}

Error describe(const NetworkFailure& failure) {
  Error error(ErrorCode::network, describe_text(failure));
  const int code = failure.curl_code;
  error.is_final = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE;
  return error;
}

}  // namespace drover::net
