#include "stack/gate.h"

#include "base/text.h"

#include <algorithm>

namespace drover::stack {
namespace {

using std::chrono::milliseconds;
using Until = compose::Await::Until;
using Verdict = Judgement::Verdict;

constexpr std::size_t probe_bytes_max = 300;

Judgement passed() { return {.verdict = Verdict::passed}; }
Judgement failed(std::string why) { return {.verdict = Verdict::failed, .why = std::move(why)}; }

bool has_health_check(const engine::ContainerState& state) { return state.health && !state.health->status.empty() && state.health->status != "none"; }

// It will not run again by itself.
bool has_ended(const engine::ContainerState& state) { return state.status == "exited" || state.status == "dead" || state.status == "removing"; }

std::string exit_text(std::int64_t code, const engine::ContainerState* state) {
  std::string text = "exited with code " + std::to_string(code);
  if (state == nullptr) return text;
  if (state->is_oom_killed) text += ", killed for want of memory";
  if (!state->error.empty()) text += ": " + printable(trim(state->error), probe_bytes_max);
  return text;
}

// The last probe that failed is what explains.
std::string probe_text(const engine::ContainerState& state) {
  if (!state.health) return {};
  const auto& log = state.health->log;
  const auto bad = std::find_if(log.rbegin(), log.rend(), [](const engine::HealthProbe& probe) { return probe.exit_code != 0; });
  if (bad == log.rend()) return {};
  const std::string output = printable(trim(bad->output), probe_bytes_max);
  return ": its check " + (output.empty() ? std::string("printed nothing") : "printed \"" + output + "\"") + " (exit code " + std::to_string(bad->exit_code) + ")";
}

class Judge {
 public:
  Judge(const compose::Await& await, const Watched& watched) : await_(await), watched_(watched) {}

  Judgement judge() const {
    if (!watched_.details) return judge_absence();
    switch (await_.until) {
      case Until::healthy: return judge_health();
      case Until::completed: return judge_completion();
      case Until::gate: return has_health_check(state()) ? judge_health() : judge_running();
    }
    return judge_running();
  }

 private:
  const engine::ContainerState& state() const { return watched_.details->state; }

  // Removed by itself when it ended, or by somebody.
  Judgement judge_absence() const {
    if (watched_.last_exit_code) return judge_exit(*watched_.last_exit_code, nullptr);
    return failed("is gone");
  }

  Judgement judge_exit(std::int64_t code, const engine::ContainerState* state) const {
    const bool may_complete = await_.until == Until::completed || (await_.until == Until::gate && await_.may_complete);
    if (code == 0 && may_complete) return passed();
    return failed(exit_text(code, state));
  }

  Judgement judge_health() const {
    if (has_ended(state())) return judge_exit(state().exit_code, &state());
    if (!has_health_check(state())) return failed("has no health check, so it never becomes healthy");
    if (state().is_running && !state().is_restarting && state().health->status == "healthy") return passed();
    if (state().health->status == "unhealthy") return failed("is unhealthy" + probe_text(state()));
    if (dies_again_and_again()) return failed(deaths_text());
    return wait("did not become healthy", probe_text(state()));
  }

  Judgement judge_completion() const {
    if (has_ended(state())) return judge_exit(state().exit_code, &state());
    return wait("did not complete");
  }

  Judgement judge_running() const {
    if (has_ended(state())) return judge_exit(state().exit_code, &state());
    if (dies_again_and_again()) return failed(deaths_text());
    if (!state().is_running || state().is_restarting) return wait("did not get to run");
    if (watched_.undisturbed >= await_.settle) return passed();
    Judgement judgement = wait("did not keep running for " + format_seconds(std::chrono::duration<double>(await_.settle).count()));
    const milliseconds left = await_.settle - watched_.undisturbed;
    if (judgement.verdict == Verdict::waiting) judgement.look_again = std::min(judgement.look_again.value_or(left), left);
    return judgement;
  }

  std::int64_t deaths() const { return std::max<std::int64_t>(watched_.deaths, watched_.details->restart_count - watched_.restarts); }
  bool dies_again_and_again() const { return deaths() > deaths_forgiven_max; }
  std::string deaths_text() const {
    return "died " + std::to_string(deaths()) + " times, the last time it " + exit_text(watched_.last_exit_code.value_or(state().exit_code), &state());
  }

  Judgement wait(const std::string& what, const std::string& detail = {}) const {
    if (await_.timeout.count() == 0) return {};
    const milliseconds limit = await_.timeout;
    if (watched_.waited < limit) return {.look_again = limit - watched_.waited};
    return failed(what + " within " + format_seconds(std::chrono::duration<double>(limit).count()) + detail);
  }

  const compose::Await& await_;
  const Watched& watched_;
};

}  // namespace

Judgement judge(const compose::Await& await, const Watched& watched) { return Judge(await, watched).judge(); }

milliseconds patience_with(const engine::ContainerDetails& details, const Circumstances& circumstances) {
  if (details.state.is_running || details.state.is_oom_killed) return milliseconds(0);
  // An engine brings such a one up again at once, unless it is going itself, or somebody stopped the container.
  const std::string& policy = details.host_config.restart_policy.name;
  const bool always_restarts = policy == "always" || policy == "unless-stopped";
  if (always_restarts || circumstances.looks_like_shutdown) return circumstances.farewell_max;
  return circumstances.has_no_news ? late_news_max : look_again_after;
}

}  // namespace drover::stack
