#include "cli/output.h"

#include "base/error.h"

#include <nlohmann/json.hpp>

namespace drover::cli {

void Output::set_document(const nlohmann::ordered_json& document) {
  if (is_json()) document_ = document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void Output::write_text(std::string_view text) {
  if (!is_json()) document_ += text;
}

void Output::write_raw(std::string_view text) { out_ << text; }

void Output::write_now(std::string_view text) {
  if (is_broken_) return;
  out_ << text << std::flush;
  is_broken_ = !out_;
  if (is_broken_) throw Error(ErrorCode::io, "cannot write the result to standard output: it is closed or full");
}

void Output::finish() { write_now(document_); }

}  // namespace drover::cli
