// From compose files to one merged tree: parse, interpolate, include, extends, merge, check; file by file, document by document.
#pragma once

#include "compose/dotenv.h"
#include "compose/node.h"
#include "compose/yaml.h"

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace drover::compose {

inline constexpr std::size_t project_bytes_max = std::size_t{16} * 1024 * 1024;  // of all compose files of a project together
inline constexpr std::size_t project_reads_max = 1000;                           // files, an included one counted each time
inline constexpr std::size_t project_nodes_max = 1'000'000;                      // that extends may copy
inline constexpr std::size_t include_depth_max = 16;
inline constexpr std::size_t extends_depth_max = 100;

// Files that are merged in order, and what they share.
struct ModelSource {
  std::vector<std::filesystem::path> files;  // absolute, or "-" for standard input
  std::filesystem::path directory;           // relative paths in all of them start here
  Environment environment;
  std::vector<std::filesystem::path> including;  // the files whose `include` led here, outermost first
};

// Holds what one load of a project shares: the bounds above and the list of warnings. Not thread-safe.
class ModelLoader {
 public:
  // Both must outlive the loader.
  ModelLoader(const std::string& standard_input, WarningList& warnings) : standard_input_(standard_input), warnings_(warnings) {}

  // Merged, checked against the schema, with absolute paths; still with all profiles. Throws invalid, not_found or unsupported.
  Node load(const ModelSource& source);

  // The documents of one file, untouched; remembered, so that a pipe is read once.
  const std::vector<YamlDocument>& read_documents(const std::filesystem::path& file);

  // A file that a service extends from: interpolated, its documents merged, paths relative to its own folder; not checked.
  YamlDocument load_base_file(const std::filesystem::path& file, const Environment& environment);

  WarningList& warnings() { return warnings_; }
  // Counts nodes that are about to be copied, against project_nodes_max.
  void count_copied(const Node& node);

 private:
  Node add_document(Node project, YamlDocument document, const std::filesystem::path& file, const ModelSource& source);
  YamlDocument interpolated(const YamlDocument& document, const Environment& environment);

  const std::string& standard_input_;
  WarningList& warnings_;
  std::map<std::filesystem::path, std::vector<YamlDocument>> documents_;
  std::size_t bytes_ = 0;
  std::size_t reads_ = 0;
  std::size_t copied_ = 0;
};

// How Interpolator and env files look into an Environment, which must outlive the result.
VariableLookup lookup_in(const Environment& environment);

}  // namespace drover::compose
