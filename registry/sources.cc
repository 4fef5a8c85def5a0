#include "registry/sources.h"

#include "base/text.h"

#include <algorithm>
#include <iterator>

namespace drover::registry {
namespace {

bool is_usable(const Source& source, Sources::Need need) { return need == Sources::Need::tag ? source.can_resolve : source.can_pull; }

std::string name_of(const Source& source) {
  return printable(source.site.registry, 120) + (source.site.origin.empty() ? "" : " (" + source.site.origin + ")");
}

// About this image only; the same source may have others.
bool is_about_image(const Error& error) {
  return error.code() == ErrorCode::not_found || error.code() == ErrorCode::authentication || error.code() == ErrorCode::failed;
}

}  // namespace

std::vector<Source> Sources::order(const Context& ctx, const Reference& wanted, Need need) {
  std::vector<Source> sources = mirrors_.find(ctx, wanted);
  std::vector<Source> usable;
  std::copy_if(sources.begin(), sources.end(), std::back_inserter(usable), [&](const Source& source) { return is_usable(source, need); });
  if (usable.empty()) usable.push_back(sources.back());  // nobody may: then it is for the registry to say so
  return usable.size() == 1 ? usable : sort(usable, wanted);
}

std::vector<Source> Sources::order(const Context& ctx, const Reference& wanted, const Digest& blob) {
  std::vector<Source> sources = order(ctx, wanted, Need::content);
  const std::lock_guard lock(mutex_);
  const auto rejected = rejected_.find(blob);
  if (rejected == rejected_.end()) return sources;
  std::vector<Source> left;
  std::copy_if(sources.begin(), sources.end(), std::back_inserter(left),
               [&](const Source& source) { return !rejected->second.contains(source.site.key()); });
  return left.empty() ? sources : left;
}

std::vector<Source> Sources::side_by_side(const Context& ctx, const Reference& wanted, const Digest& blob) {
  std::vector<Source> sources = order(ctx, wanted, blob);
  const std::string reference = wanted.to_string();
  const std::lock_guard lock(mutex_);
  std::erase_if(sources, [&](const Source& source) {
    const auto found = standings_.find(source.site.key());
    if (!source.can_pull) return true;
    if (found == standings_.end() || !source.is_mirror) return false;
    const Standing& standing = found->second;
    return !standing.put_aside_because.empty() || standing.is_last() || standing.lacks.contains(reference);
  });
  return sources;
}

std::vector<Source> Sources::sort(const std::vector<Source>& sources, const Reference& wanted) const {
  const std::string reference = wanted.to_string();
  std::vector<std::pair<int, const Source*>> ranked;
  {
    const std::lock_guard lock(mutex_);
    for (const Source& source : sources) {
      const auto found = standings_.find(source.site.key());
      if (found == standings_.end() || !source.is_mirror) {
        ranked.emplace_back(0, &source);
      } else if (found->second.put_aside_because.empty()) {
        ranked.emplace_back(found->second.is_last() ? 2 : found->second.lacks.contains(reference) ? 1 : 0, &source);
      }
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Source> sorted;
  for (const auto& [rank, source] : ranked) sorted.push_back(*source);
  return sorted.empty() ? sources : sorted;
}

void Sources::served(const Source& source, const Reference& wanted) {
  const std::lock_guard lock(mutex_);
  Standing& standing = standings_[source.site.key()];
  standing.cuts = 0;
  standing.asked_last_because.clear();
  standing.served.insert(wanted.to_string());
}

void Sources::answered_in(const Source& source, std::chrono::milliseconds time) {
  const std::lock_guard lock(mutex_);
  std::optional<std::chrono::milliseconds>& known = standings_[source.site.key()].answer_time;
  known = known ? (3 * *known + time) / 4 : time;
}

std::optional<std::chrono::milliseconds> Sources::answer_time(const Source& source) const {
  const std::lock_guard lock(mutex_);
  const auto found = standings_.find(source.site.key());
  return found == standings_.end() ? std::nullopt : found->second.answer_time;
}

bool Sources::is_in_place(const Source& source) const {
  const std::lock_guard lock(mutex_);
  const auto found = standings_.find(source.site.key());
  return found == standings_.end() || !found->second.is_last();
}

void Sources::slow(const Context& ctx, const std::string& site_key, const std::string& name, const std::string& why) {
  const std::lock_guard lock(mutex_);
  std::string& because = standings_[site_key].slow_because;
  if (!because.empty()) return;
  because = why;
  ctx.warn("mirror " + name + ": " + why + "; it is asked last from now on");
}

void Sources::slow(const Context& ctx, const Source& source, const std::string& why) {
  if (source.is_mirror) slow(ctx, source.site.key(), name_of(source), why);
}

void Sources::failed(const Context& ctx, const Source& source, const Reference& wanted, const Error& error, bool has_begun) {
  if (!source.is_mirror) return;
  const std::lock_guard lock(mutex_);
  Standing& standing = standings_[source.site.key()];
  if (error.code() == ErrorCode::digest_mismatch) {
    put_aside(ctx, source.site.key(), name_of(source), error.what());
  } else if (is_about_image(error)) {
    const bool is_login = error.code() == ErrorCode::authentication;
    const std::string text = "mirror " + name_of(source) + ": " + error.what();
    if (standing.lacks.insert(wanted.to_string()).second && is_login && standing.lacks.size() == 1) {
      ctx.warn(text + "; going on without it");
    } else {
      ctx.debug(text);
    }
  } else if (!has_begun || ++standing.cuts >= cuts_max) {
    ask_last(ctx, source, error.what());
  } else {
    ctx.debug("mirror " + name_of(source) + ": " + error.what());
  }
}

void Sources::put_aside(const Context& ctx, const std::string& site_key, const std::string& name, const std::string& why) {
  std::string& because = standings_[site_key].put_aside_because;
  if (!because.empty()) return;
  because = why;
  ctx.warn("mirror " + name + ": " + why + "; it is not asked again");
}

void Sources::ask_last(const Context& ctx, const Source& source, const std::string& why) {
  std::string& because = standings_[source.site.key()].asked_last_because;
  if (because.empty()) ctx.warn("mirror " + name_of(source) + ": " + why + "; it is asked last from now on");
  because = why;
}

void Sources::received(const Source& source, const Digest& blob, std::uint64_t bytes) {
  if (bytes == 0) return;
  const std::lock_guard lock(mutex_);
  contributions_[blob][source.site.key()] += bytes;
}

bool Sources::reject(const Context& ctx, const Reference& wanted, const Descriptor& blob) {
  const std::vector<Source> sources = mirrors_.find(ctx, wanted);
  const std::lock_guard lock(mutex_);
  const std::map<std::string, std::uint64_t> senders = std::exchange(contributions_[blob.digest], {});
  const auto has_sent = [&](const Source& source) { return senders.contains(source.site.key()); };
  const bool is_from_mirrors = std::any_of(sources.begin(), sources.end(), [&](const Source& s) { return s.is_mirror && has_sent(s); });
  std::set<std::string>& rejected = rejected_[blob.digest];
  bool is_news = false;
  for (const Source& source : sources) {
    // Where mirrors and the registry sent parts, the mirrors are the likelier ones.
    if (!has_sent(source) || (is_from_mirrors && !source.is_mirror)) continue;
    is_news = rejected.insert(source.site.key()).second || is_news;
    const bool has_sent_all = senders.size() == 1 && senders.begin()->second >= blob.size;
    const std::string what = "sent wrong bytes for " + blob.digest.to_string();
    if (source.is_mirror && has_sent_all) {
      put_aside(ctx, source.site.key(), name_of(source), what);
    } else {
      const std::string others = has_sent_all ? "" : senders.size() > 1 ? "or another " : "or whoever sent the rest in an earlier run ";
      // Without anybody else to ask, it is.
      ctx.warn(name_of(source) + " " + others + what + (sources.size() > 1 ? "; it is not asked for it again" : ""));
    }
  }
  return is_news && std::any_of(sources.begin(), sources.end(), [&](const Source& source) {
    const auto standing = standings_.find(source.site.key());
    const bool is_aside = standing != standings_.end() && !standing->second.put_aside_because.empty();
    return source.can_pull && !is_aside && !rejected.contains(source.site.key());
  });
}

void Sources::blame(const Context& ctx, const std::string& site_key, const std::string& name, bool is_mirror, const Digest& blob) {
  const std::string what = "sent wrong bytes for " + blob.to_string();
  const std::lock_guard lock(mutex_);
  rejected_[blob].insert(site_key);
  if (is_mirror) {
    put_aside(ctx, site_key, name, what);
  } else {
    ctx.warn(name + " " + what);
  }
}

void Sources::pardon(const std::string& site_key, const Digest& blob) {
  const std::lock_guard lock(mutex_);
  const auto rejected = rejected_.find(blob);
  if (rejected != rejected_.end()) rejected->second.erase(site_key);
}

std::string Sources::standing(const Source& source, const Reference& wanted) const {
  const std::lock_guard lock(mutex_);
  const auto found = standings_.find(source.site.key());
  if (found == standings_.end()) return {};
  const Standing& standing = found->second;
  if (!standing.put_aside_because.empty()) return "put aside: " + standing.put_aside_because;
  if (!standing.asked_last_because.empty()) return "asked last: " + standing.asked_last_because;
  if (!standing.slow_because.empty()) return "asked last: " + standing.slow_because;
  if (standing.served.contains(wanted.to_string())) return "answered";
  return standing.lacks.contains(wanted.to_string()) ? "does not have it" : "";
}

}  // namespace drover::registry
