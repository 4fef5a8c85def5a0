#include "stack/compare.h"

#include <algorithm>
#include <string_view>

namespace drover::stack {
namespace {

std::optional<Digest> digest_part(std::string_view repo_digest) {
  const std::size_t at = repo_digest.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  return Digest::try_parse(repo_digest.substr(at + 1));
}

bool has_repo_digest(const Held& held, const Digest& digest) {
  return std::any_of(held.repo_digests.begin(), held.repo_digests.end(),
                     [&](const std::string& text) { return digest_part(text) == digest; });
}

}  // namespace

Sameness compare(const Held& held, const Available& available, engine::StoreKind store) {
  if (available.manifest && available.config && store == engine::StoreKind::classic) {
    return held.id == *available.config ? Sameness::same : Sameness::different;
  }
  if (held.id == available.root || has_repo_digest(held, available.root)) return Sameness::same;
  if (!available.manifest) return Sameness::unsure;
  if (held.id == *available.manifest || has_repo_digest(held, *available.manifest)) return Sameness::same;
  if (available.config && held.id == *available.config) return Sameness::same;
  return Sameness::unsure;
}

Digest shown_digest(const Held& held, const std::string& familiar_name) {
  for (const std::string& text : held.repo_digests) {
    if (text.starts_with(familiar_name + "@")) {
      if (const auto digest = digest_part(text)) return *digest;
    }
  }
  return held.id;
}

}  // namespace drover::stack
