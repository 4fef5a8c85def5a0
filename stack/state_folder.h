// What drover remembers about this host between runs (docs/formats.md, "The state folder"): the ledger, and the locks that keep runs apart.
#pragma once

#include "base/context.h"
#include "base/file.h"
#include "stack/ledger.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace drover::stack {

inline constexpr std::chrono::seconds ledger_lock_patience{30};

// Thread-safe; several processes may use one folder.
class StateFolder {
 public:
  // The folder is made (0700) when something is first written to it.
  explicit StateFolder(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path ledger_file() const { return root_ / "ledger"; }
  // Where archives of volumes go unless somebody says otherwise.
  std::filesystem::path archive_folder() const { return root_ / "archive"; }

  // Empty where there is none yet. Throws data_safety, with the file and what to do, when there is one that cannot be read.
  Ledger read_ledger() const;
  // Reads, changes and replaces it under a lock, durably; nothing is written when nothing changed. Returns the new one. Throws what
  // read_ledger throws, locked after ledger_lock_patience, io.
  Ledger update_ledger(const Context& ctx, const std::function<Ledger(Ledger)>& change) const;

  // Whoever brings images into an engine holds it shared; whoever removes something, exclusive. Throws locked when the other kind is at work.
  FileLock lock_for_loading() const;
  FileLock lock_for_removal() const;

  // Whoever changes a project's containers on an engine, named by its endpoint. Throws locked when another run does.
  FileLock lock_for_run(const std::string& project, const std::string& engine) const;
  std::filesystem::path run_journal_file(const std::string& project, const std::string& engine) const;
  // Of containers that failed in the last run that changed something.
  std::filesystem::path run_log_folder(const std::string& project, const std::string& engine) const;

 private:
  FileLock lock(FileLock::Mode mode, const std::string& why_not) const;
  std::filesystem::path run_file(const std::string& project, const std::string& engine, std::string_view suffix) const;

  std::filesystem::path root_;
};

}  // namespace drover::stack
