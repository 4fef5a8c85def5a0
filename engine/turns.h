// So many at once and no more: who is most urgent goes next.
//
// All loads of a prefetch share the engine's processor with each other and with drover. Left alone they share it evenly, and the layer
// that the others stand on arrives last of all. Sending and unpacking take turns instead.
#pragma once

#include "base/context.h"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <utility>

namespace drover::engine {

// Ordered: what others wait for before all else, then the larger, so that nothing large is left alone at the end.
struct Urgency {
  bool is_awaited = false;
  std::uint64_t bytes = 0;

  friend auto operator<=>(const Urgency&, const Urgency&) = default;
};

// Thread-safe.
class Turns {
 public:
  // One place among those at work, given back at its end.
  class Turn {
   public:
    Turn() = default;
    explicit Turn(Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&& other) noexcept {
      std::swap(turns_, other.turns_);
      return *this;
    }
    ~Turn() { end(); }
    void end();

   private:
    Turns* turns_ = nullptr;
  };

  explicit Turns(std::size_t width) : free_(width) {}

  // Waits until a place is free and nobody more urgent waits for it; among equals the first to come. Throws interrupted.
  Turn take(const Context& ctx, Urgency urgency);
  // How many wait now.
  std::size_t waiting() const;

 private:
  struct Waiting {
    Urgency urgency;
    std::uint64_t number = 0;  // of arrival

    bool operator<(const Waiting& other) const {
      return urgency != other.urgency ? urgency > other.urgency : number < other.number;
    }
  };

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t free_;
  std::uint64_t arrivals_ = 0;
  std::set<Waiting> waiting_;  // the most urgent first
};

}  // namespace drover::engine
