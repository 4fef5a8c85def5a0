// One libcurl handle with a private multi handle that drives it, and the connections that the two keep alive.
//
// A session serves one transfer at a time on the thread that borrowed it; only the stop callback touches it from elsewhere.
#pragma once

#include "base/context.h"
#include "net/ca_bundle.h"
#include "net/exchange.h"
#include "net/transport.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace drover::net {

// DNS answers and TLS sessions, shared by the sessions of one kind. Outlives them.
class CurlShare {
 public:
  CurlShare();
  ~CurlShare();
  CurlShare(const CurlShare&) = delete;
  CurlShare& operator=(const CurlShare&) = delete;

  void* get() const { return share_; }
  // One lock a kind of data, indexed by libcurl's curl_lock_data.
  std::mutex& mutex(std::size_t kind) { return mutexes_[kind]; }

 private:
  void* share_;  // CURLSH
  std::mutex mutexes_[8];
};

// What a transfer needs besides the request.
struct SessionSetup {
  std::string user_agent;
  std::string where;  // the peer in messages
  TrustedAuthorities authorities;
};

struct CurlTransfer;

class CurlSession {
 public:
  explicit CurlSession(CurlShare& share);
  ~CurlSession();
  CurlSession(const CurlSession&) = delete;
  CurlSession& operator=(const CurlSession&) = delete;

  // One transfer. Throws as Transport::send does.
  void run(const Context& ctx, const Request& request, const SessionSetup& setup, Exchange& exchange);
  // False after a transfer that was broken off from this side: the session is to be dropped.
  bool is_reusable() const { return reusable_; }

  // A connection, TLS and a proxy's tunnel included, over which nothing is sent yet: for those who speak over it themselves, by the four
  // below. Such a session makes no transfers. Throws as Transport::send does.
  void connect(const Context& ctx, const Request& request, const SessionSetup& setup);
  int descriptor() const;
  // Nothing when there is nothing yet, 0 when the peer has ended its side. Throws network.
  std::optional<std::size_t> try_receive(std::span<std::byte> space);
  // How many were taken, 0 when there is no room.
  std::size_t try_send(std::span<const std::byte> bytes);
  // Tells the peer that nothing more comes: FIN, or TLS's close_notify. False when there is no room for it.
  bool try_end_sending();

  // Kept connections: whether one to this origin is likely.
  bool knows(const std::string& origin) const;
  void remember(const std::string& origin);

  // The connections' sockets, as libcurl opens and closes them.
  void add_socket(int descriptor) { sockets_.push_back(descriptor); }
  // What is left in it is kept if it may be an answer that came during an upload.
  void remove_socket(int descriptor);
  // The one that is connected from and to these ports; for unix sockets, which have none, the newest; -1 if there is none.
  int find_socket(int local_port, int peer_port) const;

  // libcurl's built-in paths of the system's authorities; empty if it has none.
  static std::string system_ca_file();
  static std::string system_ca_folder();

 private:
  void configure(const Request& request, const SessionSetup& setup, CurlTransfer& transfer);
  int drive(const Context& ctx, CurlTransfer& transfer);
  void forget_transfer() noexcept;

  void* easy_;   // CURL
  void* multi_;  // CURLM
  bool reusable_ = true;
  std::vector<std::string> origins_;  // most recent last
  std::vector<int> sockets_;          // not owned
  CurlTransfer* transfer_ = nullptr;  // the one that is going on
  std::string where_;                 // of a connection
};

}  // namespace drover::net
