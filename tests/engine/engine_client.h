// A client of a fake engine.
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "engine/client.h"
#include "tests/support/fake_engine.h"
#include "tests/support/recording_progress.h"

#include <functional>
#include <optional>
#include <string>

namespace drover::test {

inline engine::Endpoint endpoint_of(const std::filesystem::path& socket) {
  return engine::find_endpoint({.host = "unix://" + socket.string(), .context = {}}, {});
}

struct EngineClient {
  explicit EngineClient(FakeEngineOptions options = {}, std::optional<std::string> pinned = {}) : fake(std::move(options)) {
    engine::Endpoint endpoint = endpoint_of(fake.socket());
    endpoint.api_version = std::move(pinned);
    client.emplace(transport, std::move(endpoint));
    ctx.log = &log;
  }

  FakeEngine fake;
  net::Transport transport;
  std::optional<engine::Client> client;
  RecordingLog log;
  Context ctx;
};

struct Failure {
  ErrorCode code = ErrorCode::failed;
  std::string text = "no failure";
};

inline Failure failure_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

}  // namespace drover::test
