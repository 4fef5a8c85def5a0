// FakeRegistry's gate: challenges, passwords, and tokens with their scopes, lives and uses. Not thread-safe; its registry locks.
#pragma once

#include "tests/support/fake_registry.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::test {

class FakeTokens {
 public:
  // Tokens given out before are forgotten.
  void reset(FakeAuth auth);

  // The 401 for a request without a right to what it asks; nothing when it may pass. Uses up one use of its token.
  std::optional<Reply> refuse(const ServedRequest& request, const std::string& repository, bool is_write, const std::string& origin);
  // GET and POST of /token (docker's token specification and its OAuth2 variant).
  Reply serve_token(const ServedRequest& request);

 private:
  struct Token {
    std::vector<std::string> scopes;
    std::chrono::steady_clock::time_point expires;
    std::size_t uses = 0;
  };
  bool is_covered(const std::string& token, const std::string& repository, bool is_write);

  FakeAuth auth_;
  std::map<std::string, Token> tokens_;
  std::size_t requests_ = 0;
};

}  // namespace drover::test
