#include "registry/token.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/json_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace drover::registry {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr std::size_t scopes_max = 16;  // of one challenge; real ones have one

std::string field(std::string_view name, std::string_view value) { return std::string(name) + "=" + percent_encode(value); }

seconds parse_life(const json& answer) {
  const auto found = answer.find("expires_in");
  if (found == answer.end()) return token_life_default;
  double life = 0;
  if (found->is_number()) life = found->get<double>();
  if (found->is_string()) life = parse_decimal(found->get<std::string>()).value_or(0);
  const double longest = static_cast<double>(token_life_max.count());
  const double shortest = static_cast<double>(token_life_default.count());
  return seconds(static_cast<std::int64_t>(std::clamp(life, shortest, longest)));
}

}  // namespace

net::Url parse_realm(std::string_view realm, const net::Url& registry) {
  const std::string shown = printable(registry.authority(), 120);
  if (trim(realm).empty()) throw Error(ErrorCode::authentication, shown + " asks for a token but does not say from where (no realm)");
  net::Url url;
  try {
    url = registry.resolve(trim(realm));
  } catch (const Error&) {
    // Without the realm's text: it may hold a user's name and password.
    throw Error(ErrorCode::authentication, shown + " names a malformed or forbidden token server; nothing was sent to it");
  }
  if (url.scheme != "https" && registry.scheme != "http") {
    throw Error(ErrorCode::authentication,
                shown + " names a token server without TLS (" + printable(url.redacted()) + "); nothing was sent to it");
  }
  return url;
}

std::vector<std::string> scopes_for(std::string_view challenge_scope, std::string_view repository) {
  std::vector<std::string> scopes;
  const std::string prefix = "repository:" + std::string(repository) + ":";
  bool is_covered = false;
  for (const std::string_view scope : split(challenge_scope, ' ')) {
    if (scope.empty() || scopes.size() == scopes_max) continue;
    is_covered = is_covered || scope.starts_with(prefix);
    if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) scopes.emplace_back(scope);
  }
  if (!is_covered) scopes.push_back(prefix + "pull");
  return scopes;
}

net::Url token_url(const TokenService& service, std::string_view account) {
  std::vector<std::string> fields;
  if (!service.service.empty()) fields.push_back(field("service", service.service));
  if (!account.empty()) fields.push_back(field("account", account));
  for (const std::string& scope : service.scopes) fields.push_back(field("scope", scope));
  net::Url url = service.realm;
  url.target += url.target.find('?') == std::string::npos ? "?" : "&";
  url.target += join(fields, "&");
  return url;
}

std::string token_form(const TokenService& service, const Credential& credential) {
  std::vector<std::string> fields;
  if (!credential.identity_token.empty()) {
    fields = {"grant_type=refresh_token", field("refresh_token", credential.identity_token.reveal())};
  } else {
    fields = {"grant_type=password", field("username", credential.username), field("password", credential.password.reveal())};
  }
  fields.push_back(field("service", service.service));
  fields.push_back("client_id=drover");
  fields.push_back(field("scope", join(service.scopes, " ")));
  return join(fields, "&");
}

TokenAnswer parse_token_answer(std::string_view body, std::string_view host) {
  const json answer = json::parse(body, nullptr, false);
  std::string token;
  if (answer.is_object()) {
    token = text_member(answer, "token");
    if (token.empty()) token = text_member(answer, "access_token");
  }
  if (token.empty()) throw Error(ErrorCode::authentication, "token server " + printable(host, 120) + " sent no token");
  return {Secret(std::move(token)), parse_life(answer)};
}

Secret basic_header(const Credential& credential) {
  return Secret("Basic " + encode_base64(credential.username + ":" + credential.password.reveal(), Base64::standard));
}

Secret bearer_header(const Secret& token) {
  const std::string& text = token.reveal();
  const bool is_printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (text.empty() || text.size() > token_bytes_max || !is_printable) {
    throw Error(ErrorCode::authentication, "the token is too long or holds characters that no header can carry");
  }
  return Secret("Bearer " + text);
}

}  // namespace drover::registry
