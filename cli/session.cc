#include "cli/session.h"

#include "base/text.h"
#include "stack/project_words.h"
#include "stack/prune.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <utility>

namespace drover::cli {
namespace {

constexpr std::size_t compose_bytes_max = 16U << 20U;  // of standard input; real files stay below 200 kB

std::string read_standard_input() {
  std::string text;
  std::string piece(64U << 10U, '\0');
  while (std::cin.read(piece.data(), static_cast<std::streamsize>(piece.size())) || std::cin.gcount() > 0) {
    text.append(piece, 0, static_cast<std::size_t>(std::cin.gcount()));
    if (text.size() > compose_bytes_max) throw Error(ErrorCode::usage, "the compose file on standard input is larger than 16 MiB");
  }
  return text;
}

Platform parse_service_platform(const compose::NeededImage& needed) {
  try {
    return Platform::parse(needed.platform);
  } catch (Error& error) {
    throw error.add_frame("service " + join(needed.services, ", "));
  }
}

}  // namespace

Session::Session(const Flags& flags, const Settings& settings, const Environment& environment, const Context& ctx, Output& output,
                 Screen& screen, ProgressDisplay& display)
    : flags_(flags), settings_(settings), environment_(environment), ctx_(ctx), output_(output), screen_(screen), display_(display) {}

Session::~Session() = default;

void Session::write_now(std::string_view text) {
  screen_.without_frame([&] { output_.write_now(text); });
}

std::unique_ptr<Session> Session::begin_anew() const {
  return std::make_unique<Session>(flags_, settings_, environment_, ctx_, output_, screen_, display_);
}

net::Transport& Session::transport() {
  std::error_code ignored;
  if (!settings_.ca_file.empty() && !std::filesystem::exists(settings_.ca_file, ignored)) {
    throw Error(ErrorCode::usage, "--cacert " + printable(settings_.ca_file.string()) + ": no such file");
  }
  if (!transport_) transport_ = std::make_unique<net::Transport>(net::TransportOptions{.user_agent = "drover/" DROVER_VERSION, .ca_file = settings_.ca_file});
  return *transport_;
}

registry::Client& Session::registry(const RetryPolicy& retry) {
  if (!registry_) {
    registry::ClientOptions options = settings_.registry;
    options.retry = retry;
    auto client = std::make_unique<registry::Client>(transport(), std::move(options));
    client->check_mirror_files();
    registry_ = std::move(client);
  }
  return *registry_;
}

engine::Client& Session::engine() {
  if (!engine_) engine_ = std::make_unique<engine::Client>(transport(), engine::find_endpoint(settings_.endpoint, environment_));
  return *engine_;
}

engine::Inventory Session::take_inventory() {
  try {
    return engine::take_inventory(ctx_, engine(), settings_.jobs);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted || error.code() == ErrorCode::usage) throw;
    throw Error(ErrorCode::refused, std::string("nothing was changed, the engine cannot be used: ") + error.what());
  }
}

stack::StateFolder Session::state() const {
  if (settings_.state.empty()) {
    throw Error(ErrorCode::usage, "no folder for drover's memory of this host: neither --state-dir nor DROVER_STATE nor HOME is set; name one with --state-dir DIR");
  }
  return stack::StateFolder(settings_.state);
}

void Session::remember(const std::function<void(const stack::StateFolder&)>& note) {
  if (settings_.state.empty()) return;
  try {
    note(state());
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    ctx_.warn(std::string("drover gc will not know of this run: ") + error.what());
  }
}

void Session::look() { end_look(begin_look()); }

std::future<void> Session::begin_look() {
  if (settings_.state.empty()) return {};
  std::vector<stack::ProjectWords> projects;
  if (project_) projects.push_back(stack::words_of(*project_));
  return std::async(std::launch::async, [this, &client = engine(), projects = std::move(projects)] { stack::look(ctx_, client, state(), projects); });
}

void Session::end_look(std::future<void> looking) {
  if (!looking.valid()) return;
  remember([&](const stack::StateFolder&) { looking.get(); });
}

void Session::note_prefetched(const std::vector<stack::Ledger::Prefetched>& records) {
  remember([&](const stack::StateFolder& state) {
    state.update_ledger(ctx_, [&](stack::Ledger ledger) {
      for (const stack::Ledger::Prefetched& record : records) ledger = stack::note_prefetched(std::move(ledger), record);
      return ledger;
    });
  });
}

std::optional<FileLock> Session::lock_for_loading() {
  if (settings_.state.empty()) return std::nullopt;
  try {
    return state().lock_for_loading();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::io && error.code() != ErrorCode::no_space) throw;
    ctx_.warn(std::string("a drover gc at the same time could remove what is loaded: ") + error.what());
    return std::nullopt;
  }
}

store::BlobStore Session::open_store(store::BlobStore::Access access) const {
  if (settings_.store.empty()) {
    throw Error(ErrorCode::usage, "no folder for the store: neither --store nor DROVER_STORE nor HOME is set; name one with --store DIR");
  }
  return store::BlobStore::open(settings_.store, access);
}

std::optional<store::BlobStore> Session::try_open_store() const {
  if (settings_.store.empty()) return std::nullopt;
  try {
    return store::BlobStore::open(settings_.store, store::BlobStore::Access::read);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) return std::nullopt;
    throw;
  }
}

std::vector<Reference> Session::references() const {
  std::vector<Reference> references;
  for (const std::string& text : flags_.references) {
    try {
      const Reference reference = Reference::parse(text);
      if (std::find(references.begin(), references.end(), reference) == references.end()) references.push_back(reference);
    } catch (const Error& error) {
      throw Error(ErrorCode::usage, error.what());
    }
  }
  return references;
}

std::vector<Reference> Session::some_references(std::string_view remedy) const {
  std::vector<Reference> references = this->references();
  if (references.empty()) throw Error(ErrorCode::usage, "no image is named; " + std::string(remedy));
  return references;
}

const compose::Project& Session::project() { return load_project(settings_.compose); }

const compose::Project& Session::project_of_images() {
  compose::LoadOptions options = settings_.compose;
  options.service_files = compose::ServiceFiles::skip;
  return load_project(options);
}

Session::KnownProject Session::known_project() {
  compose::LoadOptions options = settings_.compose;
  if (options.files.empty() && options.project_name) return {.name = *options.project_name};
  options.services.clear();
  options.resources = compose::Resources::all;
  options.service_files = compose::ServiceFiles::skip;
  try {
    const compose::Project& project = load_project(options);
    return {.name = project.name, .files = &project};
  } catch (const Error& error) {
    const auto name = environment_.find("COMPOSE_PROJECT_NAME");
    if (error.code() != ErrorCode::usage || name == environment_.end() || name->second.empty()) throw;
    return {.name = name->second};
  }
}

std::set<std::string> Session::KnownProject::services() const {
  std::set<std::string> names;
  if (files == nullptr) return names;
  for (const compose::Service& service : files->services) names.insert(service.name);
  names.insert(files->disabled_services.begin(), files->disabled_services.end());
  return names;
}

const compose::Project& Session::load_project(const compose::LoadOptions& given) {
  if (project_) return *project_;
  compose::LoadOptions options = given;
  if (std::find(options.files.begin(), options.files.end(), "-") != options.files.end()) options.standard_input = read_standard_input();
  project_ = compose::load_project(options);
  for (const std::string& warning : project_->warnings) ctx_.warn(warning);
  return *project_;
}

bool Session::has_project() {
  try {
    project_of_images();
    return true;
  } catch (const Error& error) {
    return error.code() != ErrorCode::usage && error.code() != ErrorCode::not_found;  // a broken file is one all the same
  }
}

std::vector<stack::WantedImage> Session::wanted_images() {
  std::vector<stack::WantedImage> wanted;
  if (!flags_.references.empty()) {
    for (const Reference& reference : references()) wanted.push_back({.reference = reference, .platform = {}, .services = {}});
    return wanted;
  }
  for (const compose::NeededImage& needed : compose::needed_images(project_of_images())) {
    stack::WantedImage image{.reference = needed.reference, .platform = {}, .services = needed.services};
    if (!needed.platform.empty()) image.platform = parse_service_platform(needed);
    wanted.push_back(std::move(image));
  }
  const std::vector<std::string> built = compose::built_services(project_of_images());
  if (!built.empty()) ctx_.warn("built, not pulled, and so left out: " + join(built, ", "));
  return wanted;
}

registry::PullOptions Session::pull_options(const registry::PlatformChoice& default_platforms) const {
  return {.platforms = settings_.platforms.value_or(default_platforms),
          .jobs = settings_.jobs,
          .rate_bytes_per_second = settings_.rate_bytes_per_second};
}

void Session::report(const Error& error) { screen_.write_line(error_line(error, ctx_.clock->system_now())); }

ExitCode Session::finish(const std::vector<Error>& failures) {
  for (const Error& failure : failures) report(failure);
  return exit_code(failures);
}

}  // namespace drover::cli
