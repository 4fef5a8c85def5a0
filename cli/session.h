// One run of one command: its settings, where it prints, and the services it may open.
#pragma once

#include "base/context.h"
#include "cli/exit_code.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/settings.h"
#include "compose/project.h"
#include "engine/client.h"
#include "engine/inventory.h"
#include "net/transport.h"
#include "registry/client.h"
#include "stack/prefetch.h"
#include "store/blob_store.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::cli {

// Services are opened when they are asked for first. Not thread-safe, the services are.
class Session {
 public:
  Session(const Flags& flags, const Settings& settings, const Environment& environment, const Context& ctx, Output& output, Screen& screen);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Flags& flags() const { return flags_; }
  const Settings& settings() const { return settings_; }
  const Context& ctx() const { return ctx_; }
  Output& output() { return output_; }

  registry::Client& registry();
  engine::Client& engine();
  // Throws refused, with the engine's address, when it cannot be used.
  engine::Inventory take_inventory();
  store::BlobStore open_store(store::BlobStore::Access access) const;
  // Nothing when there is no store yet.
  std::optional<store::BlobStore> try_open_store() const;

  // REF words, parsed, each once. Throws usage for a bad one.
  std::vector<Reference> references() const;
  // The same, but at least one, else a usage error that ends with `remedy`.
  std::vector<Reference> some_references(std::string_view remedy) const;
  // Once read, the same for the whole run. Its warnings go to the log.
  const compose::Project& project();
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
  net::Transport& transport();

  const Flags& flags_;
  const Settings& settings_;
  const Environment& environment_;
  Context ctx_;
  Output& output_;
  Screen& screen_;
  std::unique_ptr<net::Transport> transport_;
  std::unique_ptr<registry::Client> registry_;
  std::unique_ptr<engine::Client> engine_;
  std::optional<compose::Project> project_;
};

}  // namespace drover::cli
