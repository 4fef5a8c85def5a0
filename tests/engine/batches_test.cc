#include "engine/batches.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace drover;
using engine::Batches;

namespace {

struct Item {
  int number = 0;
};

// One place, held by the first item while `others` more arrive; then what is sent with what.
struct BatchesFixture {
  Context ctx;
  Batches<Item> batches{1};
  std::mutex mutex;
  std::vector<std::size_t> sizes;  // of batches, as they were sent
  std::atomic<bool> is_held = true;
  std::atomic<int> alone = 0;      // had to be told that their batch failed
  std::atomic<int> thrown = 0;

  void run(int others, bool fails, std::stop_source* stop = nullptr) {
    std::vector<std::jthread> threads;
    std::vector<Item> items(static_cast<std::size_t>(others) + 1);
    for (std::size_t i = 0; i < items.size(); ++i) {
      threads.emplace_back([&, i] { send(items[i], i == 0, fails, stop); });
      if (i == 0) {
        while (!is_first_inside) std::this_thread::yield();
      } else {
        while (batches.waiting() != i) std::this_thread::yield();
      }
    }
    if (stop != nullptr) stop->request_stop();
    is_held = false;
  }

  void send(Item& item, bool is_first, bool fails, std::stop_source* stop) {
    Context mine = ctx;
    if (stop != nullptr && !is_first) mine.stop = stop->get_token();
    try {
      const bool is_sent = batches.send(mine, item, [&](const std::vector<Item*>& batch) {
        if (is_first) {
          is_first_inside = true;
          while (is_held) std::this_thread::yield();
        }
        const std::scoped_lock lock(mutex);
        sizes.push_back(batch.size());
        if (fails && !is_first) throw Error(ErrorCode::engine, "no");
      });
      if (!is_sent) ++alone;
    } catch (const Error&) {
      ++thrown;
    }
  }

  std::atomic<bool> is_first_inside = false;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(batches, BatchesFixture)

BOOST_AUTO_TEST_CASE(what_waits_goes_with_the_next) {
  run(5, false);
  BOOST_TEST(sizes == (std::vector<std::size_t>{1, 5}), boost::test_tools::per_element());
  BOOST_TEST(alone == 0);
  BOOST_TEST(thrown == 0);
}

BOOST_AUTO_TEST_CASE(each_of_a_failed_batch_is_told_to_go_alone) {
  run(3, true);
  BOOST_TEST(alone == 3);
  BOOST_TEST(thrown == 0);
}

BOOST_AUTO_TEST_CASE(a_batch_of_one_fails_with_its_own_error) {
  run(1, true);
  BOOST_TEST(alone == 0);
  BOOST_TEST(thrown == 1);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_wait_of_those_that_nobody_took) {
  std::stop_source stop;
  run(4, false, &stop);
  BOOST_TEST(thrown == 4);
  BOOST_TEST(batches.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(one_of_several_places_takes_its_part) {
  Batches<Item> two(2);
  std::atomic<int> inside = 0;
  std::atomic<bool> held = true;
  std::atomic<std::size_t> largest = 0;
  std::vector<Item> items(12);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < items.size(); ++i) {
      threads.emplace_back([&, i] {
        two.send(ctx, items[i], [&](const std::vector<Item*>& batch) {
          ++inside;
          while (held) std::this_thread::yield();
          for (std::size_t seen = largest; seen < batch.size() && !largest.compare_exchange_weak(seen, batch.size());) continue;
        });
      });
    }
    while (inside != 2 || two.waiting() != 10) std::this_thread::yield();
    held = false;
  }
  BOOST_TEST(largest <= 7U);  // never all ten at one place
}

BOOST_AUTO_TEST_SUITE_END()
