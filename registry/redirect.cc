#include "registry/redirect.h"

#include "base/error.h"
#include "base/text.h"

namespace drover::registry {

bool is_redirect_status(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

net::Url redirect_target(const net::Url& from, std::string_view location) {
  net::Url target;
  try {
    target = from.resolve(location);
  } catch (const Error&) {
    // The target's text stays out: it may carry a signature or a password.
    throw Error(ErrorCode::refused, from.authority() + " redirects to something that is no plain http or https URL; not followed");
  }
  if (from.scheme == "https" && target.scheme != "https") {
    throw Error(ErrorCode::refused, from.authority() + " redirects from https to http at " + printable(target.authority(), 120) + "; not followed");
  }
  return target;
}

}  // namespace drover::registry
