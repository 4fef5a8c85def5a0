// The tools that drover is measured beside: which there are, which of them are here, and the words of each command line. Pure,
// but for the look at PATH. No command line ever holds a credential: every tool reads its own files, as drover does.
#pragma once

#include "manifest/platform.h"
#include "manifest/reference.h"
#include "registry/blob_address.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

enum class BenchKind { sha256, pull, load };

// For --against, in the order of the rows.
std::vector<std::string> tool_names(BenchKind kind);
// "{openssl,sha256sum}": as the help and completion show them.
std::string tool_choices(BenchKind kind);

struct FoundTool {
  std::string name;
  std::filesystem::path program;
};

// Those of `asked`; without any, those that are used unasked and are in the folders of `search_path` (PATH's form). "none" alone
// is nobody. Throws usage for an unknown one, with what was meant; refused for one that was asked for and is not there.
std::vector<FoundTool> find_tools(BenchKind kind, const std::vector<std::string>& asked, std::string_view search_path);

// What one round of a tool runs: argument lists without the program, one after the other or all at once.
struct ToolRun {
  std::vector<std::vector<std::string>> commands;
  bool is_at_once = false;
};

ToolRun hash_run(std::string_view tool, const std::filesystem::path& file);

// An image as the tools are to be told of it.
struct RemoteImage {
  Reference reference;
  enum class Trust { verified, unverified, plain_http } trust = Trust::verified;
};

struct PullTask {
  std::vector<RemoteImage> images;
  Platform platform;
  std::size_t jobs = 8;
  std::filesystem::path folder;                // of this tool's own, empty
  std::vector<std::string> engine_words = {};  // docker's: "-H", "unix:///…"
};

// For curl: `curl_config` has to be in curl_config_file(task) by then.
ToolRun pull_run(std::string_view tool, const PullTask& task);

std::filesystem::path curl_config_file(const PullTask& task);
// Every blob of `blobs` into a file of its own below the task's folder, several at once, nothing verified: the floor for
// everybody. May hold tokens: for a file that nobody else can read.
std::string curl_config(const std::vector<registry::BlobAddress>& blobs, const PullTask& task);

// An image in an OCI layout, or in an archive that `docker load` reads.
struct LoadTask {
  std::vector<Reference> references;
  Platform platform;
  std::filesystem::path store;                  // skopeo's source
  std::vector<std::filesystem::path> archives;  // docker's, one a reference
  std::vector<std::string> engine_words = {};   // docker's
  std::string engine_url = {};                  // skopeo's: "unix:///var/run/docker.sock"
};

ToolRun load_run(std::string_view tool, const LoadTask& task);

}  // namespace drover::cli
