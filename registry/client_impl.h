// What Client is made of; shared by its source files only.
#pragma once

#include "base/error.h"
#include "registry/authenticator.h"
#include "registry/blob_routes.h"
#include "registry/client.h"
#include "registry/credentials.h"
#include "registry/failure.h"
#include "registry/hosts.h"
#include "registry/meter.h"
#include "registry/pace.h"
#include "registry/session.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace drover::registry {

struct Client::Impl {
  Impl(net::Transport& transport, ClientOptions given)
      : options(std::move(given)),
        pace(options.retry),
        hosts(transport, options, meter),
        credentials(options.credential_files, options.program_path),
        authenticator(transport, hosts, credentials, pace, meter),
        session(transport, hosts, authenticator, pace, meter) {}

  // Runs `attempt` until it succeeds or its failure is final.
  template <typename Attempt>
  auto with_retries(const Context& ctx, Attempt attempt) {
    for (int number = 1;; ++number) {
      try {
        return attempt();
      } catch (const Error& failure) {
        // A person waits for these: a registry that is down is reported in seconds, not in the minute that a blob's transfer may take.
        constexpr int document_attempts_max = 5;
        if (number >= std::min(document_attempts_max, options.retry.attempts_max)) throw;
        wait_before_retry(ctx, failure, number + 1);
      }
    }
  }

  void wait_before_retry(const Context& ctx, const Error& failure, int attempt);
  class BlobRequest;
  // A blob's name among all registries'.
  std::string blob_key(const Reference& repository, const Digest& digest) const { return repository.registry() + "\n" + digest.to_string(); }

  const ClientOptions options;
  Meter meter;
  Pace pace;
  Hosts hosts;
  Credentials credentials;
  Authenticator authenticator;
  Session session;
  BlobRoutes routes;
};

// A login page of a hotel's or a company's network answers 200 to everything (text/html). Throws invalid.
void refuse_web_page(const Reference& reference, std::string_view host, std::string_view bare_type);

}  // namespace drover::registry
