// Which of several sources is asked for one document, and when: a pure decision over what has happened; time is given.
//
// The first is asked at once, the next when all before it have failed or the last of them has kept us waiting for longer than it should; the
// first good answer counts. Who was asked earlier and has no answer by then is overtaken: he is too slow to be asked first again.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace drover::registry {

// How long a mirror may take before the next source is asked as well. An answer that is only a bit late costs the registry nothing, and the
// user's quota there neither.
struct Patience {
  std::chrono::milliseconds unknown{2000};  // where nothing has been measured: connection, login and a far host's answer
  std::chrono::milliseconds shortest{1000};
  std::chrono::milliseconds longest{5000};
  int times = 4;                            // what answers take otherwise
};

// `own`: how long its answers have taken so far, `other`: the same of who would be asked as well; nothing: not known.
std::chrono::milliseconds patience_with(const Patience& patience, const std::optional<std::chrono::milliseconds>& own,
                                        const std::optional<std::chrono::milliseconds>& other);

// Not thread-safe.
class Hedge {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // By source, in the order to be asked: how long it may take before the next one is asked too; nothing: as long as it wants.
  explicit Hedge(std::vector<std::optional<std::chrono::milliseconds>> patience) : patience_(std::move(patience)), has_failed_(patience_.size()) {}

  // Who is to be asked now; once for each. Nothing: nobody yet.
  std::optional<std::size_t> next(TimePoint now);
  // When next() may say something else although nobody has failed; nothing: never.
  std::optional<TimePoint> wake_at() const;

  void answered(std::size_t source);
  void failed(std::size_t source) { has_failed_[source] = true; }

  std::optional<std::size_t> winner() const { return winner_; }
  // There is an answer, or nobody left who could give one.
  bool is_over() const;
  // Those that were asked before the one that answered, and had not.
  std::vector<std::size_t> overtaken() const;

 private:
  bool is_anybody_asked() const;

  std::vector<std::optional<std::chrono::milliseconds>> patience_;
  std::vector<bool> has_failed_;
  std::size_t asked_ = 0;  // so many, from the first
  TimePoint asked_last_at_{};
  std::optional<std::size_t> winner_;
};

}  // namespace drover::registry
