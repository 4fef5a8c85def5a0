// Which step of a plan may begin now. Pure: no threads, no clock, no engine; stack/apply_plan.cc asks it under its lock.
//
// A step may begin once those that it depends on are over. Beyond that, services are swapped one at a time: from the moment in which an
// old container is told to stop until its new one runs, no other swap begins, since engines work on several as slowly as on one after
// another, and each service would be down for as long as all of them. A container that takes its time to stop gives its turn away and takes
// another one for the start. Starts of containers that replace nothing wait for the end of a turn and take none.
#pragma once

#include "compose/plan.h"

#include <cstddef>
#include <optional>
#include <set>
#include <vector>

namespace drover::stack {

// Steps are named by their ids. Not thread-safe.
class StepSchedule {
 public:
  enum class OnFailure {
    halt,  // no further step begins; removals after the commit go on among themselves
    go_on  // what depends on it is tried all the same, but for what a container that could not be stopped forbids
  };

  // The plan outlives this. Throws failed when its ids or dependencies are not those of a plan.
  StepSchedule(const compose::Plan& plan, OnFailure on_failure);

  // The next call to the engine, or the next wait, that may begin now; it is under way then. Nothing: none, for now.
  std::optional<int> take_call();
  std::optional<int> take_wait();
  // Whether take_call, or take_wait, would give one.
  bool has_call() const;
  bool has_wait() const;
  // One that is under way is over, and how.
  void finish(int step, compose::StepOutcome::State state);
  // The stop that is under way takes long: others may have their turn.
  void give_turn_away(int step);
  // No further step begins.
  void halt() { is_halted_ = true; }

  // A stop with a start that follows it: its duration is a service's time down.
  bool is_swap(int step) const;
  bool has_turn(int step) const { return turn_ == step; }
  bool is_halted() const { return is_halted_; }
  // Of what cannot be undone, the first has begun.
  bool is_committed() const { return is_committed_; }
  // Nothing is under way, and nothing will begin any more.
  bool is_over() const;

 private:
  enum class Kind { call, wait, swap_stop, swap_start, free_start };
  enum class Phase { waiting, ready, under_way, over };
  struct Node {
    const compose::Step* step = nullptr;
    Kind kind = Kind::call;
    Phase phase = Phase::waiting;
    bool has_failed = false;
    std::size_t waits_for = 0;
    std::vector<int> dependents = {};
  };

  Node& node(int step) { return nodes_[static_cast<std::size_t>(step)]; }
  const Node& node(int step) const { return nodes_[static_cast<std::size_t>(step)]; }
  void find_kinds();
  void settle(int step);
  void hand_turn_on(int step);
  void make_ready(int step);
  bool is_forbidden(const compose::Step& step) const;
  bool follows_failed_stop(const compose::Step& step) const;
  bool may_begin(const Node& candidate) const;
  std::optional<int> choose_call() const;
  std::optional<int> choose_wait() const;
  std::optional<int> begin(int step);
  bool is_first(int step, int other) const;

  std::vector<Node> nodes_;  // by id; the first is empty
  std::set<int> ready_;
  OnFailure on_failure_;
  int turn_ = 0;             // whose turn it is: a stop or start under way, or the start that has to be next
  std::size_t under_way_ = 0;
  bool is_halted_ = false;
  bool is_committed_ = false;
};

}  // namespace drover::stack
