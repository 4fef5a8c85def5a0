// One run of one command: its settings, where it prints, and the services it may open.
#pragma once

#include "base/context.h"
#include "cli/exit_code.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/screen.h"
#include "cli/settings.h"
#include "compose/project.h"
#include "engine/client.h"
#include "engine/inventory.h"
#include "net/transport.h"
#include "registry/client.h"
#include "stack/prefetch.h"
#include "stack/state_folder.h"
#include "store/blob_store.h"

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drover::cli {

// Services are opened when they are asked for first. Not thread-safe, the services are.
class Session {
 public:
  Session(const Flags& flags, const Settings& settings, const Environment& environment, const Context& ctx, Output& output, Screen& screen,
          ProgressDisplay& display);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The same words with nothing opened and nothing learned: what a new process would begin with.
  std::unique_ptr<Session> begin_anew() const;

  const Flags& flags() const { return flags_; }
  const Settings& settings() const { return settings_; }
  const Environment& environment() const { return environment_; }
  const Context& ctx() const { return ctx_; }
  Output& output() { return output_; }
  // For results that are due before the end: at once, and clear of what is drawn. Throws io when standard output cannot take them.
  void write_now(std::string_view text);
  // Where services are shown; transfers are by ctx().progress.
  ProgressDisplay& display() { return display_; }

  net::Transport& transport();
  // Made when it is first asked for, with that patience.
  registry::Client& registry(const RetryPolicy& retry = {});
  engine::Client& engine();
  // Throws refused, with the engine's address, when it cannot be used.
  engine::Inventory take_inventory();
  // Throws usage when there is no place for it.
  stack::StateFolder state() const;
  // Notes what the engine holds now, and what the project's compose file says, in the state folder; a warning when that fails, since the
  // command's own work is done.
  void look();
  // The same on a thread of its own, for commands that wait for other things meanwhile. A future that is dropped waits and says nothing.
  std::future<void> begin_look();
  void end_look(std::future<void> looking);
  // The same for images that an update will need.
  void note_prefetched(const std::vector<stack::Ledger::Prefetched>& records);
  // While images are brought into the engine no drover gc removes anything. Throws locked; nothing, with a warning, when there is no place
  // for the lock.
  std::optional<FileLock> lock_for_loading();
  store::BlobStore open_store(store::BlobStore::Access access) const;
  // Nothing when there is no store yet.
  std::optional<store::BlobStore> try_open_store() const;

  // REF words, parsed, each once. Throws usage for a bad one.
  std::vector<Reference> references() const;
  // The same, but at least one, else a usage error that ends with `remedy`.
  std::vector<Reference> some_references(std::string_view remedy) const;
  // Once read, the same for the whole run. Its warnings go to the log.
  const compose::Project& project();
  // The same for those who only want its images: files that its services take variables from need not be there. One of the two a run.
  const compose::Project& project_of_images();
  // For those who look at what runs, or change it: the compose files whole, whatever services the line names; or the name alone, where one
  // is given and no file is, as docker compose has it: -p without -f, and COMPOSE_PROJECT_NAME where there are no files.
  struct KnownProject {
    std::string name;
    const compose::Project* files = nullptr;

    std::set<std::string> services() const;  // that the files have, in profiles that are on or not
  };
  KnownProject known_project();
  // Is there a compose file where one is looked for?
  bool has_project();
  // The given references, else what the compose project needs; names what is built instead.
  std::vector<stack::WantedImage> wanted_images();

  registry::PullOptions pull_options(const registry::PlatformChoice& default_platforms) const;

  // One line on standard error; the run goes on.
  void report(const Error& error);
  // Reports each and says how a run with these failures ends.
  ExitCode finish(const std::vector<Error>& failures);

 private:
  void remember(const std::function<void(const stack::StateFolder&)>& note);
  const compose::Project& load_project(const compose::LoadOptions& options);

  const Flags& flags_;
  const Settings& settings_;
  const Environment& environment_;
  Context ctx_;
  Output& output_;
  Screen& screen_;
  ProgressDisplay& display_;
  std::unique_ptr<net::Transport> transport_;
  std::unique_ptr<registry::Client> registry_;
  std::unique_ptr<engine::Client> engine_;
  std::optional<compose::Project> project_;
};

}  // namespace drover::cli
