// A scripted Docker Engine on a unix socket: answers as the real ones do, and misbehaves when told to.
#pragma once

#include "tests/support/fake_image_store.h"
#include "tests/support/fake_objects.h"
#include "tests/support/temp_dir.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::test {

struct FakeEngineOptions {
  std::string api_version = "1.41";
  std::string min_api_version = "1.12";
  std::string version = "20.10.24";
  std::string architecture = "amd64";
  bool is_containerd = false;
  bool is_podman = false;
  bool knows_head_ping = true;
  bool sends_api_version = true;
  std::filesystem::path socket{};  // empty: in a temporary folder of its own
};

// What the next load does; each is used up by one load.
enum class LoadFault {
  none,
  error_in_stream,    // 200, then errorDetail
  no_space,           // the same, of a full disk
  says_unpacked,      // 200, "Loaded image", and the image is listed and not unpacked: containerd store
  no_space_unpacking, // as no_space, after the image was listed: containerd store
  absent,             // 200, "Loaded image", and no such image
  wrong_id,           // the name shows another image
  close_mid_body,     // the connection ends after the first piece of the body
  close_mid_answer,   // the answer ends without its last chunk
  hang,               // no answer
  junk_line,          // a line that is no JSON between good ones
  split_answer,       // good, sent byte by byte
  status_500,         // refused before the body was read
  silent_forget,      // layers that the inventory named are not there any more
};

struct EngineRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;
};

// Thread-safe. One thread a connection; the destructor ends them all.
class FakeEngine {
 public:
  explicit FakeEngine(FakeEngineOptions options = {});
  ~FakeEngine();
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  const std::filesystem::path& socket() const;
  void add_image(FakeEngineImage image);
  // Answer to GET /containers/json, instead of the containers of objects().
  void set_containers(std::string json);
  // Next loads, in order; afterwards all are good.
  void script_loads(std::vector<LoadFault> faults);
  // Loads of more than one image fail as error_in_stream does.
  void refuse_several();
  // Loads whose body is there wait until this is called with false.
  void hold_loads(bool is_held);
  // A registry that this engine reaches: what a pull of that digest names, as image ID.
  void add_pullable(const std::string& digest, const std::string& image_id);
  // Pulls answer 500 with this text.
  void break_pulls(std::string message);
  // Pulls report this status on the way.
  void set_pull_status(std::string status);
  // Any call of this path (after the version) answers with this status, body and, each ended by \r\n, headers.
  void override_answer(const std::string& path, int status, std::string body, std::string headers = {});

  // GET /events: told to everybody who listens, and remembered as an engine does: the last 256. A JSON object.
  void tell_event(std::string json);
  // Everybody's stream of events ends.
  void end_events();
  void refuse_events(int status, std::string message);
  // As after an upgrade or a downgrade under its clients.
  void set_api_versions(std::string oldest, std::string newest);
  // The history is gone, as after a restart.
  void forget_events();
  // From now on no request is answered, /_ping neither; streams of events stay open, and silent. Requests that came meanwhile stay unanswered.
  void hang(bool is_hanging);
  std::size_t listeners() const;  // streams of events that are open
  // `change` sees containers, volumes and networks while no request is answered.
  void with_objects(const std::function<void(FakeObjects&)>& change);
  std::vector<std::string> image_tags() const;
  // Called once, before the first request that begins so ("DELETE /volumes/x") is answered; may change this engine.
  void before(const std::string& request, std::function<void()> action);

  struct Answer {
    int status = 200;
    std::string body = {};
    std::string raw = {};   // sent as it is instead, and the connection closed
    bool is_lost = false;   // the connection is closed instead
  };
  // Is asked before everybody else, on the connection's thread: several at once. Nothing: not its affair. An earlier one is not asked any more
  // when this returns.
  void answer_with(std::function<std::optional<Answer>(const EngineRequest&)> handler);
  // As an engine that restarts: every connection ends, and the next so many that are opened end at once.
  void go_away(std::size_t connections);

  std::vector<EngineRequest> requests() const;
  std::vector<std::string> targets() const;                          // "GET /v1.41/images/json"
  std::vector<std::map<std::string, std::string>> loads() const;     // files of each archive that arrived whole
  std::size_t loads_at_once_max() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::test
