// Runs `docker-credential-<name> get`: no shell, bounded in time and output, and the answer must be about the host that was asked for.
#pragma once

#include "base/context.h"
#include "registry/credentials.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace drover::registry {

// A keychain may ask its user; nobody is there at night.
inline constexpr std::chrono::milliseconds credential_helper_timeout{10'000};
inline constexpr std::size_t credential_helper_bytes_max = 64 * 1024;

// [a-z0-9-]+ and nothing that a path or a shell could read more into.
bool is_credential_helper_name(std::string_view name);

// The helper's answer to `get`. Nothing when it says that it has none (docker-credential-helpers' "credentials not found"). Throws
// invalid for a bad helper name, server name or answer, not_found when there is no such program on `program_path`, failed when it fails.
// No message holds anything the helper printed.
std::optional<Credential> run_credential_helper(const Context& ctx, std::string_view helper, std::string_view server,
                                                std::string_view program_path);

// The answer's text alone; the pure part.
std::optional<Credential> parse_helper_answer(std::string_view text, std::string_view server);

}  // namespace drover::registry
