#include "net/link_header.h"

#include "base/text.h"

namespace drover::net {
namespace {

// The end of one parameter or link: the first of `marks` outside of quotes.
std::size_t find_outside_quotes(std::string_view text, std::string_view marks) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && marks.find(text[i]) != std::string_view::npos) {
      return i;
    }
  }
  return text.size();
}

bool is_next(std::string_view parameter) {
  const std::size_t equals = parameter.find('=');
  if (equals == std::string_view::npos || !equals_ignoring_case(trim(parameter.substr(0, equals)), "rel")) return false;
  std::string_view relations = trim(parameter.substr(equals + 1));
  if (relations.size() >= 2 && relations.front() == '"' && relations.back() == '"') relations = relations.substr(1, relations.size() - 2);
  for (const std::string_view relation : split(relations, ' ')) {
    if (equals_ignoring_case(relation, "next")) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> find_next_link(std::string_view link) {
  while (true) {
    const std::size_t open = link.find('<');
    if (open == std::string_view::npos) return std::nullopt;
    const std::size_t close = link.find('>', open);
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view target = trim(link.substr(open + 1, close - open - 1));
    link.remove_prefix(close + 1);

    const std::size_t end = find_outside_quotes(link, ",");
    std::string_view parameters = link.substr(0, end);
    link.remove_prefix(end);
    while (!parameters.empty()) {
      parameters.remove_prefix(1);  // the ';', or what stands in its place
      const std::size_t parameter_end = find_outside_quotes(parameters, ";");
      if (is_next(parameters.substr(0, parameter_end)) && !target.empty()) return std::string(target);
      parameters.remove_prefix(parameter_end);
    }
  }
}

}  // namespace drover::net
