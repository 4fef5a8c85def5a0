#include "stack/state_folder.h"

#include "base/error.h"
#include "base/text.h"
#include "digest/digest.h"
#include "stack/ledger_file.h"

namespace drover::stack {
namespace {

constexpr std::chrono::milliseconds lock_pause{5};

}  // namespace

Ledger StateFolder::read_ledger() const {
  try {
    const std::optional<std::string> bytes = try_read_file(ledger_file(), ledger_bytes_max);
    return bytes ? parse_ledger(*bytes) : Ledger();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid && error.code() != ErrorCode::size_mismatch) throw;
    throw Error(ErrorCode::data_safety, "the ledger of who owns which volume, " + ledger_file().string() + ", is no use: " + error.what() +
                                            "; bring it back from a backup, or move it away if every project is up, so that it begins anew");
  }
}

Ledger StateFolder::update_ledger(const Context& ctx, const std::function<Ledger(Ledger)>& change) const {
  create_directories_durably(root_);
  const auto deadline = ctx.clock->now() + ledger_lock_patience;
  std::optional<FileLock> lock;
  while (!(lock = FileLock::try_acquire(root_ / "ledger.lock", FileLock::Mode::exclusive))) {
    ctx.check_stop();
    if (ctx.clock->now() > deadline) {
      throw Error(ErrorCode::locked, "cannot write " + ledger_file().string() + ": another process has kept it locked for " +
                                         std::to_string(ledger_lock_patience.count()) + " s");
    }
    ctx.clock->sleep_for(lock_pause, ctx.stop);
  }
  const Ledger before = read_ledger();
  Ledger after = change(before);
  if (!(after == before)) write_file_durably(ledger_file(), to_bytes(after), 0600);
  return after;
}

FileLock StateFolder::lock(FileLock::Mode mode, const std::string& why_not) const {
  create_directories_durably(root_);
  std::optional<FileLock> lock = FileLock::try_acquire(root_ / "engine.lock", mode);
  if (!lock) throw Error(ErrorCode::locked, why_not + " (" + (root_ / "engine.lock").string() + ")");
  return *std::move(lock);
}

FileLock StateFolder::lock_for_loading() const {
  return lock(FileLock::Mode::shared, "a drover gc is removing things from an engine; try again when it is done");
}

FileLock StateFolder::lock_for_removal() const {
  return lock(FileLock::Mode::exclusive, "nothing was removed: another drover is bringing images into an engine, or removing things; try again when it is done");
}

// Project names are lower-case letters, digits, '-' and '_' (Compose spec); of any other nothing gets into a path.
std::filesystem::path StateFolder::run_file(const std::string& project, const std::string& engine, std::string_view suffix) const {
  constexpr std::size_t digits = 16;
  const std::string hash = Digest::of(engine).hex().substr(0, digits);
  return root_ / "runs" / (percent_encode(project) + "-" + hash + std::string(suffix));
}

std::filesystem::path StateFolder::run_journal_file(const std::string& project, const std::string& engine) const {
  return run_file(project, engine, ".json");
}

std::filesystem::path StateFolder::run_log_folder(const std::string& project, const std::string& engine) const {
  return run_file(project, engine, ".logs");
}

FileLock StateFolder::lock_for_run(const std::string& project, const std::string& engine) const {
  const std::filesystem::path file = run_file(project, engine, ".lock");
  create_directories_durably(file.parent_path());
  std::optional<FileLock> lock = FileLock::try_acquire(file, FileLock::Mode::exclusive);
  if (lock) return *std::move(lock);
  throw Error(ErrorCode::locked, "nothing was done: another drover is changing project " + printable(project) + " on " + engine +
                                     "; try again when it is done (" + file.string() + ")");
}

}  // namespace drover::stack
