#include "tests/net/tiny_proxy.h"

#include "base/file.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <list>
#include <mutex>
#include <thread>

namespace drover::net {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  name.sin_port = htons(port);
  return name;
}

void send_text(int descriptor, std::string_view text) { (void)!send(descriptor, text.data(), text.size(), MSG_NOSIGNAL); }

// Copies both ways until either side ends or `ending` is set.
void relay(int a, int b, const std::atomic<bool>& ending) {
  std::array<char, 16384> space{};
  std::array<pollfd, 2> both{pollfd{a, POLLIN, 0}, pollfd{b, POLLIN, 0}};
  while (!ending) {
    if (poll(both.data(), both.size(), 20) < 0) return;
    for (std::size_t side = 0; side < 2; ++side) {
      if (both[side].revents == 0) continue;
      const ssize_t count = recv(both[side].fd, space.data(), space.size(), 0);
      if (count <= 0) return;
      send_text(both[1 - side].fd, {space.data(), static_cast<std::size_t>(count)});
    }
  }
}

}  // namespace

struct TinyProxy::Impl {
  UniqueFd listener;
  std::uint16_t port = 0;
  std::atomic<bool> ending = false;
  std::atomic<bool> refusing = false;
  mutable std::mutex mutex;
  std::vector<std::string> requests;
  std::list<std::jthread> connections;
  std::jthread acceptor;

  void serve(const UniqueFd& client) {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      pollfd state{client.get(), POLLIN, 0};
      if (ending) return;
      if (poll(&state, 1, 20) <= 0) continue;
      char byte = 0;
      if (recv(client.get(), &byte, 1, 0) != 1) return;
      head += byte;
    }
    const std::string line = head.substr(0, head.find(" HTTP/"));
    {
      const std::lock_guard lock(mutex);
      requests.push_back(line);
    }
    if (!line.starts_with("CONNECT ")) {
      const std::string body = "proxied " + line;
      send_text(client.get(), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
      return;
    }
    if (refusing) {
      send_text(client.get(), "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const UniqueFd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in name = loopback(static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1))));
    if (connect(server.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return;
    send_text(client.get(), "HTTP/1.1 200 Connection established\r\nProxy-Agent: tiny\r\n\r\n");
    relay(client.get(), server.get(), ending);
  }
};

TinyProxy::TinyProxy() : impl_(std::make_unique<Impl>()) {
  impl_->listener = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = loopback(0);
  socklen_t size = sizeof name;
  if (bind(impl_->listener.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0 || listen(impl_->listener.get(), 16) != 0) std::abort();
  getsockname(impl_->listener.get(), reinterpret_cast<sockaddr*>(&name), &size);
  impl_->port = ntohs(name.sin_port);
  impl_->acceptor = std::jthread([this] {
    while (!impl_->ending) {
      UniqueFd client(accept4(impl_->listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) continue;
      impl_->connections.emplace_back([this, kept = std::make_shared<UniqueFd>(std::move(client))] { impl_->serve(*kept); });
    }
  });
}

TinyProxy::~TinyProxy() {
  impl_->ending = true;
  shutdown(impl_->listener.get(), SHUT_RDWR);
}

std::uint16_t TinyProxy::port() const { return impl_->port; }

std::vector<std::string> TinyProxy::requests() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->requests;
}

void TinyProxy::refuse_tunnels() { impl_->refusing = true; }

}  // namespace drover::net
