#include "registry/client.h"

#include "base/text.h"
#include "digest/digest.h"
#include "registry/client_impl.h"

#include <nlohmann/json.hpp>

#include <chrono>

namespace drover::registry {

Client::Client(net::Transport& transport, ClientOptions options) : impl_(std::make_unique<Impl>(transport, std::move(options))) {}

Client::~Client() = default;

namespace {

// "mirror.lan:5000 (for what digests name), from /etc/docker/daemon.json:3".
std::string describe(const Source& source) {
  std::string text = source.site.registry;
  if (!source.can_resolve) text += source.can_pull ? " (for what digests name)" : " (for nothing)";
  if (source.can_resolve && !source.can_pull) text += " (for what tags mean)";
  if (!source.site.origin.empty()) text += ", from " + source.site.origin;
  return text;
}

}  // namespace

void Client::Impl::wait_before_retry(const Context& ctx, const Error& failure, int attempt) {
  if (!is_worth_retrying(failure)) throw Error(failure);
  std::optional<std::chrono::milliseconds> asked;
  if (failure.retry_at) {
    asked = std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(*failure.retry_at - ctx.clock->system_now()));
  }
  const std::optional<std::chrono::milliseconds> delay = next_delay(options.retry, attempt, asked, random_unit());
  if (!delay) throw Error(failure);
  ++meter.retries;
  const std::string wait = format_seconds(std::chrono::duration<double>(*delay).count());
  if (asked) {
    ctx.warn(std::string(failure.what()) + "; waiting " + wait);
  } else {
    ctx.debug(std::string(failure.what()) + "; trying again in " + wait);
  }
  ctx.clock->sleep_for(*delay, ctx.stop);
  ctx.check_stop();
}

// Only a mirror is hurried, and only while it has its place: behind it is who should have been asked.
std::vector<std::optional<std::chrono::milliseconds>> Client::Impl::patience_with_each(const std::vector<Source>& order) const {
  std::vector<std::optional<std::chrono::milliseconds>> patience(order.size());
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    if (!order[i].is_mirror || !sources.is_in_place(order[i]) || !sources.is_in_place(order[i + 1])) continue;
    patience[i] = patience_with(options.patience, sources.answer_time(order[i]), sources.answer_time(order[i + 1]));
  }
  return patience;
}

void Client::Impl::note_overtaken(const Context& ctx, const std::vector<Source>& order, const Hedge& ended) {
  for (const std::size_t i : ended.overtaken()) {
    sources.slow(ctx, order[i], printable(order[*ended.winner()].site.registry, 120) + " answered before it although it was asked later");
  }
}

void Client::check_mirror_files() const { impl_->sources.mirrors().check_own(); }

void Client::wait_before_retry(const Context& ctx, const Error& failure, int attempt) { impl_->wait_before_retry(ctx, failure, attempt); }

std::optional<RateLimit> Client::rate_limit(const std::string& registry) const { return impl_->session.rate_limit(registry); }

std::uint64_t Client::manifests_by_tag(const std::string& registry) const { return impl_->meter.tagged_manifests(registry); }

Counters Client::counters() const { return impl_->meter.counters(); }

std::string Client::engine_login(const Context& ctx, const Reference& reference) {
  const std::optional<Credential> credential = impl_->credentials.find(ctx, reference);
  if (!credential || credential->is_empty()) return {};
  nlohmann::json login;
  login["serveraddress"] = helper_server_name(reference.registry());
  if (!credential->identity_token.empty()) {
    login["identitytoken"] = credential->identity_token.reveal();
  } else if (!credential->registry_token.empty()) {
    login["registrytoken"] = credential->registry_token.reveal();
  } else {
    login["username"] = credential->username;
    login["password"] = credential->password.reveal();
  }
  return encode_base64(login.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), Base64::url);
}

std::vector<std::string> Client::explain(const Reference& reference) const {
  const Context quiet;  // what there is to warn about was said when the files were read
  std::vector<std::string> lines;
  for (const Source& source : impl_->sources.mirrors().find(quiet, reference)) {
    const std::string standing = impl_->sources.standing(source, reference);
    lines.push_back((source.is_mirror ? "mirror: " : "registry: ") + describe(source) + (standing.empty() ? "" : "; " + standing));
    for (std::string& line : impl_->hosts.explain(source.site)) lines.push_back(std::move(line));
    lines.push_back("credentials: " + impl_->credentials.describe(quiet, reference.at(source.site.registry, source.repository)));
  }
  return lines;
}

void refuse_web_page(const Reference& reference, std::string_view host, std::string_view bare_type) {
  if (bare_type != "text/html" && bare_type != "application/xhtml+xml") return;
  Error error(ErrorCode::invalid, printable(host, 120) + " answers with a web page instead of " + printable(reference.registry(), 120) +
                                      "'s data; is there a login page (captive portal) or a proxy in between?");
  error.http_status = 200;
  throw error;
}

}  // namespace drover::registry
