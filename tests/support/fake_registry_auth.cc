#include "tests/support/fake_registry_auth.h"

#include "base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace drover::test {
namespace {

using nlohmann::json;

constexpr int default_life_seconds = 60;  // when expires_in is absent: docker's token specification

// "user:password" of a Basic header.
std::optional<std::string> read_basic(const ServedRequest& request) {
  const std::string_view value = request.headers.find("authorization").value_or("");
  return value.starts_with("Basic ") ? decode_base64(value.substr(6)) : std::nullopt;
}

std::vector<std::string> read_scopes(const ServedRequest& parameters) {
  std::vector<std::string> scopes;
  for (const std::string_view pair : split(parameters.query, '&')) {
    ServedRequest one;
    one.query = pair;
    const std::optional<std::string> value = one.parameter("scope");
    if (!value) continue;
    for (const std::string_view scope : split(*value, ' ')) scopes.emplace_back(scope);
  }
  return scopes;
}

bool is_pull_only(const std::vector<std::string>& scopes) {
  return std::all_of(scopes.begin(), scopes.end(), [](const std::string& scope) { return scope.ends_with(":pull"); });
}

Reply refusal(int status, const std::string& code) {
  Reply reply{.status = status, .body = json{{"errors", {{{"code", code}, {"message", "authentication required"}}}}}.dump()};
  reply.headers.set("Content-Type", "application/json");
  return reply;
}

}  // namespace

void FakeTokens::reset(FakeAuth auth) {
  auth_ = std::move(auth);
  tokens_.clear();
  requests_ = 0;
}

bool FakeTokens::is_covered(const std::string& name, const std::string& repository, bool is_write) {
  const auto token = tokens_.find(name);
  if (token == tokens_.end() || std::chrono::steady_clock::now() >= token->second.expires) return false;
  if (auth_.token_uses_max != 0 && token->second.uses >= auth_.token_uses_max) return false;
  ++token->second.uses;
  if (repository.empty()) return true;
  const std::string prefix = "repository:" + repository + ":";
  const std::vector<std::string>& scopes = token->second.scopes;
  return std::any_of(scopes.begin(), scopes.end(), [&](const std::string& scope) {
    return scope.starts_with(prefix) && scope.find(is_write ? "push" : "pull", prefix.size()) != std::string::npos;
  });
}

std::optional<Reply> FakeTokens::refuse(const ServedRequest& request, const std::string& repository, bool is_write, const std::string& origin) {
  if (auth_.scheme == FakeAuth::Scheme::none) return std::nullopt;
  const std::string value(request.headers.find("authorization").value_or(""));
  Reply reply = refusal(401, "UNAUTHORIZED");
  if (auth_.scheme == FakeAuth::Scheme::basic) {
    if (read_basic(request) == auth_.user + ":" + auth_.password) return std::nullopt;
    reply.headers.set("WWW-Authenticate", auth_.challenge.empty() ? "Basic realm=\"fake\"" : auth_.challenge);
    return reply;
  }
  if (value.starts_with("Bearer ") && is_covered(value.substr(7), repository, is_write)) return std::nullopt;
  std::string challenge = "Bearer realm=\"" + (auth_.realm.empty() ? origin + "/token" : auth_.realm) + "\",service=\"" + auth_.service + "\"";
  if (!repository.empty()) challenge += ",scope=\"repository:" + repository + ":" + (is_write ? "pull,push" : "pull") + "\"";
  if (!value.empty()) challenge += ",error=\"invalid_token\"";
  reply.headers.set("WWW-Authenticate", auth_.challenge.empty() ? challenge : auth_.challenge);
  return reply;
}

Reply FakeTokens::serve_token(const ServedRequest& request) {
  const bool is_post = request.method == "POST";
  if (is_post ? !auth_.allow_post : !auth_.allow_get) return refusal(405, "UNSUPPORTED");
  if (++requests_ <= auth_.refuse_first) return refusal(auth_.refuse_status, "UNAVAILABLE");

  ServedRequest parameters = request;
  if (is_post) parameters.query = request.body;
  const std::optional<std::string> basic = read_basic(request);
  const std::string given = is_post ? parameters.parameter("username").value_or("") + ":" + parameters.parameter("password").value_or("") : basic.value_or("");
  const bool is_known = given == auth_.user + ":" + auth_.password;
  const bool is_nameless = is_post ? !parameters.parameter("username") : !basic;
  const std::vector<std::string> scopes = read_scopes(parameters);
  if (!is_known && !(is_nameless && auth_.anonymous_pull && is_pull_only(scopes))) return refusal(401, "UNAUTHORIZED");

  const std::string name = "token-" + std::to_string(requests_) + "-" + sha256_of("token " + std::to_string(requests_)).substr(7, 24);
  const int life = auth_.expires_in_seconds == 0 ? default_life_seconds : auth_.expires_in_seconds;
  tokens_[name] = {scopes, std::chrono::steady_clock::now() + std::chrono::seconds(life), 0};
  json answer = json::object();
  if (auth_.token_member == "both" || auth_.token_member == "token") answer["token"] = name;
  if (auth_.token_member == "both" || auth_.token_member == "access_token") answer["access_token"] = name;
  if (auth_.expires_in_seconds != 0) answer["expires_in"] = auth_.expires_in_seconds;
  Reply reply{.body = answer.dump()};
  reply.headers.set("Content-Type", "application/json");
  return reply;
}

}  // namespace drover::test
