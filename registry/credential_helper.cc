#include "registry/credential_helper.h"

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "registry/json_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::registry {
namespace {

using nlohmann::json;

// A newline would end the question and begin another one (CVE-2020-11008 was that, in git).
bool is_safe_server_name(std::string_view server) {
  return !server.empty() && std::all_of(server.begin(), server.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool says_not_found(std::string_view output) {
  const std::string text = to_lower(output.substr(0, 400));
  return text.find("credentials not found") != std::string::npos || text.find("no credentials") != std::string::npos;
}

}  // namespace

bool is_credential_helper_name(std::string_view name) {
  constexpr std::size_t name_bytes_max = 64;
  return !name.empty() && name.size() <= name_bytes_max &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

std::optional<Credential> parse_helper_answer(std::string_view text, std::string_view server) {
  const json answer = json::parse(text, nullptr, false);
  if (!answer.is_object()) throw Error(ErrorCode::invalid, "its answer is not a JSON object");
  const std::string answered_for = text_member(answer, "ServerURL");
  if (!answered_for.empty() && parse_credential_key(answered_for).registry != parse_credential_key(server).registry) {
    throw Error(ErrorCode::invalid, "it answered for another server than " + printable(server));
  }
  Credential credential;
  credential.username = text_member(answer, "Username");
  Secret secret(text_member(answer, "Secret"));
  if (secret.empty()) return std::nullopt;
  (credential.username == "<token>" ? credential.identity_token : credential.password) = std::move(secret);
  return credential;
}

std::optional<Credential> run_credential_helper(const Context& ctx, std::string_view helper, std::string_view server,
                                                std::string_view program_path) {
  if (!is_credential_helper_name(helper)) {
    throw Error(ErrorCode::invalid, "credential helper name '" + printable(helper, 80) + "' is not made of a-z, 0-9 and '-'");
  }
  const std::string program = "docker-credential-" + std::string(helper);
  if (!is_safe_server_name(server)) throw Error(ErrorCode::invalid, program + " was not asked: the registry's name is malformed");
  const auto path = find_program(program, program_path);
  if (!path) throw Error(ErrorCode::not_found, "credential helper " + program + " is not on PATH");
  try {
    const ProcessResult result = run_process(ctx, *path, {"get"},
                                             {.input = server, .timeout = credential_helper_timeout, .output_bytes_max = credential_helper_bytes_max});
    if (result.exit_code != 0) {
      if (says_not_found(result.output)) return std::nullopt;
      throw Error(ErrorCode::failed, "it ended with exit code " + std::to_string(result.exit_code));
    }
    return parse_helper_answer(result.output, server);
  } catch (Error& error) {
    if (error.code() != ErrorCode::interrupted) error.add_frame("credential helper " + program);
    throw;
  }
}

}  // namespace drover::registry
