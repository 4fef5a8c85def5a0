// Containers, networks and volumes of a fake engine that live: created, started, healthy, stopped, renamed, removed, with the events of it,
// and with what real engines refuse. How a container behaves is told by its image.
#pragma once

#include "tests/support/fake_engine.h"

#include <nlohmann/json_fwd.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace drover::test {

struct FakeImageBehaviour {
  std::string create_refusal = {};        // 400 with this text
  std::string start_refusal = {};         // 500 with this text
  std::optional<int> exits_with = {};     // at once after its start
  std::string health = {};                // "healthy", "unhealthy", "starting" for ever; empty: no health check
  std::string probe_output = {};          // of the failing check
  std::string log = {};
  int hook_exit_code = 0;
  std::string hook_output = {};
  bool stops_when_told = false;           // it takes until FakeStack::let_stop
};

// Thread-safe. Ends before the engine.
class FakeStack {
 public:
  explicit FakeStack(FakeEngine& engine);
  ~FakeStack();
  FakeStack(const FakeStack&) = delete;
  FakeStack& operator=(const FakeStack&) = delete;

  void set_behaviour(const std::string& image, FakeImageBehaviour behaviour);
  // `body` as for create. Its ID.
  std::string add_running(const std::string& name, const std::string& image, const nlohmann::json& body);
  void add_network(const std::string& name, std::map<std::string, std::string> labels, std::map<std::string, std::string> options = {});
  void let_stop();
  // "web-1 web:2 running\n" each by name, then "network shop_default 10.0.0.0/24: web-1(10.0.0.5)", the subnet where one was asked for.
  std::string text() const;
  std::string id_of(const std::string& name) const;
  std::map<std::string, std::string> files_of(const std::string& name) const;  // that were written, path and content

  // The next call of this kind ("create", "start", "stop", "rename", "remove", "connect", ...) on a container of that name does its work, and its
  // answer is lost; or, refused, is answered with this status after `then` was called.
  void lose_answer(const std::string& kind, const std::string& name);
  void refuse(const std::string& kind, const std::string& name, int status = 400, std::function<void()> then = {});
  // Containers without a restart policy are ended, those with "always" are started, as at a restart of an engine without live-restore.
  void restart();
  // "stop web-1", "start web-1": in the order in which they were done.
  std::vector<std::string> deeds() const;

 private:
  struct Container {
    std::string id;
    std::string name;
    std::string image;
    std::map<std::string, std::string> labels = {};
    std::vector<std::string> host_ports = {};
    std::string restart_policy = {};
    std::string status = "created";
    std::string health = {};
    std::int64_t exit_code = 0;
    std::int64_t restart_count = 0;
    std::map<std::string, std::string> networks = {};  // and the address asked for
    std::map<std::string, std::string> files = {};
  };
  struct Network {
    std::string id;
    std::map<std::string, std::string> labels = {};
    std::map<std::string, std::string> options = {};
    std::vector<std::string> subnets = {};
  };
  struct Refusal {
    std::string key;
    int status = 400;
    std::function<void()> then = {};
  };
  using Answer = FakeEngine::Answer;

  std::optional<Answer> answer(const EngineRequest& request);
  std::optional<Answer> route(std::unique_lock<std::mutex>& lock, const EngineRequest& request);
  std::optional<Answer> answer_container(std::unique_lock<std::mutex>& lock, const EngineRequest& request, const std::string& name, const std::string& action);
  std::optional<Answer> answer_network(const EngineRequest& request, const std::string& name, const std::string& action);
  Answer create(const EngineRequest& request);
  Answer start(Container& container);
  Answer stop(std::unique_lock<std::mutex>& lock, Container& container);
  Answer rename(Container& container, const std::string& name);
  Answer remove(Container& container, bool is_forced);
  Answer write(Container& container, const EngineRequest& request);
  Answer logs(const Container& container) const;
  std::optional<Answer> scripted(const std::string& kind, const std::string& name);
  std::string refused_address(const std::string& network, const std::string& address) const;
  std::string port_taken_by(const Container& container) const;
  Container* find(const std::string& name);
  void tell(const Container& container, const std::string& action);
  void note(const std::string& kind, const std::string& name) { deeds_.push_back(kind + " " + name); }
  void end(Container& container, std::int64_t code);
  const FakeImageBehaviour& behaviour(const Container& container) const;
  nlohmann::json inspect(const Container& container) const;
  nlohmann::json list() const;
  nlohmann::json list_networks() const;

  FakeEngine& engine_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, FakeImageBehaviour> behaviours_;
  std::map<std::string, Container> containers_;  // by ID
  std::map<std::string, Network> networks_;      // by name
  std::vector<std::string> losses_;              // "start web-1"
  std::vector<Refusal> refusals_;
  std::vector<std::string> deeds_;
  bool may_stop_ = false;
  int made_ = 0;
  std::int64_t clock_ = 1'700'000'000'000'000'000;  // nanoseconds; every event is 100 ms later than the last
};

}  // namespace drover::test
