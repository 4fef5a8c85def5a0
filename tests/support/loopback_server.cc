#include "tests/support/loopback_server.h"

#include "base/text.h"
#include "tests/support/loopback_stream.h"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <list>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace drover::test {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t head_bytes_max = 256 * 1024;
constexpr std::size_t write_bytes = 256 * 1024;
constexpr int backlog = 128;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 206: return "Partial Content";
    case 307: return "Temporary Redirect";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 429: return "Too Many Requests";
    default: return "Status";
  }
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::optional<std::vector<std::byte>> byte =
        text[i] == '%' && i + 2 < text.size() ? parse_hex(to_lower(text.substr(i + 1, 2))) : std::nullopt;
    if (byte) {
      decoded += static_cast<char>((*byte)[0]);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

// What a connection reads: bytes that came with the last head stay for the next.
class Reader {
 public:
  explicit Reader(LoopbackStream& stream) : stream_(stream) {}

  // A line without its end; nothing at the end of the connection.
  std::optional<std::string> read_line() {
    std::size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
      if (buffer_.size() > head_bytes_max || !fill()) return std::nullopt;
    }
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
  }

  bool is_at_end() const { return buffer_.empty(); }
  // Method names begin with a letter; a TLS client's first byte is none.
  bool starts_like_a_request() { return (!buffer_.empty() || fill()) && is_alnum(buffer_.front()); }

  bool read_exactly(std::uint64_t bytes, std::string& target) {
    while (bytes > 0) {
      if (buffer_.empty() && !fill()) return false;
      const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, buffer_.size()));
      target.append(buffer_, 0, count);
      buffer_.erase(0, count);
      bytes -= count;
    }
    return true;
  }

 private:
  bool fill() {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + write_bytes);
    const std::size_t count = stream_.read_some(buffer_.data() + before, write_bytes);
    buffer_.resize(before + count);
    return count > 0;
  }

  LoopbackStream& stream_;
  std::string buffer_;
};

// A malformed request line has an empty method.
bool read_head(Reader& reader, ServedRequest& request) {
  if (!reader.starts_like_a_request()) return !reader.is_at_end();
  const std::optional<std::string> line = reader.read_line();
  if (!line) return false;
  const std::vector<std::string_view> parts = split(*line, ' ');
  if (parts.size() != 3) return true;
  request.method = parts[0];
  request.target = parts[1];
  const std::size_t question = request.target.find('?');
  request.path = request.target.substr(0, question);
  if (question != std::string::npos) request.query = request.target.substr(question + 1);
  while (const std::optional<std::string> header = reader.read_line()) {
    if (header->empty()) return true;
    const std::size_t colon = header->find(':');
    if (colon == std::string::npos) return false;
    request.headers.add(header->substr(0, colon), std::string(trim(std::string_view(*header).substr(colon + 1))));
  }
  return false;
}

bool read_chunks(Reader& reader, std::string& body) {
  while (const std::optional<std::string> line = reader.read_line()) {
    const std::uint64_t bytes = std::stoull(*line, nullptr, 16);
    if (!reader.read_exactly(bytes, body)) return false;
    if (!reader.read_line()) return false;
    if (bytes == 0) return true;
  }
  return false;
}

bool read_body(Reader& reader, ServedRequest& request) {
  request.chunked = equals_ignoring_case(request.headers.find("transfer-encoding").value_or(""), "chunked");
  const std::optional<std::string_view> length = request.headers.find("content-length");
  bool complete = true;
  if (request.chunked) {
    complete = read_chunks(reader, request.body);
  } else if (length) {
    complete = reader.read_exactly(parse_uint(*length).value_or(0), request.body);
  }
  request.body_bytes = request.body.size();
  return complete;
}

using TlsContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

TlsContext make_tls(const TlsFiles& files) {
  TlsContext context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("cannot use the test certificate " + files.certificate.string());
  }
  if (!files.client_ca.empty()) {
    if (SSL_CTX_load_verify_locations(context.get(), files.client_ca.c_str(), nullptr) != 1) throw std::runtime_error("bad client authority");
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("drover"), 6);
  }
  return context;
}

struct Listener {
  int descriptor = -1;
  std::string address;
  std::uint16_t port = 0;
  TlsContext tls{nullptr, &SSL_CTX_free};
  std::thread thread;
};

}  // namespace

std::optional<std::string> ServedRequest::parameter(std::string_view name) const {
  for (const std::string_view pair : split(query, '&')) {
    const std::size_t equals = pair.find('=');
    if (percent_decode(pair.substr(0, equals)) != name) continue;
    return equals == std::string_view::npos ? std::string() : percent_decode(pair.substr(equals + 1));
  }
  return std::nullopt;
}

struct LoopbackServer::Impl {
  struct Connection {
    std::unique_ptr<LoopbackStream> stream;  // reset under the mutex by its thread
    std::thread thread;
    bool done = false;
  };

  void start(std::unique_ptr<Listener> listener);
  void accept_all(Listener& listener, std::size_t number);
  void serve(LoopbackStream& stream, std::size_t listener, std::uint64_t connection);
  // False: the connection is over.
  bool answer(LoopbackStream& stream, const ServedRequest& request, const Reply& reply);
  bool send_body(LoopbackStream& stream, const Reply& reply, std::uint64_t bytes);
  // False when the server ends meanwhile.
  bool pause(steady_clock::duration duration);
  void reap();

  Handler handler;
  EarlyHandler early;
  mutable std::mutex mutex;
  std::condition_variable ending;
  bool is_ending = false;
  std::deque<std::unique_ptr<Listener>> listeners;
  std::list<Connection> connections;
  std::uint64_t accepted = 0;
};

LoopbackServer::LoopbackServer(Handler handler, EarlyHandler early) : impl_(std::make_unique<Impl>()) {
  impl_->handler = std::move(handler);
  impl_->early = std::move(early);
}

LoopbackServer::~LoopbackServer() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_ending = true;
    impl_->ending.notify_all();
    for (const auto& listener : impl_->listeners) shutdown(listener->descriptor, SHUT_RDWR);
  }
  for (const auto& listener : impl_->listeners) {
    listener->thread.join();
    close(listener->descriptor);
  }
  cut_connections();
  for (Impl::Connection& connection : impl_->connections) connection.thread.join();
}

std::size_t LoopbackServer::listen(const std::string& address, std::uint16_t port, std::optional<TlsFiles> tls) {
  auto listener = std::make_unique<Listener>();
  listener->address = address;
  if (tls) listener->tls = make_tls(*tls);
  listener->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener->descriptor < 0) fail("socket");
  const int on = 1;
  setsockopt(listener->descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &name.sin_addr);
  if (bind(listener->descriptor, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) fail("bind");
  socklen_t size = sizeof name;
  getsockname(listener->descriptor, reinterpret_cast<sockaddr*>(&name), &size);
  listener->port = ntohs(name.sin_port);
  impl_->start(std::move(listener));
  return impl_->listeners.size() - 1;
}

std::size_t LoopbackServer::listen_unix(const std::filesystem::path& path) {
  auto listener = std::make_unique<Listener>();
  listener->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener->descriptor < 0) fail("socket");
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof name.sun_path) throw std::runtime_error("socket path too long");
  std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
  if (bind(listener->descriptor, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) fail("bind");
  impl_->start(std::move(listener));
  return impl_->listeners.size() - 1;
}

std::uint16_t LoopbackServer::port(std::size_t listener) const { return impl_->listeners.at(listener)->port; }

std::string LoopbackServer::origin(std::size_t listener) const {
  const Listener& chosen = *impl_->listeners.at(listener);
  return (chosen.tls ? "https://" : "http://") + chosen.address + ":" + std::to_string(chosen.port);
}

std::uint64_t LoopbackServer::connections() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->accepted;
}

void LoopbackServer::cut_connections() {
  const std::lock_guard lock(impl_->mutex);
  for (Impl::Connection& connection : impl_->connections) {
    if (connection.stream) connection.stream->cut();
  }
}

void LoopbackServer::Impl::start(std::unique_ptr<Listener> listener) {
  if (::listen(listener->descriptor, backlog) != 0) fail("listen");
  listeners.push_back(std::move(listener));
  Listener& kept = *listeners.back();
  kept.thread = std::thread([this, &kept, number = listeners.size() - 1] { accept_all(kept, number); });
}

void LoopbackServer::Impl::accept_all(Listener& listener, std::size_t number) {
  // OpenSSL writes with write(2): a peer that went away must not end the test. The connections' threads inherit this.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (true) {
    const int descriptor = accept4(listener.descriptor, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex);
    if (is_ending) {
      if (descriptor >= 0) close(descriptor);
      return;
    }
    if (descriptor < 0) continue;
    reap();
    const std::uint64_t count = ++accepted;
    Connection& connection = connections.emplace_back();
    connection.stream = std::make_unique<LoopbackStream>(descriptor, listener.tls.get());
    connection.thread = std::thread([this, &connection, number, count] {
      serve(*connection.stream, number, count);
      std::unique_ptr<LoopbackStream> closed;
      const std::lock_guard done_lock(mutex);
      closed = std::move(connection.stream);
      connection.done = true;
    });
  }
}

void LoopbackServer::Impl::reap() {
  for (auto connection = connections.begin(); connection != connections.end();) {
    if (!connection->done) {
      ++connection;
      continue;
    }
    connection->thread.join();
    connection = connections.erase(connection);
  }
}

bool LoopbackServer::Impl::pause(steady_clock::duration duration) {
  std::unique_lock lock(mutex);
  return !ending.wait_for(lock, duration, [&] { return is_ending; });
}

void LoopbackServer::Impl::serve(LoopbackStream& stream, std::size_t listener, std::uint64_t connection) {
  if (!stream.handshake()) return;
  Reader reader(stream);
  while (true) {
    ServedRequest request{.listener = listener, .connection = connection, .has_client_certificate = stream.has_peer_certificate()};
    if (!read_head(reader, request)) return;
    if (request.method.empty()) {
      stream.write_all("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    if (early) {
      if (const std::optional<Reply> reply = early(request)) {
        answer(stream, request, *reply);
        if (reply->linger) stream.linger();
        return;
      }
    }
    if (!read_body(reader, request)) return;
    Reply reply;
    try {
      reply = handler(request);
    } catch (const std::exception& error) {
      reply = {.status = 500, .body = error.what()};
    }
    if (!answer(stream, request, reply)) return;
  }
}

bool LoopbackServer::Impl::answer(LoopbackStream& stream, const ServedRequest& request, const Reply& reply) {
  if (reply.delay.count() > 0 && !pause(reply.delay)) return false;
  if (reply.hang) {
    stream.wait_for_end();
    return false;
  }
  if (!reply.raw.empty()) {
    stream.write_all(reply.raw);
    if (reply.take_over) reply.take_over(stream);
    return false;
  }

  const bool is_bodiless = request.method == "HEAD" || reply.status == 204 || reply.status == 304;
  const std::uint64_t bytes = reply.file.empty() ? reply.body.size() : reply.file_bytes;
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " " + std::string(reason_phrase(reply.status)) + "\r\n";
  for (const auto& [name, value] : reply.headers.list()) head += name + ": " + value + "\r\n";
  if (reply.chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (!reply.no_length && reply.status != 204 && !reply.headers.find("content-length")) {
    head += "Content-Length: " + std::to_string(reply.content_length.value_or(bytes)) + "\r\n";
  }
  if (reply.close) head += "Connection: close\r\n";
  head += "\r\n";
  if (!stream.write_all(head)) return false;
  if (!is_bodiless && !send_body(stream, reply, bytes)) return false;
  const bool is_misframed = reply.content_length && *reply.content_length != bytes && !is_bodiless;
  return !reply.close && !reply.no_length && !is_misframed;
}

bool LoopbackServer::Impl::send_body(LoopbackStream& stream, const Reply& reply, std::uint64_t bytes) {
  std::uint64_t end = bytes;
  for (const auto& fault : {reply.close_after, reply.reset_after, reply.stall_after}) end = std::min(end, fault.value_or(bytes));
  const auto is_due = [&](const std::optional<std::uint64_t>& fault) { return fault && *fault == end; };

  int file = -1;
  if (!reply.file.empty() && (file = open(reply.file.c_str(), O_RDONLY | O_CLOEXEC)) < 0) return false;
  const bool is_plain = file >= 0 && !stream.is_tls() && !reply.chunked && reply.slice_bytes == 0 && reply.bytes_per_second == 0;
  bool fine = !is_plain || stream.send_file(file, reply.file_offset, end);

  std::size_t piece_max = reply.slice_bytes == 0 ? write_bytes : reply.slice_bytes;
  if (reply.bytes_per_second > 0) {  // about 100 pieces a second
    piece_max = std::min<std::size_t>(piece_max, std::max<std::size_t>(static_cast<std::size_t>(reply.bytes_per_second / 100), 1024));
  }
  const steady_clock::time_point start = steady_clock::now();
  std::string piece;
  for (std::uint64_t position = is_plain ? end : 0; fine && position < end;) {
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(piece_max, end - position));
    piece.resize(count);
    if (file >= 0) {
      fine = pread(file, piece.data(), count, static_cast<off_t>(reply.file_offset + position)) == static_cast<ssize_t>(count);
    } else {
      piece.assign(reply.body, static_cast<std::size_t>(position), count);
    }
    if (reply.chunked) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", count);
      piece.insert(0, size).append("\r\n");
    }
    fine = fine && stream.write_all(piece);
    position += count;
    steady_clock::duration wait = position < end ? steady_clock::duration(reply.slice_delay) : steady_clock::duration(0);
    if (reply.bytes_per_second > 0) {
      const auto due = std::chrono::microseconds(position * 1'000'000 / reply.bytes_per_second);
      wait = std::max<steady_clock::duration>(wait, start + due - steady_clock::now());
    }
    if (fine && wait.count() > 0) fine = pause(wait);
  }
  if (file >= 0) close(file);

  if (!fine) return false;
  if (is_due(reply.reset_after)) {
    stream.reset();
    return false;
  }
  if (is_due(reply.stall_after)) {
    stream.wait_for_end();
    return false;
  }
  if (is_due(reply.close_after) && end < bytes) return false;
  if (reply.chunked) fine = stream.write_all("0\r\n\r\n");
  return fine && !is_due(reply.close_after);
}

std::uint16_t unused_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) fail("bind");
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size);
  close(descriptor);
  return ntohs(name.sin_port);
}

}  // namespace drover::test
