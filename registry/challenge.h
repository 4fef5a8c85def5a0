// WWW-Authenticate: what a server wants to see before it answers (RFC 9110 section 11.6.1).
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::registry {

// Real challenges are below 1 KiB each and at most four; beyond these limits the rest is not read.
inline constexpr std::size_t challenge_bytes_max = 16 * 1024;
inline constexpr std::size_t challenges_max = 16;
inline constexpr std::size_t challenge_parameters_max = 32;

struct Challenge {
  std::string scheme;                             // lower case: "bearer", "basic", "negotiate"
  std::map<std::string, std::string> parameters;  // names in lower case, values unquoted; the first of a name counts

  // Empty when there is none.
  std::string_view parameter(std::string_view name) const;
};

// All challenges of all headers, in order. Several in one header, missing commas and unquoted URLs are read as they are meant; what cannot
// be read is left out. Never throws: a server that is not understood is one without a usable challenge.
std::vector<Challenge> parse_challenges(std::span<const std::string_view> headers);

// The first of that scheme (lower case).
const Challenge* find_challenge(std::span<const Challenge> challenges, std::string_view scheme);

}  // namespace drover::registry
