#include "engine/hijack.h"

#include "base/text.h"
#include "tests/engine/engine_client.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>

using namespace drover;
using namespace std::chrono_literals;
using engine::InputSource;
using engine::LogFormat;
using engine::OutputStream;
using test::EngineClient;
using test::failure_of;

BOOST_AUTO_TEST_SUITE(hijack)

namespace {

// Gives its output at once, or once its input has ended; a stop ends every wait.
class ScriptedStream final : public net::RawStream {
 public:
  std::string output;
  bool waits_for_input = false;
  bool refuses_input = false;
  bool stays_open = false;
  std::string input;
  bool is_ended = false;

  std::size_t read(const Context& ctx, std::span<std::byte> space) override {
    std::unique_lock lock(mutex_);
    if (waits_for_input) changed_.wait(lock, ctx.stop, [&] { return is_ended; });
    if (output.empty() && stays_open) changed_.wait(lock, ctx.stop, [] { return false; });
    ctx.check_stop();
    const std::size_t size = std::min(space.size(), output.size());
    std::memcpy(space.data(), output.data(), size);
    output.erase(0, size);
    return size;
  }
  void write(const Context& ctx, std::span<const std::byte> bytes) override {
    ctx.check_stop();
    if (refuses_input) throw Error(ErrorCode::network, "cut");
    const std::scoped_lock lock(mutex_);
    input += as_text(bytes);
  }
  void end_writing(const Context&) override {
    const std::scoped_lock lock(mutex_);
    is_ended = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
};

InputSource typed(std::string text) {
  return [text = std::move(text)](const Context&, std::span<std::byte> space) mutable {
    const std::size_t size = std::min(space.size(), text.size());
    std::memcpy(space.data(), text.data(), size);
    text.erase(0, size);
    return size;
  };
}

std::string talk(const Context& ctx, net::RawStream& stream, LogFormat format, const InputSource& input) {
  std::string said;
  engine::converse(ctx, stream, format, input, [&](OutputStream which, std::span<const std::byte> bytes) {
    said += which == OutputStream::standard_error ? "e:" : "o:";
    said += as_text(bytes);
  });
  return said;
}

}  // namespace

BOOST_AUTO_TEST_CASE(input_and_output_go_over_one_connection) {
  EngineClient engine({.api_version = "1.45"});
  const engine::Hijacked hijacked = engine::hijack(engine.ctx, *engine.client, "/exec/x/start", {{"Detach", false}, {"Tty", false}});

  BOOST_REQUIRE(hijacked.stream != nullptr);
  BOOST_TEST((hijacked.format == LogFormat::frames));
  BOOST_TEST(talk(engine.ctx, *hijacked.stream, LogFormat::frames, typed("some words")) == "o:ready\ne:got some words");
  BOOST_TEST(engine.fake.targets().back() == "POST /v1.45/exec/x/start");
  BOOST_TEST(engine.fake.requests().back().body == R"({"Detach":false,"Tty":false})");
  engine.client->get(engine.ctx, "/version");  // the client goes on
}

BOOST_AUTO_TEST_CASE(an_engine_that_does_not_tell_the_format_is_not_believed) {
  EngineClient engine({.api_version = "1.41"});
  BOOST_TEST(!engine::hijack(engine.ctx, *engine.client, "/exec/x/start", nullptr).format.has_value());
}

BOOST_AUTO_TEST_CASE(a_refusal_comes_with_the_engines_words) {
  EngineClient engine;
  engine.fake.override_answer("/exec/x/start", 409, R"({"message":"container is not running"})");
  const auto failure = failure_of([&] { engine::hijack(engine.ctx, *engine.client, "/exec/x/start", nullptr); });
  BOOST_TEST((failure.code == ErrorCode::engine));
  BOOST_TEST(contains(failure.text, "POST /exec/x/start: the engine answered 409: container is not running"), failure.text);

  engine.fake.override_answer("/exec/y/start", 200, "{}");
  BOOST_TEST((failure_of([&] { engine::hijack(engine.ctx, *engine.client, "/exec/y/start", nullptr); }).code == ErrorCode::unsupported));
}

BOOST_AUTO_TEST_CASE(an_engine_that_hangs_is_given_up_by_the_deadline) {
  EngineClient engine;
  engine.client->api_version(engine.ctx);
  engine.fake.hang(true);
  const auto failure = failure_of([&] { engine::hijack(engine.ctx.within(20ms), *engine.client, "/exec/x/start", nullptr); });
  BOOST_TEST(contains(failure.text, "not done before the deadline"), failure.text);
}

BOOST_AUTO_TEST_CASE(the_input_has_an_end_and_the_output_is_read_after_it) {
  ScriptedStream stream;
  stream.output = "done";
  stream.waits_for_input = true;
  BOOST_TEST(talk({}, stream, LogFormat::raw, typed(std::string(100'000, 'x'))) == "o:done");
  BOOST_TEST(stream.input.size() == 100'000U);
}

BOOST_AUTO_TEST_CASE(without_input_nothing_is_ended) {
  ScriptedStream stream;
  stream.output = "done";
  BOOST_TEST(talk({}, stream, LogFormat::raw, {}) == "o:done");
  BOOST_TEST(!stream.is_ended);
}

BOOST_AUTO_TEST_CASE(a_process_that_ends_first_ends_the_conversation) {
  ScriptedStream stream;
  stream.output = "done";
  stream.refuses_input = true;
  BOOST_TEST(talk({}, stream, LogFormat::raw, typed("unread")) == "o:done");

  // Nobody types anything: the source is told that there is nobody to type to.
  ScriptedStream other;
  other.output = "done";
  const InputSource nobody = [](const Context& ctx, std::span<std::byte>) -> std::size_t {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, ctx.stop, [] { return false; });
    ctx.check_stop();
    return 0;
  };
  BOOST_TEST(talk({}, other, LogFormat::raw, nobody) == "o:done");
}

BOOST_AUTO_TEST_CASE(what_breaks_either_side_comes_out) {
  ScriptedStream stream;
  stream.stays_open = true;
  const InputSource broken = [](const Context&, std::span<std::byte>) -> std::size_t { throw Error(ErrorCode::io, "cannot read the input"); };
  BOOST_TEST((failure_of([&] { talk({}, stream, LogFormat::raw, broken); }).code == ErrorCode::io));

  ScriptedStream garbled;
  garbled.output = "not in frames";
  garbled.waits_for_input = true;
  BOOST_TEST((failure_of([&] { talk({}, garbled, LogFormat::frames, typed("x")); }).code == ErrorCode::invalid));
}

BOOST_AUTO_TEST_SUITE_END()
