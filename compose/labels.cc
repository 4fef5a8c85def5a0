#include "compose/labels.h"

#include "base/text.h"

namespace drover::compose {
namespace {

constexpr std::uint64_t number_max = 1'000'000;  // beyond which it is no number of ours

std::optional<int> parse_container_number(std::string_view text) {
  const auto number = parse_uint(text);
  if (!number || *number == 0 || *number > number_max) return std::nullopt;
  return static_cast<int>(*number);
}

}  // namespace

std::string label_of(const std::map<std::string, std::string>& labels, std::string_view name) {
  const auto found = labels.find(std::string(name));
  return found == labels.end() ? std::string() : found->second;
}

std::string label_filter(std::string_view name, std::string_view value) {
  return std::string(name) + "=" + std::string(value);
}

bool is_one_off(const std::map<std::string, std::string>& labels) {
  return equals_ignoring_case(label_of(labels, oneoff_label), "true");
}

int container_number(const engine::ContainerDetails& container) {
  if (const auto number = parse_container_number(label_of(container, number_label))) return *number;
  const std::size_t separator = container.name.find_last_of("-_");
  if (separator == std::string::npos) return 1;
  return parse_container_number(std::string_view(container.name).substr(separator + 1)).value_or(1);
}

std::string short_id(std::string_view id) {
  return std::string(id.substr(0, 12));
}

}  // namespace drover::compose
