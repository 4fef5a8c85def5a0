#include "engine/turns.h"

#include "base/error.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace drover;
using engine::Turns;
using engine::Urgency;

BOOST_AUTO_TEST_SUITE(turns)

namespace {

// Lets all of them wait behind one turn, then tells in which order they went.
std::string order_of(const std::vector<Urgency>& urgencies) {
  Turns turns(1);
  Context ctx;
  Turns::Turn held = turns.take(ctx, {});
  std::string order;
  std::mutex mutex;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < urgencies.size(); ++i) {
    threads.emplace_back([&, i] {
      const Turns::Turn turn = turns.take(ctx, urgencies[i]);
      const std::scoped_lock lock(mutex);
      order += std::to_string(i);
    });
    while (turns.waiting() != i + 1) std::this_thread::yield();
  }
  held.end();
  threads.clear();
  return order;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_most_urgent_goes_first_and_equals_as_they_came) {
  const Urgency small{.is_awaited = false, .bytes = 1};
  const Urgency large{.is_awaited = false, .bytes = 9};
  const Urgency awaited{.is_awaited = true, .bytes = 1};
  BOOST_TEST(order_of({small, large, awaited}) == "210");
  BOOST_TEST(order_of({small, small, small}) == "012");
  BOOST_TEST(order_of({awaited, {.is_awaited = true, .bytes = 2}, large}) == "102");
}

BOOST_AUTO_TEST_CASE(no_more_than_the_width_are_at_work) {
  Turns turns(3);
  Context ctx;
  std::atomic<int> working = 0;
  std::atomic<int> most = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 50; ++round) {
          const Turns::Turn turn = turns.take(ctx, {});
          const int now = ++working;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
          std::this_thread::yield();
          --working;
        }
      });
    }
  }
  BOOST_TEST(most <= 3);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_wait_and_keeps_the_place_of_nobody) {
  Turns turns(1);
  Context ctx;
  Turns::Turn held = turns.take(ctx, {});
  std::stop_source stop;
  Context stoppable = ctx;
  stoppable.stop = stop.get_token();
  std::atomic<bool> was_interrupted = false;
  std::jthread waiter([&] {
    try {
      const Turns::Turn turn = turns.take(stoppable, {.is_awaited = true, .bytes = 1});
    } catch (const Error& error) {
      was_interrupted = error.code() == ErrorCode::interrupted;
    }
  });
  while (turns.waiting() == 0) std::this_thread::yield();
  stop.request_stop();
  waiter.join();
  held.end();

  BOOST_TEST(was_interrupted);
  BOOST_TEST(turns.waiting() == 0U);
  const Turns::Turn next = turns.take(ctx, {});  // would block for ever if the place were lost
}

BOOST_AUTO_TEST_CASE(a_turn_that_moves_is_given_back_once) {
  Turns turns(1);
  Context ctx;
  {
    Turns::Turn first = turns.take(ctx, {});
    Turns::Turn second = std::move(first);
    first.end();
    second.end();
    second.end();
  }
  const Turns::Turn only = turns.take(ctx, {});
  std::stop_source stop;
  stop.request_stop();
  Context stopped = ctx;
  stopped.stop = stop.get_token();
  BOOST_CHECK_THROW(turns.take(stopped, {}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
