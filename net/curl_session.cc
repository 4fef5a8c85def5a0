#include "net/curl_session.h"

#include "base/error.h"
#include "base/text.h"
#include "net/curl_options.h"
#include "net/network_failure.h"
#include "net/raw_answer.h"
#include "net/request_head.h"
#include "net/tls_half_close.h"

#include <curl/curl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace drover::net {
namespace {

constexpr std::size_t left_over_bytes_max = 128 * 1024;  // a head and an error's text
constexpr long connections_max = 4;                  // a session: a registry, its token server and its storage

template <typename Value>
void set_option(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK) throw Error(ErrorCode::failed, "cannot prepare a transfer: option " + std::to_string(option) + ": " + curl_easy_strerror(code));
}

template <typename Value>
Value info(CURL* easy, CURLINFO what, Value fallback) {
  Value value = fallback;
  return curl_easy_getinfo(easy, what, &value) == CURLE_OK ? value : fallback;
}

class HeaderList {
 public:
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  void add(const std::string& line) {
    curl_slist* longer = curl_slist_append(list_, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

void add_header(HeaderList& list, const std::string& name, const std::string& value) {
  check_header(name, value);
  list.add(value.empty() ? name + ";" : name + ": " + value);
}

// The address that libcurl is about to connect to, as bytes and text.
struct Target {
  std::span<const std::byte> bytes;
  std::uint16_t port = 0;
  std::string text;
};

std::optional<Target> read_target(const curl_sockaddr& address) {
  Target target;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* raw = nullptr;
  if (address.family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&address.addr);
    raw = &in->sin_addr;
    target.bytes = std::span(static_cast<const std::byte*>(raw), 4);
    target.port = ntohs(in->sin_port);
  } else if (address.family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&address.addr);
    raw = &in->sin6_addr;
    target.bytes = std::span(static_cast<const std::byte*>(raw), 16);
    target.port = ntohs(in->sin6_port);
  } else {
    return std::nullopt;
  }
  if (inet_ntop(address.family, raw, text.data(), text.size()) != nullptr) target.text = text.data();
  return target;
}

}  // namespace

// What the callbacks of one transfer reach.
struct CurlTransfer {
  CurlSession& session;
  CURL* easy;
  int socket = -1;  // of the connection that the request goes over
  const Request& request;
  Exchange& exchange;
  HeaderList headers;
  std::array<char, CURL_ERROR_SIZE> detail{};
  std::optional<std::string> refused_address;
  std::string left_over;  // of a connection that was closed while the request was sent
};

namespace {

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  return transfer.exchange.on_header_line({data, size * count}) ? size * count : 0;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  return transfer.exchange.on_body(as_bytes({data, size * count})) ? size * count : 0;
}

bool has_input(int descriptor) {
  pollfd state{descriptor, POLLIN, 0};
  return descriptor >= 0 && poll(&state, 1, 0) > 0;
}

std::size_t on_upload(char* space, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::span<std::byte> bytes(reinterpret_cast<std::byte*>(space), size * count);
  const Exchange::UploadStep step = transfer.exchange.on_upload(bytes, [&] { return has_input(transfer.socket); });
  switch (step.what) {
    case Exchange::Upload::data: return step.bytes;
    case Exchange::Upload::end: return 0;
    case Exchange::Upload::later: return CURL_READFUNC_PAUSE;
    case Exchange::Upload::failed: break;
  }
  return CURL_READFUNC_ABORT;
}

int on_seek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  return offset == 0 && origin == SEEK_SET && transfer.exchange.rewind_upload() ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

int on_request_start(void* self, char*, char*, int peer_port, int local_port) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  transfer.socket = transfer.session.find_socket(local_port, peer_port);
  transfer.exchange.on_request_start();
  return CURL_PREREQFUNC_OK;
}

// Names are resolved by now, so this is where an address can be judged without being fooled.
curl_socket_t on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::optional<Target> target = read_target(*address);
  if (target) {
    // Without a proxy libcurl connects to the URL's own port and to no other, so another port is a proxy's, which the user named.
    const bool is_proxy = transfer.request.use_proxy && target->port != transfer.request.url.port;
    const auto refusal = find_address_refusal(target->bytes, is_proxy ? AddressPolicy::any : transfer.request.addresses);
    if (refusal) {
      transfer.refused_address = target->text + " is a " + std::string(*refusal) + " address";
      return CURL_SOCKET_BAD;
    }
  } else if (address->family != AF_UNIX || transfer.request.unix_socket.empty()) {
    return CURL_SOCKET_BAD;
  }
  const int descriptor = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (descriptor >= 0) transfer.session.add_socket(descriptor);
  return descriptor;
}

// Comes when a connection ends, long after the transfer that opened it.
int on_close_socket(void* self, curl_socket_t descriptor) {
  static_cast<CurlSession*>(self)->remove_socket(descriptor);
  return close(descriptor);
}

int port_of(const sockaddr_storage& name) {
  if (name.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(name).sin_port);
  if (name.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(name).sin6_port);
  return 0;
}

void lock_share(CURL*, curl_lock_data kind, curl_lock_access, void* self) { static_cast<CurlShare*>(self)->mutex(kind).lock(); }

void unlock_share(CURL*, curl_lock_data kind, void* self) { static_cast<CurlShare*>(self)->mutex(kind).unlock(); }

}  // namespace

CurlShare::CurlShare() : share_(curl_share_init()) {
  static_assert(CURL_LOCK_DATA_LAST <= 8);
  if (share_ == nullptr) throw std::bad_alloc();
  curl_share_setopt(share_, CURLSHOPT_LOCKFUNC, lock_share);
  curl_share_setopt(share_, CURLSHOPT_UNLOCKFUNC, unlock_share);
  curl_share_setopt(share_, CURLSHOPT_USERDATA, this);
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

CurlShare::~CurlShare() { curl_share_cleanup(share_); }

CurlSession::CurlSession(CurlShare& share) : easy_(curl_easy_init()), multi_(curl_multi_init()) {
  if (easy_ == nullptr || multi_ == nullptr || curl_easy_setopt(easy_, CURLOPT_SHARE, share.get()) != CURLE_OK) {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
    throw std::bad_alloc();
  }
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections_max);
}

CurlSession::~CurlSession() {
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(multi_);
}

int CurlSession::find_socket(int local_port, int peer_port) const {
  for (auto descriptor = sockets_.rbegin(); descriptor != sockets_.rend(); ++descriptor) {
    sockaddr_storage local{};
    sockaddr_storage peer{};
    socklen_t local_size = sizeof local;
    socklen_t peer_size = sizeof peer;
    if (getsockname(*descriptor, reinterpret_cast<sockaddr*>(&local), &local_size) != 0) continue;
    if (local.ss_family == AF_UNIX) return *descriptor;
    if (getpeername(*descriptor, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) continue;
    if (port_of(local) == local_port && port_of(peer) == peer_port) return *descriptor;
  }
  return -1;
}

bool CurlSession::knows(const std::string& origin) const { return std::find(origins_.begin(), origins_.end(), origin) != origins_.end(); }

void CurlSession::remember(const std::string& origin) {
  std::erase(origins_, origin);
  origins_.push_back(origin);
  if (origins_.size() > connections_max) origins_.erase(origins_.begin());
}

void CurlSession::remove_socket(int descriptor) {
  std::erase(sockets_, descriptor);
  // libcurl gives up on a connection that takes no more of the request without reading what came over it. Encrypted it is of no use.
  if (transfer_ == nullptr || transfer_->socket != descriptor || transfer_->request.url.scheme != "http") return;
  if (!transfer_->exchange.has_upload() || transfer_->exchange.has_head_bytes()) return;
  transfer_->left_over.resize(left_over_bytes_max);
  std::size_t size = 0;
  ssize_t count = 0;
  while (size < left_over_bytes_max &&
         (count = recv(descriptor, transfer_->left_over.data() + size, left_over_bytes_max - size, MSG_DONTWAIT)) > 0) {
    size += static_cast<std::size_t>(count);
  }
  transfer_->left_over.resize(size);
}

namespace {

std::string system_path(CURLINFO what) {
  const std::unique_ptr<CURL, void (*)(CURL*)> easy(curl_easy_init(), curl_easy_cleanup);
  const char* path = easy ? info<char*>(easy.get(), what, nullptr) : nullptr;
  return path == nullptr ? "" : path;
}

}  // namespace

std::string CurlSession::system_ca_file() { return system_path(CURLINFO_CAINFO); }

std::string CurlSession::system_ca_folder() { return system_path(CURLINFO_CAPATH); }

namespace {

void configure_headers(CURL* easy, const Request& request, const SessionSetup& setup, HeaderList& list) {
  for (const auto& [name, value] : request.headers.list()) add_header(list, name, value);
  if (!request.headers.find("accept-encoding")) list.add("Accept-Encoding: identity");
  // Registries' proxies answer 417 to it or let a second pass; an early refusal is noticed without.
  list.add("Expect:");
  set_option(easy, CURLOPT_HTTPHEADER, list.get());
  if (!request.headers.find("user-agent")) set_option(easy, CURLOPT_USERAGENT, setup.user_agent.c_str());
}

void configure_method(CURL* easy, const Request& request, const Exchange& exchange) {
  if (!is_token(request.method) || request.method.size() > 32) throw Error(ErrorCode::invalid, "not a request method: " + printable(request.method, 40));
  const bool announces_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (exchange.has_upload() || announces_body) {
    set_option(easy, CURLOPT_UPLOAD, 1L);
    const std::optional<std::uint64_t> bytes = exchange.upload_bytes();
    set_option(easy, CURLOPT_INFILESIZE_LARGE, bytes ? static_cast<curl_off_t>(*bytes) : curl_off_t{-1});
  } else if (request.method == "HEAD") {
    set_option(easy, CURLOPT_NOBODY, 1L);
  } else {
    set_option(easy, CURLOPT_HTTPGET, 1L);
  }
  if (request.method != "GET" || exchange.has_upload()) {
    if (request.method != "HEAD" || exchange.has_upload()) set_option(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

}  // namespace

void CurlSession::configure(const Request& request, const SessionSetup& setup, CurlTransfer& transfer) {
  curl_easy_reset(easy_);  // keeps connections, caches and the share
  set_option(easy_, CURLOPT_URL, request.url.to_string().c_str());
  configure_connection(easy_, request);
  configure_tls(easy_, request, setup.authorities);
  configure_headers(easy_, request, setup, transfer.headers);
  configure_method(easy_, request, transfer.exchange);

  set_option(easy_, CURLOPT_ERRORBUFFER, transfer.detail.data());
  set_option(easy_, CURLOPT_HEADERFUNCTION, &on_header);
  set_option(easy_, CURLOPT_HEADERDATA, &transfer);
  set_option(easy_, CURLOPT_WRITEFUNCTION, &on_body);
  set_option(easy_, CURLOPT_WRITEDATA, &transfer);
  set_option(easy_, CURLOPT_READFUNCTION, &on_upload);
  set_option(easy_, CURLOPT_READDATA, &transfer);
  set_option(easy_, CURLOPT_SEEKFUNCTION, &on_seek);
  set_option(easy_, CURLOPT_SEEKDATA, &transfer);
  set_option(easy_, CURLOPT_PREREQFUNCTION, &on_request_start);
  set_option(easy_, CURLOPT_PREREQDATA, &transfer);
  set_option(easy_, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
  set_option(easy_, CURLOPT_OPENSOCKETDATA, &transfer);
  set_option(easy_, CURLOPT_CLOSESOCKETFUNCTION, &on_close_socket);
  set_option(easy_, CURLOPT_CLOSESOCKETDATA, this);
}

namespace {

NetworkFailure failure_of(int code, const CurlTransfer& transfer, const SessionSetup& setup) {
  const Request& request = transfer.request;
  const Exchange& exchange = transfer.exchange;
  CURL* const easy = transfer.easy;
  return {.curl_code = code,
          .where = setup.where,
          .is_request_started = exchange.is_started(),
          .is_new_tls_connection = request.url.scheme == "https" && info<long>(easy, CURLINFO_NUM_CONNECTS, 0) > 0,
          .received_bytes = exchange.received_bytes(),
          .expected_bytes = exchange.has_head() ? exchange.head().content_length : std::nullopt,
          .os_error = static_cast<int>(info<long>(easy, CURLINFO_OS_ERRNO, 0)),
          .proxy_status = static_cast<int>(info<long>(easy, CURLINFO_HTTP_CONNECTCODE, 0)),
          .verify_result = info<long>(easy, CURLINFO_SSL_VERIFYRESULT, 0),
          .detail = transfer.detail.data(),
          .connect_timeout = request.timeouts.connect,
          .refused_address = transfer.refused_address};
}

// For the exchange of a connection over which libcurl sends nothing.
class NoAnswer final : public ResponseSink {
 public:
  bool on_head(const ResponseHead&) override { return false; }
  bool on_body(std::span<const std::byte>) override { return false; }
};

}  // namespace

int CurlSession::drive(const Context& ctx, CurlTransfer& transfer) {
  const std::stop_callback wake(ctx.stop, [multi = multi_] { curl_multi_wakeup(multi); });
  while (true) {
    int running = 0;
    if (const CURLMcode code = curl_multi_perform(multi_, &running); code != CURLM_OK) {
      throw Error(ErrorCode::failed, std::string("cannot run a transfer: ") + curl_multi_strerror(code));
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    ctx.check_stop();

    const auto uploaded = info<curl_off_t>(easy_, CURLINFO_SIZE_UPLOAD_T, 0);
    const std::chrono::milliseconds wait = transfer.exchange.check_time(static_cast<std::uint64_t>(std::max<curl_off_t>(uploaded, 0)));
    if (transfer.exchange.is_upload_held()) {
      // What had come was read by the turn above; if it did not end the request, sending goes on, or, where it was a refusal's head, the
      // rest of that is waited for: libcurl stops sending of itself only if the peer did not say that it will close.
      if (transfer.exchange.has_early_refusal()) curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait.count()), nullptr);
      transfer.exchange.resume_upload();
      curl_easy_pause(easy_, CURLPAUSE_CONT);
      continue;
    }
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(ctx.time_left(wait).count()), nullptr);
  }
}

void CurlSession::run(const Context& ctx, const Request& request, const SessionSetup& setup, Exchange& exchange) {
  CurlTransfer transfer{.session = *this, .easy = easy_, .request = request, .exchange = exchange, .headers = {}, .detail = {}, .refused_address = {}, .left_over = {}};
  reusable_ = false;
  configure(request, setup, transfer);
  if (curl_multi_add_handle(multi_, easy_) != CURLM_OK) throw Error(ErrorCode::failed, "cannot start a transfer");
  transfer_ = &transfer;
  struct Detach {
    CurlSession& session;
    ~Detach() {
      curl_multi_remove_handle(session.multi_, session.easy_);
      session.forget_transfer();
      session.transfer_ = nullptr;
    }
  } const detach{*this};

  const int code = drive(ctx, transfer);
  if (exchange.failure()) std::rethrow_exception(exchange.failure());
  // libcurl 7.88 keeps a connection on which sending a request failed, and a buffer when there never was one.
  reusable_ = exchange.is_started() && code != CURLE_SEND_ERROR;
  if (exchange.is_enough() || exchange.is_draining()) return;
  if (code == CURLE_OK && exchange.has_head()) return;
  // The peer answered, did not wait for the rest and hung up.
  if (code == CURLE_SEND_ERROR && exchange.has_early_refusal()) return;
  if (code == CURLE_SEND_ERROR && !exchange.has_head_bytes() && deliver_raw_refusal(transfer.left_over, exchange)) {
    if (exchange.failure()) std::rethrow_exception(exchange.failure());
    return;
  }

  // An end in the middle of the head is fine with libcurl.
  throw describe(failure_of(code == CURLE_OK ? CURLE_GOT_NOTHING : code, transfer, setup));
}

void CurlSession::connect(const Context& ctx, const Request& request, const SessionSetup& setup) {
  NoAnswer sink;
  Exchange exchange(request, sink, setup.where);
  CurlTransfer transfer{.session = *this, .easy = easy_, .request = request, .exchange = exchange, .headers = {}, .detail = {}, .refused_address = {}, .left_over = {}};
  reusable_ = false;
  // libcurl finds the connection only as long as the handle stays here; one that did not come to be is taken down while the transfer lives.
  struct LetGo {
    CurlSession& session;
    bool is_connected = false;
    ~LetGo() {
      if (!is_connected) curl_multi_remove_handle(session.multi_, session.easy_);
      session.forget_transfer();
    }
  } let_go{*this};
  configure(request, setup, transfer);
  set_option(easy_, CURLOPT_CONNECT_ONLY, 1L);
  // A proxy that is asked for a plain http URL would read what comes over the connection.
  set_option(easy_, CURLOPT_HTTPPROXYTUNNEL, 1L);
  if (curl_multi_add_handle(multi_, easy_) != CURLM_OK) throw Error(ErrorCode::failed, "cannot start a connection");
  const int code = drive(ctx, transfer);
  if (code != CURLE_OK) throw describe(failure_of(code, transfer, setup));
  let_go.is_connected = true;
  where_ = setup.where;
}

// What libcurl may still use of it afterwards: to tell what is wrong with a connection that it reads, writes or closes, and to open one.
void CurlSession::forget_transfer() noexcept {
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, nullptr);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, nullptr);
}

int CurlSession::descriptor() const { return info<curl_socket_t>(easy_, CURLINFO_ACTIVESOCKET, CURL_SOCKET_BAD); }

std::optional<std::size_t> CurlSession::try_receive(std::span<std::byte> space) {
  std::size_t count = 0;
  const CURLcode code = curl_easy_recv(easy_, space.data(), space.size(), &count);
  if (code == CURLE_AGAIN) return std::nullopt;
  if (code != CURLE_OK) throw Error(ErrorCode::network, where_ + " cut the connection");
  return count;
}

std::size_t CurlSession::try_send(std::span<const std::byte> bytes) {
  const PipeSignalGuard guard;
  std::size_t count = 0;
  const CURLcode code = curl_easy_send(easy_, bytes.data(), bytes.size(), &count);
  if (code != CURLE_OK && code != CURLE_AGAIN) throw Error(ErrorCode::network, where_ + " cut the connection");
  return count;
}

bool CurlSession::try_end_sending() {
  const curl_tlssessioninfo* const tls = info<curl_tlssessioninfo*>(easy_, CURLINFO_TLS_SSL_PTR, nullptr);
  if (tls == nullptr || tls->internals == nullptr) {
    if (shutdown(descriptor(), SHUT_WR) != 0 && errno != ENOTCONN) throw Error(ErrorCode::network, where_ + " cut the connection");
    return true;
  }
  if (tls->backend != CURLSSLBACKEND_OPENSSL) {
    throw Error(ErrorCode::unsupported, "cannot end one direction of a TLS connection with this libcurl: it is not built with OpenSSL");
  }
  const PipeSignalGuard guard;
  return end_tls_sending(tls->internals);
}

}  // namespace drover::net
