// What the transport's tests share: sinks, requests and the texts of failures.
#pragma once

#include "base/error.h"
#include "net/transport.h"
#include "tests/support/loopback_server.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <mutex>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::net {

inline Request request_to(const std::string& url, std::string method = "GET") {
  Request request{.method = std::move(method), .url = Url::parse(url)};
  request.timeouts.first_byte = std::chrono::seconds(30);
  request.timeouts.connect = std::chrono::seconds(30);  // sanitizers on a busy machine
  return request;
}

// Collects a body; what it wants is given by two functions.
class TestSink final : public ResponseSink {
 public:
  std::function<bool(const ResponseHead&)> head = [](const ResponseHead&) { return true; };
  std::function<bool(std::span<const std::byte>)> piece = [](std::span<const std::byte>) { return true; };
  std::string body;
  int heads = 0;

  bool on_head(const ResponseHead& answer) override {
    ++heads;
    return head(answer);
  }
  bool on_body(std::span<const std::byte> bytes) override {
    body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return piece(bytes);
  }
};

// What a test and its server's threads share.
template <typename Value>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(Value value) : value_(std::move(value)) {}
  void operator=(Value value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
  }
  Value get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  Value value_{};
};

// The requests that a server saw.
class Seen {
 public:
  void add(const test::ServedRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  std::vector<test::ServedRequest> all() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  test::ServedRequest at(std::size_t index) const { return all().at(index); }
  test::ServedRequest last() const { return all().back(); }
  std::size_t size() const { return all().size(); }
  bool empty() const { return all().empty(); }

 private:
  mutable std::mutex mutex_;
  std::vector<test::ServedRequest> requests_;
};

struct Failure {
  ErrorCode code;
  std::string text;
  bool has(std::string_view part) const { return text.find(part) != std::string::npos; }
  friend std::ostream& operator<<(std::ostream& out, const Failure& failure) { return out << to_string(failure.code) << ": " << failure.text; }
};

// The Error that `action` ends with.
inline Failure failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  BOOST_FAIL("no failure");
  return {ErrorCode::failed, ""};
}

inline std::chrono::milliseconds time_of(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

inline std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>((i * 131) >> 3);
  return text;
}

}  // namespace drover::net
