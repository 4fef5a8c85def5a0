// Where a blob's bytes are: at the registry itself, or at the URL it redirected to. Asked once a blob, then shared by all its ranges.
#pragma once

#include "base/context.h"
#include "net/url.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace drover::registry {

// A URL that does not say when it ends is used until nobody used it this long.
inline constexpr std::chrono::seconds signed_url_idle_max{60};
// A signed URL is given up this long before its end, so that a request does not arrive late.
inline constexpr std::chrono::seconds signed_url_margin{10};

// Thread-safe. `blob` names registry and digest.
class BlobRoutes {
 public:
  enum class Way {
    ask,     // nobody knows; the caller asks the registry, the others wait until it calls found or give_up
    home,    // the registry serves it
    target,  // at Route::target
  };
  struct Route {
    Way way = Way::ask;
    net::Url target;
  };

  // Waits while another thread asks. Throws interrupted.
  Route find(const Context& ctx, const std::string& blob);
  // The bytes are here; `home` is the registry's origin.
  void found(const Context& ctx, const std::string& blob, const net::Url& url, const std::string& home);
  // The asking led to nothing.
  void give_up(const std::string& blob);
  // This URL refuses, or cannot be reached; whoever comes next asks anew. No effect when another one has taken its place.
  void forget(const std::string& blob, const net::Url& target);

  // The origin that serves it, as far as known: the blob's own, else the one that its registry used last.
  std::string origin(const std::string& blob, const std::string& home) const;
  // The origin ignores or mangles ranges.
  void note_no_ranges(const std::string& origin);
  bool has_ranges(const std::string& origin) const;

 private:
  struct Entry {
    bool is_asking = false;
    bool is_home = false;
    std::optional<net::Url> target;
    std::optional<std::chrono::system_clock::time_point> expires;  // as the URL says
    std::chrono::steady_clock::time_point used{};                  // last time, for those that do not say
  };
  static bool is_usable(const Context& ctx, const Entry& entry);

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> last_origin_;  // by the registry's origin
  std::set<std::string> no_ranges_;                 // origins
};

// Whoever was told to ask: gives up at the end of its scope unless it found something.
class Asking {
 public:
  Asking(BlobRoutes& routes, const std::string& blob, bool is_asking) : routes_(routes), blob_(blob), is_asking_(is_asking) {}
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  ~Asking() {
    if (is_asking_) routes_.give_up(blob_);
  }

  void found(const Context& ctx, const net::Url& url, const std::string& home) {
    routes_.found(ctx, blob_, url, home);
    is_asking_ = false;
  }

 private:
  BlobRoutes& routes_;
  const std::string& blob_;
  bool is_asking_;
};

}  // namespace drover::registry
