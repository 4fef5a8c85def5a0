#include "base/text.h"
#include "net/transport.h"

#include <algorithm>

namespace drover::net {

void Headers::set(std::string name, std::string value) {
  std::erase_if(list_, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
  add(std::move(name), std::move(value));
}

void Headers::add(std::string name, std::string value) { list_.emplace_back(std::move(name), std::move(value)); }

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (auto header = list_.rbegin(); header != list_.rend(); ++header) {
    if (equals_ignoring_case(header->first, name)) return header->second;
  }
  return std::nullopt;
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [header, value] : list_) {
    if (equals_ignoring_case(header, name)) values.emplace_back(value);
  }
  return values;
}

}  // namespace drover::net
