// What Client is made of; shared by its source files only.
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "registry/authenticator.h"
#include "registry/blob_routes.h"
#include "registry/client.h"
#include "registry/credentials.h"
#include "registry/failure.h"
#include "registry/hosts.h"
#include "registry/meter.h"
#include "registry/pace.h"
#include "registry/race.h"
#include "registry/session.h"
#include "registry/sources.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::registry {

// One source of what is wanted, as a request sees it.
struct Place {
  const Source& source;
  Endpoint endpoint;
  Reference reference;     // by the name that it has there
  bool has_begun = false;  // set by whoever got a good answer's head

  // Path and query behind the API's root: "/library/redis/blobs/sha256:…?ns=docker.io".
  std::string target(std::string_view rest) const {
    const std::string query = source.namespace_name.empty() ? "" : "?ns=" + percent_encode(source.namespace_name);
    return "/" + reference.repository() + std::string(rest) + query;
  }
};

// What each source said, kept for the case that none serves.
class SourceFailures {
 public:
  void add(const Source& source, const Error& error) {
    if (!source.is_mirror || !verdict_) verdict_ = error;
    if (source.is_mirror) mirrors_.push_back(error.what());
  }

  Error verdict() const {
    if (mirrors_.empty() || mirrors_.back() == verdict_->what()) return *verdict_;
    Error error(verdict_->code(), std::string(verdict_->what()) + " (mirrors: " + join(mirrors_, "; ") + ")");
    error.http_status = verdict_->http_status;
    error.retry_at = verdict_->retry_at;
    error.is_final = verdict_->is_final;
    return error;
  }

 private:
  std::optional<Error> verdict_;
  std::vector<std::string> mirrors_;
};

struct Client::Impl {
  Impl(net::Transport& transport, ClientOptions given)
      : options(std::move(given)),
        pace(options.retry),
        hosts(transport, options, meter),
        sources(options.mirrors),
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

  // `attempt(place)` at one source after the other until one succeeds. What failed at the registry itself is thrown when all have failed,
  // with the others' words behind it. `wanted` is the user's reference, `asked` what is asked for by its name.
  template <typename Attempt>
  auto ask_in_turn(const Context& ctx, const Reference& wanted, const Reference& asked, const std::vector<Source>& order, Attempt attempt) {
    SourceFailures failures;
    for (const Source& source : order) {
      Place place = place_at(source, asked);
      try {
        auto result = attempt_there(ctx, place, timeouts_at(source, order), attempt);
        sources.served(source, wanted);
        return result;
      } catch (const Error& error) {
        if (error.code() == ErrorCode::interrupted || order.size() == 1) throw;
        sources.failed(ctx, source, wanted, error, place.has_begun);
        failures.add(source, error);
      }
    }
    throw failures.verdict();
  }

  // The same for a document, `attempt(ctx, place)`: while a mirror keeps us waiting, the next source is asked as well, and the first good
  // answer counts. `attempt` is called from several threads at once.
  template <typename Attempt>
  auto ask_hedged(const Context& ctx, const Reference& wanted, const Reference& asked, const std::vector<Source>& order, Attempt attempt) {
    if (order.size() == 1) {
      return ask_in_turn(ctx, wanted, asked, order, [&](Place& place) { return attempt(ctx, place); });
    }
    using Result = decltype(attempt(ctx, std::declval<Place&>()));
    std::vector<std::optional<Result>> results(order.size());
    std::vector<Place> places;
    for (const Source& source : order) places.push_back(place_at(source, asked));
    SourceFailures failures;
    const auto ask = [&](const Context& inner, std::size_t i) {
      const auto there = [&](Place& place) { return attempt(inner, place); };
      results[i].emplace(attempt_there(inner, places[i], timeouts_at(order[i], order), there));
    };
    const auto failed = [&](std::size_t i, const Error& error) {
      sources.failed(ctx, order[i], wanted, error, places[i].has_begun);
      failures.add(order[i], error);
    };
    const auto answered = [&](std::size_t i, std::chrono::milliseconds took) {
      sources.served(order[i], wanted);
      sources.answered_in(order[i], took);
    };
    const Hedge ended = race(ctx, Hedge(patience_with_each(order)), {.ask = ask, .failed = failed, .answered = answered});
    if (!ended.winner()) throw failures.verdict();
    note_overtaken(ctx, order, ended);
    return *std::move(results[*ended.winner()]);
  }

  // The same at one source, whatever comes of it.
  template <typename Attempt>
  auto ask_one(const Context& ctx, const Reference& wanted, const Reference& asked, const Source& source, Attempt attempt) {
    Place place = place_at(source, asked);
    try {
      auto result = attempt_there(ctx, place, source.is_mirror ? options.mirror_timeouts : net::Timeouts{}, attempt);
      sources.served(source, wanted);
      return result;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::interrupted) sources.failed(ctx, source, wanted, error, place.has_begun);
      throw;
    }
  }

  // `attempt(place)` at the source's endpoint; where that is not known yet, at the likeliest one first.
  template <typename Attempt>
  auto attempt_there(const Context& ctx, Place& place, const net::Timeouts& timeouts, Attempt& attempt) {
    const Site& site = place.source.site;
    if (std::optional<Endpoint> guess = hosts.guess(ctx, site, timeouts)) {
      place.endpoint = *std::move(guess);
      try {
        return attempt(place);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::interrupted || hosts.is_settled(site)) throw;
      }
    }
    place.endpoint = hosts.endpoint(ctx, site, timeouts);
    return attempt(place);
  }

  static Place place_at(const Source& source, const Reference& asked) {
    return {.source = source, .endpoint = {}, .reference = asked.at(source.site.registry, source.repository)};
  }
  // Patient with who is the last to be asked, and with the registry itself.
  net::Timeouts timeouts_at(const Source& source, const std::vector<Source>& order) const {
    return !source.is_mirror || &source == &order.back() ? net::Timeouts{} : options.mirror_timeouts;
  }
  std::vector<std::optional<std::chrono::milliseconds>> patience_with_each(const std::vector<Source>& order) const;
  void note_overtaken(const Context& ctx, const std::vector<Source>& order, const Hedge& ended);
  void wait_before_retry(const Context& ctx, const Error& failure, int attempt);
  FetchedManifest fetch_manifest(const Context& ctx, const Reference& wanted, const Reference& asked);
  std::optional<ManifestHead> head_manifest_at(const Context& ctx, const Place& place);
  class BlobRequest;
  BlobAnswer fetch_range_at(const Context& ctx, Place& place, const Descriptor& descriptor, ByteRange& range, const BlobSink& sink);
  bool has_ranges(const Source& source, const Digest& blob) const;
  // A blob's name among all sources'.
  static std::string blob_key(const Source& source, const Digest& digest) { return source.site.key() + "\n" + digest.to_string(); }

  const ClientOptions options;
  Meter meter;
  Pace pace;
  Hosts hosts;
  Sources sources;
  Credentials credentials;
  Authenticator authenticator;
  Session session;
  BlobRoutes routes;
};

// A login page of a hotel's or a company's network answers 200 to everything (text/html). Throws invalid.
void refuse_web_page(const Reference& reference, std::string_view host, std::string_view bare_type);

}  // namespace drover::registry
