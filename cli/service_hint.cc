#include "cli/service_hint.h"

#include "base/text.h"

#include <algorithm>
#include <vector>

namespace drover::cli {
namespace {

// What was typed for it; empty for what names more than a service can be called.
std::string word_of(const Session& session, const Reference& reference) {
  for (const std::string& word : session.flags().references) {
    if (word.find_first_of("/:@") == std::string::npos && Reference::parse(word) == reference) return word;
  }
  return {};
}

bool says_there_is_none(const Error& error) {
  return error.code() == ErrorCode::not_found || error.code() == ErrorCode::authentication;
}

// Whatever is wrong with the compose files is no part of this failure.
std::string find_hint(Session& session, const std::string& word) {
  try {
    return service_hint(session.project_of_images(), word);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

std::string service_hint(const compose::Project& project, const std::string& name) {
  const auto service = std::find_if(project.services.begin(), project.services.end(),
                                    [&](const compose::Service& each) { return each.name == name; });
  if (service == project.services.end()) return {};
  const std::string text = printable(name) + " is also a service of the compose project";
  const std::vector<std::string> built = compose::built_services(project);
  if (std::find(built.begin(), built.end(), name) != built.end()) return text + ", which builds its image: docker compose build " + printable(name);
  return text + ": name its image, " + printable(service->image.value_or("")) + ", or run drover prefetch for all of the project";
}

Error with_service_hint(Session& session, const Reference& reference, const Error& error) {
  const std::string word = says_there_is_none(error) ? word_of(session, reference) : std::string();
  const std::string hint = word.empty() ? std::string() : find_hint(session, word);
  if (hint.empty()) return error;
  Error told(error.code(), std::string(error.what()) + "; " + hint);
  told.is_final = error.is_final;
  told.http_status = error.http_status;
  told.retry_at = error.retry_at;
  return told;
}

}  // namespace drover::cli
