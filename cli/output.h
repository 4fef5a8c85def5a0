// Results to standard output: a short text, or exactly one JSON document.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <ostream>
#include <string>
#include <string_view>

namespace drover::cli {

enum class OutputFormat { text, json };

// Holds the document until finish(), so that a run writes one and only one.
class Output {
 public:
  Output(std::ostream& out, OutputFormat format) : out_(out), format_(format) {}

  bool is_json() const { return format_ == OutputFormat::json; }
  // The run's one document; with OutputFormat::text it is dropped.
  void set_document(const nlohmann::ordered_json& document);
  bool has_document() const { return is_json() && !document_.empty(); }
  // For people, written by finish(), when no progress is drawn any more; with OutputFormat::json it is dropped.
  void write_text(std::string_view text);
  // For programs that asked for something else than JSON, e.g. a completion script: always written.
  void write_raw(std::string_view text);
  // For what goes on for long: written at once, whatever the format. Throws io when standard output cannot take it.
  void write_now(std::string_view text);
  // Writes the document. Throws io when standard output cannot take what was written, unless write_now() has told of it.
  void finish();

 private:
  std::ostream& out_;
  OutputFormat format_;
  std::string document_;
  bool is_broken_ = false;  // and somebody was told
};

}  // namespace drover::cli
