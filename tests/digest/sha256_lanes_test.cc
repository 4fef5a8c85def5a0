#include "digest/sha256_lanes.h"

#include "base/error.h"
#include "tests/digest/sha256_reference.h"

#include <algorithm>

namespace drover {
BOOST_AUTO_TEST_SUITE(sha256_lanes)

namespace {

using test::length_max;
using test::random_bytes;
using test::reference;
using test::RowRuns;

// As DROVER_SHA256 would force it.
Sha256Choice choice_of(const std::string& name) {
  return Sha256Choice(table_figures(CpuModel::host(), cpu_features(), name.c_str()));
}

// Streams of the given lengths, each from another place of the random bytes, fed together until all are at their ends.
class Streams {
 public:
  explicit Streams(const std::vector<std::size_t>& lengths) {
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      messages_.push_back(std::span(random_bytes()).subspan(i % 61, std::min(lengths[i], length_max)));
      streams_.emplace_back();
    }
    done_.resize(lengths.size());
  }

  void feed_whole(const Sha256Lanes& lanes) {
    std::vector<Sha256Piece> pieces;
    for (std::size_t i = 0; i < streams_.size(); ++i) pieces.push_back({&streams_[i], messages_[i]});
    lanes.update(pieces);
  }

  // Pieces of any size, also none; some streams are left out of some calls, or fed alone.
  void feed_in_pieces(const Sha256Lanes& lanes, std::mt19937& random) {
    for (bool is_fed = true; is_fed;) {
      is_fed = false;
      std::vector<Sha256Piece> pieces;
      for (std::size_t i = 0; i < streams_.size(); ++i) {
        const auto rest = messages_[i].subspan(done_[i]);
        is_fed = is_fed || !rest.empty();
        const std::size_t n = std::min<std::size_t>(random() % (random() % 3 == 0 ? 1500 : 100), rest.size());
        done_[i] += n;
        if (random() % 5 == 0) streams_[i].update(rest.first(n));
        else pieces.push_back({&streams_[i], rest.first(n)});
      }
      lanes.update(pieces);
    }
  }

  std::size_t count_wrong() {
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      wrong += streams_[i].bytes() != messages_[i].size();
      wrong += streams_[i].finish() != reference(messages_[i]);
    }
    return wrong;
  }

 private:
  std::vector<std::span<const std::byte>> messages_;
  std::vector<Sha256> streams_;
  std::vector<std::size_t> done_;
};

// Every length up to the limit, in as many streams at once as `live`.
std::size_t count_wrong_of_every_length(const Sha256Lanes& lanes, std::size_t live, std::size_t step) {
  std::size_t wrong = 0;
  std::vector<std::size_t> lengths;
  for (std::size_t length = 0; length <= length_max + live * step; length += step) {
    lengths.push_back(std::min(length, length_max));
    if (lengths.size() < live) continue;
    Streams streams(lengths);
    streams.feed_whole(lanes);
    wrong += streams.count_wrong();
    lengths.clear();
  }
  return wrong;
}

void check_name(const std::string& name) {
  const Sha256Choice choice = choice_of(name);
  const Sha256Lanes lanes(choice);
  std::mt19937 random(7);
  BOOST_TEST(count_wrong_of_every_length(lanes, 16, 1) == 0U);
  for (std::size_t live = 1; live <= 40; ++live) {
    BOOST_TEST(count_wrong_of_every_length(lanes, live, 211) == 0U, name << ", " << live << " streams");

    std::vector<std::size_t> lengths(live);
    for (std::size_t& length : lengths) length = random() % (length_max + 1);
    Streams streams(lengths);
    streams.feed_in_pieces(lanes, random);
    BOOST_TEST(streams.count_wrong() == 0U, name << ", " << live << " streams in pieces");
  }
}

namespace utf = boost::unit_test;

BOOST_AUTO_TEST_CASE(portable) { check_name("portable"); }
BOOST_AUTO_TEST_CASE(openssl, *utf::precondition(RowRuns{"openssl", 1})) { check_name("openssl"); }
BOOST_AUTO_TEST_CASE(shani, *utf::precondition(RowRuns{"shani", 4})) { check_name("shani"); }
BOOST_AUTO_TEST_CASE(avx512, *utf::precondition(RowRuns{"avx512", 16})) { check_name("avx512"); }
BOOST_AUTO_TEST_CASE(avx512_short, *utf::precondition(RowRuns{"avx512-short", 16})) { check_name("avx512-short"); }
BOOST_AUTO_TEST_CASE(avx2, *utf::precondition(RowRuns{"avx2", 8})) { check_name("avx2"); }
BOOST_AUTO_TEST_CASE(armv8, *utf::precondition(RowRuns{"armv8", 3})) { check_name("armv8"); }
BOOST_AUTO_TEST_CASE(neon, *utf::precondition(RowRuns{"neon", 4})) { check_name("neon"); }

// What this process uses, also under DROVER_SHA256.
BOOST_AUTO_TEST_CASE(the_choice_of_this_process) {
  const Sha256Lanes lanes;
  std::mt19937 random(11);
  for (const std::size_t live : {1U, 2U, 3U, 4U, 7U, 9U, 12U, 16U, 17U, 33U}) {
    std::vector<std::size_t> lengths(live);
    for (std::size_t& length : lengths) length = random() % (length_max + 1);
    Streams streams(lengths);
    streams.feed_in_pieces(lanes, random);
    BOOST_TEST(streams.count_wrong() == 0U, live << " streams");
  }
}

// Longer than a turn, so that those who wait get theirs.
BOOST_AUTO_TEST_CASE(long_streams_take_turns) {
  std::vector<std::byte> bytes;
  while (bytes.size() < 300000) bytes.insert(bytes.end(), random_bytes().begin(), random_bytes().end());
  for (const std::size_t live : {2U, 5U, 17U, 20U, 33U, 70U}) {
    std::vector<Sha256> streams(live);
    std::vector<Sha256Piece> pieces;
    for (std::size_t i = 0; i < live; ++i) pieces.push_back({&streams[i], std::span(bytes).first(bytes.size() - i * 4001)});
    Sha256Lanes().update(pieces);
    for (std::size_t i = 0; i < live; ++i) BOOST_TEST((streams[i].finish() == reference(pieces[i].bytes)), live << " streams, " << i);
  }
}

BOOST_AUTO_TEST_CASE(nothing_to_do_is_done) {
  const Sha256Lanes lanes;
  lanes.update({});
  lanes.run({});
  Sha256 stream;
  const Sha256Piece none{&stream, {}};
  lanes.update(std::span(&none, 1));
  BOOST_TEST((stream.finish() == reference({})));
}

// A state that was hashed alone goes on in lanes, and the other way round.
BOOST_AUTO_TEST_CASE(midstates_go_in_and_out) {
  const auto bytes = std::span(random_bytes()).first(1000);
  Sha256 alone;
  alone.update(bytes.first(128));
  Sha256::Midstate one = alone.midstate();
  Sha256::Midstate two = Sha256().midstate();

  const std::vector<Sha256Job> jobs = {{&one, bytes.subspan(128, 640)}, {&two, bytes.first(64)}};
  Sha256Lanes().run(jobs);

  BOOST_TEST(one.bytes == 768U);
  BOOST_TEST(two.bytes == 64U);
  Sha256 first(one);
  first.update(bytes.subspan(768));
  Sha256 second(two);
  second.update(bytes.subspan(64));
  BOOST_TEST((first.finish() == reference(bytes)));
  BOOST_TEST((second.finish() == reference(bytes)));
}

BOOST_AUTO_TEST_CASE(a_part_of_a_block_is_refused_before_anything_is_hashed) {
  Sha256::Midstate one = Sha256().midstate();
  Sha256::Midstate two = one;
  const std::vector<Sha256Job> jobs = {{&one, std::span(random_bytes()).first(64)}, {&two, std::span(random_bytes()).first(65)}};
  BOOST_CHECK_EXCEPTION(Sha256Lanes().run(jobs), Error, [](const Error& e) { return e.code() == ErrorCode::invalid; });
  BOOST_TEST((one == Sha256().midstate()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover
