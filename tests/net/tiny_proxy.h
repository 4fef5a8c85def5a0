// An HTTP proxy for tests: answers absolute-form requests itself with "proxied <METHOD> <target>", and tunnels CONNECT.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace drover::net {

class TinyProxy {
 public:
  TinyProxy();
  ~TinyProxy();
  TinyProxy(const TinyProxy&) = delete;
  TinyProxy& operator=(const TinyProxy&) = delete;

  std::uint16_t port() const;
  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port()); }
  // "METHOD target", in order of arrival.
  std::vector<std::string> requests() const;
  // From now on CONNECT is answered with 403.
  void refuse_tunnels();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::net
