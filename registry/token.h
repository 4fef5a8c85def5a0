// The words spoken with a token server (Docker registry token and OAuth2 specifications, in distribution/docs/spec/auth). Pure.
#pragma once

#include "net/url.h"
#include "registry/challenge.h"
#include "registry/credentials.h"
#include "registry/secret.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::registry {

// containers/image's bound for the same answer.
inline constexpr std::uint64_t token_answer_bytes_max = 1U << 20U;
// Real tokens are below 8 KiB; a header has to carry it.
inline constexpr std::size_t token_bytes_max = 64 * 1024;
// The specification's default, and what clients treat as the least: a shorter life is noticed by the 401 that ends it.
inline constexpr std::chrono::seconds token_life_default{60};
inline constexpr std::chrono::seconds token_life_max{24 * 3600};
// Renewed this long before its end, so that it does not expire on the way.
inline constexpr std::chrono::seconds token_margin{10};

// Where tokens come from and for what.
struct TokenService {
  net::Url realm;
  std::string service;
  std::vector<std::string> scopes;

  friend bool operator==(const TokenService&, const TokenService&) = default;
};

// The realm of a challenge that `registry` sent, checked: absolute or relative, https unless the registry itself speaks plain http, no
// user info. Throws authentication.
net::Url parse_realm(std::string_view realm, const net::Url& registry);

// The challenge's scopes first (some servers read only the first), then a pull of `repository` unless they cover it.
std::vector<std::string> scopes_for(std::string_view challenge_scope, std::string_view repository);

// The realm with service, account and scopes as its query, everything encoded.
net::Url token_url(const TokenService& service, std::string_view account);
// The body of the OAuth2 POST: a refresh token where the credential has one, else name and password.
std::string token_form(const TokenService& service, const Credential& credential);

struct TokenAnswer {
  Secret token;
  std::chrono::seconds life = token_life_default;
};
// `token` or `access_token`; `expires_in` missing, zero, negative or odd means the default. Throws authentication.
TokenAnswer parse_token_answer(std::string_view body, std::string_view host);

// "Basic …".
Secret basic_header(const Credential& credential);
// "Bearer …"; throws authentication when the token cannot stand in a header.
Secret bearer_header(const Secret& token);

}  // namespace drover::registry
